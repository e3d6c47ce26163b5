"""Repairs schedules that have no next run and copies of a pause that are wrong, which should be impossible, and reports it.

Also follows rules, checks on deadlines, orphans and outages, records the end of pauses, wakes incidents, and counts what each day
came to.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial

from django.db import DatabaseError, IntegrityError, transaction

from ....models import Job, Run, SourceState
from ....states import JobStatus
from ...database import CLAIM_LOCK, lock, wake_workers
from ...incidents.days import count_days
from ...journal import warn_and_record
from ...queue.asked.canaries import wake_snoozed
from ...queue.outages import watch_outages
from ...queue.pauses import end_pauses
from ...scheduling.deadlines import watch_deadlines
from ...scheduling.rules import follow_rules
from ...scheduling.ticks import insert_next_tick
from ...upstreams.orphans import settle_orphans

logger = logging.getLogger(__name__)
HEALING_INTERVAL = timedelta(minutes=1)
TURN_ROW = "sweep"  # the SourceState row whose conditional update gives one worker the turn


def heal_if_due(at: datetime) -> None:
    """Repair, if a minute has passed and no other worker has taken this turn."""
    if not SourceState.objects.filter(source=TURN_ROW).exists():
        SourceState.objects.get_or_create(source=TURN_ROW, defaults={"next_poll_at": at})
    if SourceState.objects.filter(source=TURN_ROW, next_poll_at__lte=at).update(next_poll_at=at + HEALING_INTERVAL):
        of_now = (end_pauses, follow_rules, watch_deadlines, watch_outages, wake_snoozed, count_days)
        in_turn([partial(heal_schedules, at), heal_pauses, *(partial(duty, at) for duty in of_now), settle_orphans])


def in_turn(duties: Iterable[Callable[[], object]]) -> None:
    """A fault in one keeps no other from its turn."""
    for duty in duties:
        try:
            duty()
        except DatabaseError:
            raise
        except Exception:
            logger.exception("%s failed. It is called again later.", getattr(duty, "func", duty).__qualname__)


def heal_schedules(at: datetime) -> None:
    """Give every active schedule that has no next run a new one."""
    broken = Job.objects.filter(schedule_type=Job.Schedule.RECURRING, status=JobStatus.ACTIVE).exclude(
        runs__in=Run.objects.live().filter(scheduled_for__isnull=False)
    )
    for job in broken:
        try:
            with transaction.atomic():
                lock(CLAIM_LOCK)
                run = insert_next_tick(job, at, at)
                if run:
                    warn_and_record("healed", f"{job} had no next run. Run {run.pk} was added.", job=job, run=run)
        except IntegrityError:  # it has one by now
            continue
        except Exception:
            logger.exception("The schedule of %s could not be repaired.", job)


def heal_pauses() -> None:
    """Every live run says whether its job is paused: the claim does not look at one that says so."""
    live = Run.objects.live()
    unaware = live.filter(job_paused=False, job__status=JobStatus.PAUSED)
    wrong = live.filter(job_paused=True).exclude(job__status=JobStatus.PAUSED)
    if unaware.exists() or wrong.exists():
        with transaction.atomic():
            lock(CLAIM_LOCK)  # pauses are changed under it
            unaware.update(job_paused=True)
            if freed := wrong.update(job_paused=False):
                logger.warning("%s runs waited for jobs that are not paused. They can start now.", freed)
                wake_workers()
