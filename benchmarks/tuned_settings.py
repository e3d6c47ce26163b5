"""django-q2 with the ORM broker and all settings that make it faster, on the same database."""

from benchmarks.stock_settings import *  # noqa: F403
from benchmarks.stock_settings import DATABASES, Q_CLUSTER

Q_CLUSTER |= {"poll": 0.05, "bulk": 50, "queue_limit": 100, "save_limit": -1, "recycle": 5000, "timeout": 60, "retry": 70}
DATABASES["default"]["CONN_MAX_AGE"] = 600
