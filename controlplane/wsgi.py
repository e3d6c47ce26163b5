"""The web process. Its threads share a pool of database connections; workers open their own after fork."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controlplane.settings")
os.environ.setdefault("PIPELINE_DATABASE_POOL", "1")

from django.core.wsgi import get_wsgi_application  # noqa: E402  the variables above must be set first

application = get_wsgi_application()
