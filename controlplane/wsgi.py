"""The web process. Its threads share a pool of database connections; each worker opens its own after the fork."""

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controlplane.settings")
os.environ.setdefault("PIPELINE_DATABASE_POOL", "1")

from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from controlplane import time_limit
from controlplane.garbage import keep_what_is_loaded

application = get_wsgi_application()
# `manage.py web` has said it already; another server that loads this file refuses as well.
if dangers := [found.msg for found in run_checks(tags=["safety"], include_deployment_checks=True) if found.is_serious()]:
    raise ImproperlyConfigured(" ".join(map(str, dangers)))
time_limit.watch()
_ = get_resolver().url_patterns  # with the addresses the code of all pages is loaded, before the first request
keep_what_is_loaded()
# Each query of a page lets other threads go on. To get the interpreter back takes this long for each of them that computes, by
# default 5 ms: with four at work (legacy scrapes, exports, searches), a page of 25 queries took ten times as long.
sys.setswitchinterval(0.0005)
