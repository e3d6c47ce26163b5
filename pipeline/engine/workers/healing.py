"""Heals schedules that lost their next run, which should be impossible, and says that it did."""

import logging
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from ...models import Job, Run, SourceState
from ...states import JobStatus
from ..database import CLAIM_LOCK, lock
from ..journal import warn_and_record
from ..scheduling.ticks import insert_next_tick
from ..upstreams.orphans import settle_orphans

logger = logging.getLogger(__name__)
EVERY = timedelta(minutes=1)
TURN = "sweep"  # the row whose conditional update gives one worker the turn


def heal_if_due(at: datetime) -> None:
    """Heal, if a minute has passed and no other worker has taken this turn."""
    if not SourceState.objects.filter(source=TURN).exists():
        SourceState.objects.get_or_create(source=TURN, defaults={"next_poll_at": at})
    if SourceState.objects.filter(source=TURN, next_poll_at__lte=at).update(next_poll_at=at + EVERY):
        heal_schedules(at)
        settle_orphans()


def heal_schedules(at: datetime) -> None:
    """Give every active schedule that has no next run a new one."""
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
