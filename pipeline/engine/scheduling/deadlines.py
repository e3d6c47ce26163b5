"""Runs that a schedule needs by a time: a warning if none began at the latest start, and no run where the data is new by then."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef

from ...models import Event, Job, Run
from ...states import RunStatus
from ...words import time_of_day
from ..database import CLAIM_LOCK, lock
from ..journal import warn_and_record
from . import cadence
from .place import locked_with_run
from .ticks import next_due, reschedule, zone_of

GRACE = timedelta(seconds=15)  # a worker may be taking it at this moment
AHEAD = timedelta(minutes=3)  # longer than the pause between two rounds
A_ROUND = 200
KIND = "late_start"


def watch_deadlines(at: datetime) -> None:
    """Look at the ticks that are due, or nearly. Bounded: the next round goes on."""
    waiting = Run.objects.filter(status=RunStatus.PENDING, deadline__isnull=False, started_at__isnull=True, job_paused=False)
    told = Event.objects.filter(kind=KIND, run=OuterRef("pk"))
    near = waiting.filter(due_at__lte=at + AHEAD).filter(~Exists(told)).select_related("job__brand").order_by("due_at")
    for run in near[:A_ROUND]:
        if cadence.kind(run.job.cron_expression) == cadence.FRESH:
            _move_if_fresh(run, at)
        elif run.due_at <= at - GRACE:
            _warn(run)


def _warn(run: Run) -> None:
    """Nobody took the run at its latest start."""
    zone = ZoneInfo(zone_of(run.job))
    if run.deadline:
        start, end = (time_of_day(time.astimezone(zone)) for time in (run.due_at, run.deadline))
        words = f"{run.job} has not started at its latest start, {start}: it may miss {end}. No worker took run {run.pk}."
        warn_and_record(KIND, words, job=run.job, run=run)


def _move_if_fresh(run: Run, at: datetime) -> None:
    """Another run may have refreshed the data since this tick was made. Then the tick moves."""
    due = next_due(run.job, run.subject, at, at)
    if due is None or due.at <= at + cadence.SPREAD:
        return
    with transaction.atomic():
        lock(CLAIM_LOCK)
        job = locked_with_run(Job.objects.get(pk=run.job_id))
        if job.runs.filter(pk=run.pk, status=RunStatus.PENDING, started_at=None).exists():
            reschedule(job)
