"""Whether an upstream account may be used now: it asked us to slow down, it is down, or it is full. Shared by all workers.

Nothing here costs a run a try: it waits, with the reason, and goes on when the account is well again.
"""

import logging
from datetime import datetime, timedelta

from django.db.models import F, QuerySet, Sum
from django.utils import timezone

from . import claims
from .errors import BlockedError, RunError
from .limits import Limit
from .models import ConcurrencyLimit, SourceState, UpstreamRun
from .registry import all_types
from .sources import Source, get_source, known_sources

logger = logging.getLogger(__name__)
DOWN_AFTER = 3  # failed calls in a row
FIRST_PROBE, LAST_PROBE = timedelta(seconds=30), timedelta(minutes=10)
FIRST_SLOW, LAST_SLOW = timedelta(seconds=15), timedelta(minutes=10)


def slow_down(source: str, asked: float | None) -> datetime:
    """Until when the account rests: as long as it asked for, else twice as long each time."""
    at = claims.now()
    state, _ = SourceState.objects.get_or_create(source=source, defaults={"next_poll_at": at})
    rest = timedelta(seconds=asked) if asked else min(FIRST_SLOW * 2 ** min(state.slow_count, 10), LAST_SLOW)
    until = at + rest
    SourceState.objects.filter(pk=state.pk).update(slow_until=until, slow_count=F("slow_count") + 1)
    logger.warning("%s asked us to slow down; it rests until %s.", source, until)
    return until


def note_failure(source: str, message: str) -> bool:
    """One more failed call. True where the upstream counts as down: the run that met it waits instead of failing."""
    at = claims.now()
    state, _ = SourceState.objects.get_or_create(source=source, defaults={"next_poll_at": at})
    SourceState.objects.filter(pk=state.pk).update(failures=F("failures") + 1)
    if state.failures + 1 < DOWN_AFTER:
        return False
    opened = SourceState.objects.filter(pk=state.pk, blocked_until=None).update(
        blocked_until=at + FIRST_PROBE, blocked_reason=message[:500]
    )
    if opened:
        logger.warning("%s counts as down after %s failed calls: %s", source, DOWN_AFTER, message)
    return True


def note_success(source: str) -> None:
    """A call was answered: what was held against the account is forgotten, but for a rest that it asked for and that lasts."""
    troubled = SourceState.objects.filter(source=source).exclude(failures=0, slow_count=0, blocked_until=None)
    if troubled.exclude(slow_until__gt=claims.now()).update(
        failures=0, slow_count=0, slow_until=None, blocked_until=None, blocked_reason=""
    ):
        logger.info("%s answers again.", source)
        claims.wake_workers()


def probe(at: datetime) -> None:
    """Ask each upstream that is down whether it is up again, one worker at a time. Called by heartbeats."""
    for state in _states().filter(blocked_until__lte=at):
        later = min(max((at - (state.polled_at or at)) * 2, FIRST_PROBE), LAST_PROBE)
        if SourceState.objects.filter(pk=state.pk, blocked_until=state.blocked_until).update(blocked_until=at + later):
            try:
                get_source(state.source).ended_since(at)
            except RunError as error:
                logger.info("%s is still down: %s", state.source, error)
            else:
                note_success(state.source)


def stops(at: datetime) -> list[Limit]:
    """The job types whose upstream must be left alone now, with the reason."""
    found = []
    for state in _states().exclude(slow_until=None, blocked_until=None):
        label = get_source(state.source).label
        if state.blocked_until:
            reason = f"{label} is down, next look at {timezone.localtime(state.blocked_until):%H:%M:%S}. {state.blocked_reason}"
        elif state.slow_until and state.slow_until > at:
            reason = f"{label} asked us to slow down; it goes on at {timezone.localtime(state.slow_until):%H:%M:%S}."
        else:
            continue
        found += [Limit(one.name, None, 0, reason) for one in all_types() if one.source == state.source]
    return found


def _states() -> QuerySet[SourceState]:
    """Of the sources that there are: a row whose code is gone must stop nothing."""
    return SourceState.objects.filter(source__in=[source.name for source in known_sources()])


def check_room(source: Source, memory_mb: int) -> None:
    """In the intent's transaction, under the money lock: BlockedError where the account's own limit has no room for one more."""
    rows = UpstreamRun.objects.filter(source=source.name, status__in=UpstreamRun.OPEN)
    for limit in ConcurrencyLimit.objects.filter(source=source.name):
        used = rows.count()
        if used >= limit.max_running:
            raise BlockedError(f"{used} of {limit.max_running} runs at {source.label} are in use.", seconds=10, limited=False)
        memory = rows.aggregate(sum=Sum("memory_mb"))["sum"] or 0
        if limit.max_memory_mb is not None and memory + memory_mb > limit.max_memory_mb:
            raise BlockedError(
                f"{memory:,} of {limit.max_memory_mb:,} MB at {source.label} are in use, and this run needs {memory_mb:,}.",
                seconds=10,
                limited=False,
            )
