"""What pages, admin, commands and other apps call to change work.

A function that raises InvalidRequest or NotAllowed has changed nothing. Their messages can be shown to users.
"""

from ..engine.execution.replay import replay
from ..engine.scheduling.saving import schedule_of
from .enqueue import Queued, queue_many, queue_one_time_job
from .in_process import hand_back_all, start_here, work_here
from .job import queue_replay
from .jobs import archive, job_run_now, pause, resume
from .oversight.bulk_actions import NO_FILTER, Wanted, abort_bulk_action, start_bulk_action, too_many
from .oversight.incidents import resolve_incident, retry_incident, snooze_incident
from .oversight.limits import end_outage, record_change, remove_stop, save_stop
from .oversight.notifications import (
    DELIVER,
    remove_notification,
    save_channel,
    save_notification_rule,
    send_test,
)
from .oversight.restores import record_backup, record_restore
from .runs import accept, adopt, cancel, end_upstream, retry, run_again, run_now, start_again
from .schedules import check_schedule, end_schedules_of, ensure_recurring_job, reschedule_brand, save_rule, spread_rule, undo_rule
from .subjects import (
    archive_brand,
    forget_freshness,
    forget_subject,
    restore_brand,
    restore_freshness,
    set_max_age,
    stop_subject,
    worked_on,
)

__all__ = [
    "DELIVER",
    "NO_FILTER",
    "Queued",
    "Wanted",
    "abort_bulk_action",
    "accept",
    "adopt",
    "archive",
    "archive_brand",
    "cancel",
    "check_schedule",
    "end_outage",
    "end_schedules_of",
    "end_upstream",
    "ensure_recurring_job",
    "forget_freshness",
    "forget_subject",
    "hand_back_all",
    "job_run_now",
    "pause",
    "queue_many",
    "queue_one_time_job",
    "queue_replay",
    "record_backup",
    "record_change",
    "record_restore",
    "remove_notification",
    "remove_stop",
    "replay",
    "reschedule_brand",
    "resolve_incident",
    "restore_brand",
    "restore_freshness",
    "resume",
    "retry",
    "retry_incident",
    "run_again",
    "run_now",
    "save_channel",
    "save_notification_rule",
    "save_rule",
    "save_stop",
    "schedule_of",
    "send_test",
    "set_max_age",
    "snooze_incident",
    "spread_rule",
    "start_again",
    "start_bulk_action",
    "start_here",
    "stop_subject",
    "too_many",
    "undo_rule",
    "work_here",
    "worked_on",
]
