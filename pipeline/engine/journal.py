"""What happened, for people: lines of a run's log, and events of jobs, limits and upstream accounts."""

import logging
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from ..models import Event, Job, Run, RunLog, ScheduleRule
from .database import now

logger = logging.getLogger(__name__)


def log(run_id: int, message: str, level: str = RunLog.Level.INFO, at: datetime | None = None) -> None:
    """Append a line. The caller's transaction has locked or changed the run's row, so no number is used twice.

    After PIPELINE_LOG_LINES only errors are kept.
    """
    last = RunLog.objects.filter(run_id=run_id).order_by("-seq").values_list("seq", flat=True).first() or 0
    if last >= settings.PIPELINE_LOG_LINES and level != RunLog.Level.ERROR:
        return
    if last == settings.PIPELINE_LOG_LINES - 1 and level != RunLog.Level.ERROR:
        level, message = RunLog.Level.WARNING, f"The log is full ({last + 1:,} lines). From here on only errors are kept."
    RunLog.objects.create(run_id=run_id, seq=last + 1, at=at or now(), level=level, message=message)


def record_event(
    kind: str,
    message: str,
    *,
    job: Job | None = None,
    run: Run | None = None,
    rule: ScheduleRule | None = None,
    brand_id: UUID | None = None,
    by: Any = None,
) -> None:
    Event.objects.create(kind=kind, message=message, job=job, run=run, rule=rule, brand_id=brand_id, by=by)


def warn_and_record(kind: str, message: str, **about: Any) -> None:
    """Record the event and log it, so that somebody notices."""
    logger.warning(message)
    record_event(kind, message, **about)
