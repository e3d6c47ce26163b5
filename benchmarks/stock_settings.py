"""django-q2 with the ORM broker and its own defaults, on the same database."""

from benchmarks.settings import *  # noqa: F403
from benchmarks.settings import DATABASES

# The name is also the queue's: the benchmark's async_task() must use the same.
Q_CLUSTER = {"name": "controlplane", "orm": "default", "workers": 2, "log_level": "WARNING"}
DATABASES["default"]["CONN_MAX_AGE"] = 0
if DATABASES["default"]["ENGINE"] == "controlplane.sqlite3":  # how one writer waits for another is part of what is compared
    DATABASES["default"]["ENGINE"] = "django.db.backends.sqlite3"
SILENCED_SYSTEM_CHECKS = ["pipeline.E002", "pipeline.E003"]  # checks for the product's own cluster
