"""Ticks are the runs of a schedule. It has one future tick; the transaction that ends a tick inserts the next."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Max, Q
from django.db.models.functions import Coalesce

from ...contract.registry import find_type
from ...models import Event, Job, Run, RunLog
from ...states import JobStatus, RunStatus
from ..database import now, wake_workers
from ..journal import log, record_event
from . import cadence
from .past import read_past
from .place import insert_run

logger = logging.getLogger(__name__)
OVERTAKE_AFTER = timedelta(days=1)  # a new tick goes behind ticks of its brand and type that are overdue by more than this
MAX_SKIPS_COUNTED = 1000


def insert_next_tick(job: Job, after: datetime, at: datetime) -> Run | None:
    """Insert the one future run of an active recurring job. None if its type or subject is gone, or no time is left: then the
    job is completed.
    """
    handler = find_type(job.job_type)
    if handler is None:
        return None
    try:
        subject = handler.subject(job.brand, job.parameters)
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001  the subject is gone, or the type has a bug: other runs must go on
        words = f"Paused: what it scrapes was not found ({type(error).__name__}: {error}). Fix this, then resume the schedule."
        Job.objects.filter(pk=job.pk).update(status=JobStatus.PAUSED, last_error=words)
        Event.objects.create(kind="switch_off", message=words, job=job)
        logger.warning("%s: %s", job, words)
        return None
    due = next_due(job, subject.key, after, at)
    if due is None:
        if Job.objects.filter(pk=job.pk, status=JobStatus.ACTIVE).update(status=JobStatus.COMPLETED):
            job.status = JobStatus.COMPLETED
        return None
    wake_workers()
    return insert_run(
        job,
        due_at=due.at,
        at=at,
        subject=subject,
        priority=Run.SCHEDULED,
        # Not behind all that are due earlier: several schedules of one brand would push each other back forever.
        ahead=Q(due_at=due.at) | Q(due_at__lt=at - OVERTAKE_AFTER),
        scheduled_for=due.at,
        deadline=due.deadline,
        reuse=Run.Reuse.DONE,
        trigger_source=Job.Trigger.SCHEDULED,
    )


def next_due(job: Job, subject: str, after: datetime, at: datetime) -> cadence.Due | None:
    """When the job's next run after `after` is due. Reads the past only for a cadence that learns from it."""
    expression = job.cron_expression
    handler = find_type(job.job_type)
    past = read_past(job, handler, subject) if handler and cadence.learns(expression) else cadence.Past()
    # A tick that a person ran early does not run again at its own time.
    time = "deadline" if cadence.kind(expression) == cadence.READY else "scheduled_for"
    early = job.runs.filter(**{f"{time}__gt": after}).exclude(status=RunStatus.CANCELLED)
    return cadence.next_due(expression, zone_of(job), after, at, past, set(early.values_list(time, flat=True)))


def reschedule(job: Job) -> None:
    """Move the job's one future run to where its schedule says. In the caller's transaction, under the claim's lock."""
    at = now()
    drop_future_tick(job)
    if (
        job.recurring
        and job.status in (JobStatus.ACTIVE, JobStatus.PAUSED)
        and not job.runs.live().filter(scheduled_for__isnull=False).exists()
    ):
        insert_next_tick(job, at, at)


def drop_future_tick(job: Job) -> None:
    """Delete the tick that has not begun. The caller has the claim's lock, so that no worker can start it meanwhile."""
    tick = job.runs.filter(status=RunStatus.PENDING, scheduled_for__isnull=False, attempt=0, started_at=None)
    # Lock it first: a person who is bringing it forward may just have added a log line, which must be deleted with it.
    list(tick.select_for_update(no_key=True).values_list("pk"))
    tick.delete()


def zone_of(job: Job) -> str:
    """The schedule's time zone: its own, else its brand's, else the site's."""
    return job.time_zone or (job.brand.time_zone if job.brand else "") or settings.PIPELINE_TIME_ZONE


def tell_skipped(tick: Run, job: Job, at: datetime) -> None:
    """Record how many scheduled times passed before this tick ended.

    Counts from the last scheduled time that has a run, or from the last such record or change if that is later.
    """
    told = job.events.filter(kind__in=["skipped", "rescheduled"]).aggregate(at=Max("at"))["at"]
    last = job.runs.aggregate(last=Max(Coalesce("deadline", "scheduled_for")))["last"]
    since = max(filter(None, [last, told]))
    skipped = cadence.count_between(job.cron_expression, zone_of(job), since, at, MAX_SKIPS_COUNTED)
    if skipped and job.status == JobStatus.ACTIVE:
        times = "once more" if skipped == 1 else f"{skipped:,} {'or ' if skipped == MAX_SKIPS_COUNTED else ''}more times"
        those = "That run was" if skipped == 1 else "Those runs were"
        words = f"{job} came due {times} before run {tick.pk} ended. {those} skipped."
        record_event("skipped", words, job=job, run=tick)
        log(tick.pk, words, RunLog.Level.WARNING, at)
