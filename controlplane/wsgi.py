"""The web process. Its threads share a pool of database connections; each worker opens its own after the fork."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controlplane.settings")
os.environ.setdefault("PIPELINE_DATABASE_POOL", "1")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
