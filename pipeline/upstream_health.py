"""Whether an upstream account may be used now: it asked us to slow down, is down, is full, or rejects our token. For all workers.

Nothing here costs a run a try: it waits, with the reason, and goes on when the account is well again.
"""

import logging
from datetime import datetime, timedelta

from django.db.models import Count, F, Min, QuerySet, Sum
from django.utils import timezone

from .contract.errors import BlockedError, RunError
from .contract.registry import all_types
from .contract.source import Source, get_source, known_sources, source_label
from .engine.database import now, wake_workers
from .engine.journal import record_event
from .limits import Limit
from .models import ConcurrencyLimit, SourceState, UpstreamRun

logger = logging.getLogger(__name__)
ASK_AGAIN = timedelta(seconds=30)  # an upstream that gave no answer, or has not ended a run past its time-out
DOWN_AFTER = 3  # failed calls in a row
FIRST_PROBE, LAST_PROBE = timedelta(seconds=30), timedelta(minutes=10)
FIRST_SLOW, LAST_SLOW = timedelta(seconds=15), timedelta(minutes=10)
LONGEST_ASKED = 3600.0  # seconds; whoever asks for more is asked again after that


def slow_down(source: str, asked: float | None) -> datetime:
    """Until when the account rests: as long as it asked for, an hour at most, else twice as long each time."""
    at = now()
    state, _ = SourceState.objects.get_or_create(source=source, defaults={"next_poll_at": at})
    rest = timedelta(seconds=min(asked, LONGEST_ASKED)) if asked else min(FIRST_SLOW * 2 ** min(state.slow_count, 10), LAST_SLOW)
    until = at + rest
    SourceState.objects.filter(pk=state.pk).update(slow_until=until, slow_count=F("slow_count") + 1)
    logger.warning("%s asked us to slow down; it rests until %s.", source, until)
    return until


def note_failure(source: str, message: str) -> bool:
    """One more failed call. True where the upstream counts as down: the run that met it waits instead of failing."""
    at = now()
    state, _ = SourceState.objects.get_or_create(source=source, defaults={"next_poll_at": at})
    SourceState.objects.filter(pk=state.pk).update(failures=F("failures") + 1)
    if state.failures + 1 < DOWN_AFTER:
        return False
    _close(state, at, f"{_label(state)} is down: {message}")
    return True


def note_rejection(source: str, message: str) -> None:
    """Our token is not taken. One run has failed of it; the others wait until a probe finds that it is."""
    at = now()
    state, _ = SourceState.objects.get_or_create(source=source, defaults={"next_poll_at": at})
    _close(state, at, message)


def _close(state: SourceState, at: datetime, reason: str) -> None:
    still_open = SourceState.objects.filter(pk=state.pk, blocked_until=None)
    # Looked at just now: probes are the rarer, the longer nobody got through, not the longer nobody had anything to ask.
    if still_open.update(blocked_until=at + FIRST_PROBE, polled_at=at, blocked_reason=reason[:500]):
        words = f"The runs of {_label(state)} wait until a probe succeeds. {reason}"
        record_event("source_closed", words)
        logger.warning(words)


def note_success(source: str) -> None:
    """A call was answered: what was held against the account is forgotten, but for a rest that it asked for and that lasts."""
    troubled = SourceState.objects.filter(source=source).exclude(failures=0, slow_count=0, blocked_until=None)
    closed = troubled.filter(blocked_until__isnull=False).exists()
    if troubled.exclude(slow_until__gt=now()).update(
        failures=0, slow_count=0, slow_until=None, blocked_until=None, blocked_reason=""
    ):
        logger.info("%s answers again.", source_label(source))
        if closed:
            record_event("source_opened", f"{source_label(source)} answers again; its runs go on.")
        wake_workers()


def probe(at: datetime) -> None:
    """Ask each upstream that is down whether it is up again, one worker at a time. Called by heartbeats."""
    for state in _states().filter(blocked_until__lte=at):
        later = min(max((at - (state.polled_at or at)) * 2, FIRST_PROBE), LAST_PROBE)
        if SourceState.objects.filter(pk=state.pk, blocked_until=state.blocked_until).update(blocked_until=at + later):
            try:
                next(iter(get_source(state.source).ended_since(at)), None)
            except RunError as error:
                logger.info("%s is still down: %s", state.source, error)
            else:
                note_success(state.source)


def stops(at: datetime) -> list[Limit]:
    """The job types whose upstream must be left alone now, with the reason."""
    slow = _states().filter(slow_until__gt=at)
    resting = {
        state.source: f"{_label(state)} asked us to slow down; it goes on at {timezone.localtime(state.slow_until):%H:%M:%S}."
        for state in slow
    } | closed_sources()
    full = full_accounts()  # like a pause: what is at work there holds the slots, and must be able to give them back
    return [
        Limit(one.name, None, 0 if one.source in resting else None, resting.get(one.source) or full[one.source])
        for one in all_types()
        if one.source in resting or one.source in full
    ]


def closed_sources() -> dict[str, str]:
    """The sources that are down or reject us, by name, each with the reason and when it is looked at again."""
    return {
        state.source: f"{state.blocked_reason or f'{_label(state)} is down.'}"
        f" Next look at {timezone.localtime(state.blocked_until):%H:%M:%S}."
        for state in _states().filter(blocked_until__isnull=False)
    }


def _label(state: SourceState) -> str:
    return get_source(state.source).label


def _states() -> QuerySet[SourceState]:
    """Of the sources that there are: a row whose code is gone must stop nothing."""
    return SourceState.objects.filter(source__in=[source.name for source in known_sources()])


def check_room(source: Source, memory_mb: int) -> None:
    """In the intent's transaction, under the money lock: BlockedError where the account's own limit has no room for one more."""
    for limit in ConcurrencyLimit.objects.filter(source=source.name):
        if words := _no_room(limit, source.label, memory_mb):
            raise BlockedError(words, seconds=10, limited=False)


def full_accounts() -> dict[str, str]:
    """The sources whose accounts' own limits are reached, by name, with the reason. Only a look: each start is checked again."""
    labels = {source.name: source.label for source in known_sources()}
    limits = ConcurrencyLimit.objects.filter(source__in=labels)
    reasons = {limit.source: _no_room(limit, labels[limit.source]) for limit in limits}
    return {source: words for source, words in reasons.items() if words}


def _no_room(limit: ConcurrencyLimit, label: str, memory_mb: int | None = None) -> str:
    """'' where there is room for a run that needs so much memory; unknown: as much as the smallest one at work."""
    # What is long past its deadline holds nothing any more, whatever became of its run here.
    open_rows = UpstreamRun.objects.filter(source=limit.source, status__in=UpstreamRun.OPEN, deadline__gt=timezone.now())
    used = open_rows.aggregate(runs=Count("pk"), memory=Sum("memory_mb"), least=Min("memory_mb"))
    if not limit.max_running:
        return f"The limit for {label} is 0: nothing starts there until it is raised."
    if used["runs"] >= limit.max_running:
        return f"{used['runs']} of {limit.max_running} runs at {label} are in use."
    needed = memory_mb if memory_mb is not None else used["least"] or 0
    if limit.max_memory_mb is not None and (used["memory"] or 0) + needed > limit.max_memory_mb:
        words = f"{used['memory'] or 0:,} of {limit.max_memory_mb:,} MB at {label} are in use"
        return f"{words}, and this run needs {memory_mb:,}." if memory_mb is not None else f"{words}."
    return ""
