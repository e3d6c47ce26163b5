"""How a run comes into line: the key that keeps it single, its place, and the next tick of a schedule.

Everything that is going to happen is a Run row; nothing polls cron. All of it happens in the caller's transaction.
"""

import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Q

from . import schedules
from .contract.job_type import Subject
from .contract.registry import find_type
from .engine.database import wake_workers
from .models import Event, Job, Run
from .states import JobStatus, RunStatus

logger = logging.getLogger(__name__)
# Between the places of two runs of one brand and type. Longer than one run keeps the line from moving: were it a second, a flood
# queued an hour ago would by now stand before whatever is queued now, however little of it was done in that hour.
APART = timedelta(hours=1)
LATE = timedelta(days=1)  # a tick that still waits after so long is not overtaken by the next ticks of its own line


def dedupe_key(job_type: str, brand_id: UUID | None, subject: str) -> str:
    return f"{job_type}:{brand_id or ''}:{subject}"


def place(job_type: str, brand_id: UUID | None, due_at: datetime, priority: int = Run.MANUAL, ahead: Q | None = None) -> datetime:
    """The order_at of one more run that is due then: behind those of its own brand and type, so that no flood of one brand or
    type holds up another's. Never before due_at, so that what is due stands before what is not.

    `ahead`: which of its own it stands behind; all that are due by then.
    """
    own = Run.objects.filter(Q(brand_id=brand_id), job_type=job_type, status=RunStatus.PENDING, priority=priority)
    own = own.filter(order_at__gt=due_at - APART)  # what stands before that moves nobody, and may be a hundred thousand rows
    last = own.filter(ahead or Q(due_at__lte=due_at)).order_by("-order_at").values_list("order_at", flat=True).first()
    return max(due_at, last + APART) if last else due_at


def new(job: Job, *, due_at: datetime, order_at: datetime, at: datetime, subject: Subject, **fields: Any) -> Run:
    """A pending run, not saved yet."""
    return Run(
        job=job,
        brand_id=job.brand_id,
        job_type=job.job_type,
        parameters=job.parameters,
        subject=subject.key,
        subject_label=subject.label,
        subject_url=subject.url,
        due_at=due_at,
        order_at=order_at,
        created_at=at,
        **fields,
    )


def insert(
    job: Job,
    *,
    due_at: datetime,
    at: datetime,
    subject: Subject,
    priority: int = Run.MANUAL,
    ahead: Q | None = None,
    **fields: Any,
) -> Run:
    """A pending run of the job. IntegrityError where a constraint already has such a one. The caller wakes the workers."""
    order_at = place(job.job_type, job.brand_id, due_at, priority, ahead)
    run = new(job, due_at=due_at, order_at=order_at, at=at, subject=subject, priority=priority, **fields)
    run.save(force_insert=True)
    return run


def insert_next_tick(job: Job, after: datetime, at: datetime) -> Run | None:
    """The one future run of an active recurring job; None where its cron has no further time, or its type is gone."""
    handler = find_type(job.job_type)
    if handler is None:
        return None
    try:
        subject = handler.subject(job.brand, job.parameters)
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001  a bug in the type, or what it is about is gone: no reason for others to wait
        words = f"Paused: what it is about could not be found ({type(error).__name__}: {error})."
        Job.objects.filter(pk=job.pk).update(status=JobStatus.PAUSED, last_error=words)
        Event.objects.create(kind="switch_off", message=words, job=job)
        logger.warning("%s: %s", job, words)
        return None
    # A tick that a person ran before its time is not run again when its time comes.
    early = job.runs.filter(scheduled_for__gt=after).exclude(status=RunStatus.CANCELLED)
    taken = set(early.values_list("scheduled_for", flat=True))
    times = schedules.next_times(job.cron_expression, zone_of(job), after, len(taken) + 1)
    time = next((time for time in times if time not in taken), None)
    if time is None:
        return None
    wake_workers()
    return insert(
        job,
        due_at=time,
        at=at,
        subject=subject,
        priority=Run.SCHEDULED,
        # Behind all that are due before it, each tick of a brand with several schedules would stand further back than the last,
        # though none was ever late: there is always one of them in line.
        ahead=Q(due_at=time) | Q(due_at__lt=at - LATE),
        scheduled_for=time,
        trigger_source=Job.Trigger.SCHEDULED,
    )


def drop_future_tick(job: Job) -> None:
    """Take back the tick that has not begun. Under the claim's lock, or it may begin between being found and being deleted."""
    tick = job.runs.filter(status=RunStatus.PENDING, scheduled_for__isnull=False, attempt=0, started_at=None)
    # Its row first: whoever brings it forward just now has written a line of its log, which would be left without it.
    list(tick.select_for_update(no_key=True).values_list("pk"))
    tick.delete()


def zone_of(job: Job) -> str:
    """Where the schedule's hours are: its own zone, else its brand's, else the site's."""
    return job.time_zone or (job.brand.time_zone if job.brand else "") or settings.PIPELINE_TIME_ZONE
