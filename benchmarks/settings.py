"""The product's settings with the benchmark's job type."""

import os
import secrets

os.environ.setdefault("DEBUG", "1")
os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(48))  # the web process refuses a known one; child processes inherit it

from controlplane.settings import *  # noqa: F403
from controlplane.settings import INSTALLED_APPS

DEBUG = False  # otherwise Django keeps every query in memory
INSTALLED_APPS = [*INSTALLED_APPS, "benchmarks.marks"]
