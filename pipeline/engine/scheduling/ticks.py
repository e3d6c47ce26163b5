"""A schedule's one future run. Nothing polls cron: the transaction that ends a tick inserts the next one."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Max, Q

from ...contract.registry import find_type
from ...models import Event, Job, Run, RunLog
from ...states import JobStatus, RunStatus
from ..database import wake_workers
from ..journal import log, record_event
from . import cron
from .place import insert_run

logger = logging.getLogger(__name__)
OVERTAKE_AFTER = timedelta(days=1)  # a tick that still waits after so long is not overtaken by the next ticks of its own line
SKIPS_COUNTED = 1000


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
    times = cron.next_times(job.cron_expression, zone_of(job), after, len(taken) + 1)
    time = next((time for time in times if time not in taken), None)
    if time is None:
        return None
    wake_workers()
    return insert_run(
        job,
        due_at=time,
        at=at,
        subject=subject,
        priority=Run.SCHEDULED,
        # Behind all that are due before it, each tick of a brand with several schedules would stand further back than the last,
        # though none was ever late: there is always one of them in line.
        ahead=Q(due_at=time) | Q(due_at__lt=at - OVERTAKE_AFTER),
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


def tell_skipped(tick: Run, job: Job, at: datetime) -> None:
    """How often its schedule came due while it was at work, since that was last told or the schedule was another."""
    told = job.events.filter(kind__in=["skipped", "rescheduled"]).aggregate(at=Max("at"))["at"]
    since = max(filter(None, [job.runs.aggregate(last=Max("scheduled_for"))["last"], told]))
    skipped = cron.count_between(job.cron_expression, zone_of(job), since, at, SKIPS_COUNTED)
    if skipped and job.status == JobStatus.ACTIVE:
        times = "once more" if skipped == 1 else f"{skipped:,} {'or ' if skipped == SKIPS_COUNTED else ''}more times"
        words = f"{job} came due {times} before run {tick.pk} was over. That is skipped and not made up for."
        record_event("skipped", words, job=job, run=tick)
        log(tick.pk, words, RunLog.Level.WARNING, at)
