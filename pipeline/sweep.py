"""Heals what should be impossible, and says that it did. Run by heartbeats, one worker at a time, once a minute."""

import logging
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from . import money
from .contract.errors import RunError
from .contract.source import get_source, source_label
from .engine.database import CLAIM_LOCK, lock
from .engine.journal import warn_and_record
from .engine.scheduling.ticks import insert_next_tick
from .models import Job, Run, SourceState, UpstreamRun
from .states import TERMINAL, JobStatus

logger = logging.getLogger(__name__)
EVERY = timedelta(minutes=1)
LOOKED_AT = 20  # upstream runs without a run of ours, in one sweep
TURN = "sweep"  # the row whose conditional update gives one worker the turn


def sweep_if_due(at: datetime) -> None:
    """The sweep, if a minute has passed and nobody else has taken this one."""
    if not SourceState.objects.filter(source=TURN).exists():
        SourceState.objects.get_or_create(source=TURN, defaults={"next_poll_at": at})
    if SourceState.objects.filter(source=TURN, next_poll_at__lte=at).update(next_poll_at=at + EVERY):
        sweep(at)


def sweep(at: datetime) -> None:
    """Every active schedule has its future run again; every upstream run that outlived ours is looked at and said."""
    resting = Job.objects.filter(schedule_type=Job.Schedule.RECURRING, status=JobStatus.ACTIVE).exclude(
        runs__in=Run.objects.live().filter(scheduled_for__isnull=False)
    )
    for job in resting:
        try:
            with transaction.atomic():
                lock(CLAIM_LOCK)
                run = insert_next_tick(job, at, at)
                if run:
                    warn_and_record("healed", f"{job} had no next run. Run {run.pk} was inserted for it.", job=job, run=run)
        except IntegrityError:  # it has one by now
            continue
        except Exception:
            logger.exception("%s could not be healed; the others are.", job)
    orphans = UpstreamRun.objects.filter(status=UpstreamRun.Status.RUNNING, run__status__in=TERMINAL)
    for orphan in orphans.order_by("?")[:LOOKED_AT]:
        _look_at(orphan)


def _look_at(orphan: UpstreamRun) -> None:
    """It costs money and holds a slot of its account until it has ended, which nobody else would notice."""
    try:
        seen = get_source(orphan.source).look(orphan.upstream_id or "")
    except (RunError, KeyError) as error:
        logger.info("%s could not be looked at: %s", orphan, error)
    else:
        if seen.ended:
            still = UpstreamRun.objects.filter(pk=orphan.pk, status=UpstreamRun.Status.RUNNING, run__status__in=TERMINAL)
            if still.update(**money.record(orphan, seen, seen.state)):
                logger.info("%s has ended since its run was over.", orphan)
            return
    if not orphan.run.events.filter(kind="orphan").exists():
        label = source_label(orphan.source)
        warn_and_record(
            "orphan",
            f"Run {orphan.run_id} is over, but {label} run {orphan.upstream_id} was still running when last seen."
            f" Retry run {orphan.run_id} to go on with it, or end it at {label}: the page of the run has both.",
            run=orphan.run,
        )
