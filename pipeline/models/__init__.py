"""The engine's models. Import them from here."""

from .brands import Brand, BrandLimit
from .datasets import DatasetStatus, MaxAge
from .jobs import Job, ScheduleRule
from .oversight.bulk_actions import BulkAction, BulkItem
from .oversight.incidents import DayTally, DayTotal, FailedRun, Incident
from .oversight.limits import ConcurrencyLimit, Outage, Pause
from .oversight.notifications import Notification, NotificationChannel, NotificationRule, Trouble
from .oversight.restores import Restore
from .oversight.retention import Retention
from .runs import Attempt, Event, Run, RunLog, Step
from .upstream import ActorPrice, RawPage, RejectedItem, Reuse, SourceState, UpstreamRun
from .workers import Worker

__all__ = [
    "ActorPrice",
    "Attempt",
    "Brand",
    "BrandLimit",
    "BulkAction",
    "BulkItem",
    "ConcurrencyLimit",
    "DatasetStatus",
    "DayTally",
    "DayTotal",
    "Event",
    "FailedRun",
    "Incident",
    "Job",
    "MaxAge",
    "Notification",
    "NotificationChannel",
    "NotificationRule",
    "Outage",
    "Pause",
    "RawPage",
    "RejectedItem",
    "Restore",
    "Retention",
    "Reuse",
    "Run",
    "RunLog",
    "ScheduleRule",
    "SourceState",
    "Step",
    "Trouble",
    "UpstreamRun",
    "Worker",
]
