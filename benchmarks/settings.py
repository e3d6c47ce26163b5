"""The product's settings with the benchmark's job type."""

import os

os.environ.setdefault("DEBUG", "1")

from controlplane.settings import *  # noqa: F403
from controlplane.settings import INSTALLED_APPS

DEBUG = False  # otherwise Django keeps every query in memory
INSTALLED_APPS = [*INSTALLED_APPS, "benchmarks.marks"]
