"""Runs that a schedule needs by a time: a warning if none began at the latest start, which moves as runs take longer or shorter,
and no run where the data is new by then.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Greatest

from ...contract.registry import find_type
from ...models import Event, Job, Run
from ...models.runs import RunQuerySet
from ...states import RunStatus, Verdict
from ...words import time_of_day
from ..database import CLAIM_LOCK, lock
from ..journal import warn_and_record
from . import cadence
from .past import read_past
from .place import locked_with_run
from .ticks import next_due, reschedule, zone_of

GRACE = timedelta(seconds=15)  # a worker may be taking it at this moment
AHEAD = timedelta(minutes=3)  # longer than the pause between two rounds
LEARNED_WITHIN = timedelta(minutes=15)  # several rounds: a run that ended since then may move the start of the next one
MOVED_BY = timedelta(minutes=1)  # less is not worth another run number
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
    for run in _learned(waiting, at):
        _move_if_learned(run, at)


def _learned(waiting: RunQuerySet, at: datetime) -> list[Run]:
    """Ticks that wait for their latest start, and whose subject has had a good run since they were made."""
    ready = waiting.filter(due_at__gt=at, job__cron_expression__startswith=f"{cadence.READY} ").select_related("job__brand")
    good = Run.objects.filter(
        status=RunStatus.COMPLETED,
        verdict=Verdict.OK,
        completed_at__gt=Greatest(OuterRef("created_at"), Value(at - LEARNED_WITHIN)),
        job_type=OuterRef("job_type"),
        subject=OuterRef("subject"),
    )
    of_brand, of_none = Exists(good.filter(brand=OuterRef("brand"))), Exists(good.filter(brand=None))
    return list(ready.filter(of_brand | Q(of_none, brand=None)).order_by("due_at")[:A_ROUND])


def _warn(run: Run) -> None:
    """Nobody took the run at its latest start."""
    zone = ZoneInfo(zone_of(run.job))
    if run.deadline:
        start, end = (time_of_day(time.astimezone(zone)) for time in (run.due_at, run.deadline))
        words = f"{run.job} has not started at its latest start, {start}: it may miss {end}. No worker took run {run.pk}."
        warn_and_record(KIND, words, job=run.job, run=run)


def _move_if_learned(run: Run, at: datetime) -> None:
    """Runs take longer or shorter than when this tick was made. Then the tick moves."""
    handler = find_type(run.job.job_type)
    if handler and run.deadline:
        start = cadence.latest_start(run.deadline, read_past(run.job, handler, run.subject), at)
        if abs(start - run.due_at) >= MOVED_BY:
            _move(run)


def _move_if_fresh(run: Run, at: datetime) -> None:
    """Another run may have refreshed the data since this tick was made. Then the tick moves."""
    due = next_due(run.job, run.subject, at, at)
    if due and due.at > at + cadence.SPREAD:
        _move(run)


def _move(run: Run) -> None:
    """To where its schedule says now, unless it has begun meanwhile."""
    with transaction.atomic():
        lock(CLAIM_LOCK)
        job = locked_with_run(Job.objects.get(pk=run.job_id))
        if job.runs.filter(pk=run.pk, status=RunStatus.PENDING, started_at=None).exists():
            reschedule(job)
