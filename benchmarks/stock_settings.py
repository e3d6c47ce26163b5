"""django-q2 as it comes: the ORM broker and its own defaults, on the same database."""

from benchmarks.settings import *  # noqa: F403
from benchmarks.settings import DATABASES

Q_CLUSTER = {"name": "stock", "orm": "default", "workers": 2, "timeout": 60, "retry": 120, "log_level": "WARNING"}
DATABASES["default"]["CONN_MAX_AGE"] = 0
