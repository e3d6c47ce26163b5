"""django-q2 as it comes: the ORM broker and its own defaults, on the same database."""

from benchmarks.settings import *  # noqa: F403
from benchmarks.settings import DATABASES

# The name is the queue's: that which async_task() in the benchmark puts to.
Q_CLUSTER = {"name": "controlplane", "orm": "default", "workers": 2, "log_level": "WARNING"}
DATABASES["default"]["CONN_MAX_AGE"] = 0
SILENCED_SYSTEM_CHECKS = ["pipeline.E002", "pipeline.E003"]  # rightly refused for the product
