"""Whether an upstream account may be used now: it asked us to slow down, is down, or rejects our token. For all workers.

Nothing here costs a run a try: it waits, with the reason, and continues when the account is well again.
"""

import logging
from datetime import datetime, timedelta

from django.db.models import F, QuerySet
from django.utils import timezone

from ...contract.errors import RunError
from ...contract.source import get_source, known_sources, source_label
from ...models import SourceState
from ..database import now, wake_workers
from ..journal import record_event

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


def resting(at: datetime) -> dict[str, str]:
    """The sources that must be left alone now, by name, each with the reason."""
    return {
        state.source: f"{_label(state)} asked us to slow down; it goes on at {timezone.localtime(state.slow_until):%H:%M:%S}."
        for state in _states().filter(slow_until__gt=at)
    } | closed_sources()


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
