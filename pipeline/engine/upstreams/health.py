"""Which upstream accounts must be left alone: they asked us to slow down, are down, or reject our token. For all workers.

The other runs of such an account spend no try: they wait, show the reason, and continue when the account works again.
"""

import logging
from datetime import datetime, timedelta

from django.db.models import F, QuerySet

from ...contract.errors import RunError
from ...contract.source import get_upstream, known_upstreams, source_label
from ...models import SourceState
from ...words import to_the_second
from ..database import now, wake_workers
from ..journal import record_event

logger = logging.getLogger(__name__)
ASK_AGAIN_AFTER = timedelta(seconds=30)  # when an upstream gave no answer, or has not stopped a run past its time limit
FAILURES_UNTIL_DOWN = 3  # in a row
MIN_PROBE_PAUSE, MAX_PROBE_PAUSE = timedelta(seconds=30), timedelta(minutes=10)
MIN_REST, MAX_REST = timedelta(seconds=15), timedelta(minutes=10)
MAX_REQUESTED_REST = 3600.0  # seconds; an upstream that asks for more is asked again after this


def slow_down(source: str, asked: float | None) -> datetime:
    """Let the account rest; returns until when. As long as it asked for, at most an hour; else twice as long each time."""
    at = now()
    state, _ = SourceState.objects.get_or_create(source=source, defaults={"next_poll_at": at})
    growing = min(MIN_REST * 2 ** min(state.slow_count, 10), MAX_REST)
    until = at + (timedelta(seconds=min(asked, MAX_REQUESTED_REST)) if asked else growing)
    SourceState.objects.filter(pk=state.pk).update(slow_until=until, slow_count=F("slow_count") + 1)
    logger.warning("%s asked us to slow down. Its runs wait until %s.", source_label(source), until)
    return until


def note_failure(source: str, message: str) -> bool:
    """Count a failed call. True if the upstream now counts as down: the run then waits instead of failing."""
    at = now()
    state, _ = SourceState.objects.get_or_create(source=source, defaults={"next_poll_at": at})
    SourceState.objects.filter(pk=state.pk).update(failures=F("failures") + 1)
    if state.failures + 1 < FAILURES_UNTIL_DOWN:
        return False
    _close(state, at, f"{_label(state)} is down: {message}")
    return True


def note_rejection(source: str, message: str) -> None:
    """The upstream rejects our token. The run that found out fails; the others wait until a probe succeeds."""
    at = now()
    state, _ = SourceState.objects.get_or_create(source=source, defaults={"next_poll_at": at})
    _close(state, at, message)


def _close(state: SourceState, at: datetime, reason: str) -> None:
    still_open = SourceState.objects.filter(pk=state.pk, blocked_until=None)
    # The pause between probes grows with the time since polled_at: set it, so that idle time before the outage does not count.
    if still_open.update(blocked_until=at + MIN_PROBE_PAUSE, polled_at=at, blocked_reason=reason):
        words = f"All {_label(state)} runs wait until a test request succeeds. {reason}"
        record_event("source_closed", words)
        logger.warning(words)


def note_success(source: str) -> None:
    """A call succeeded: clear the account's failures. A rest that it asked for still lasts its full time."""
    troubled = SourceState.objects.filter(source=source).exclude(failures=0, slow_count=0, blocked_until=None)
    closed = troubled.filter(blocked_until__isnull=False).exists()
    if troubled.exclude(slow_until__gt=now()).update(
        failures=0, slow_count=0, slow_until=None, blocked_until=None, blocked_reason=""
    ):
        logger.info("%s answers again.", source_label(source))
        if closed:
            record_event("source_opened", f"{source_label(source)} answers again; its runs continue.")
        wake_workers()


def probe(at: datetime) -> None:
    """Ask each upstream that is down whether it is up again, one worker at a time. Called by the housekeeping threads."""
    for state in _states().filter(blocked_until__lte=at):
        later = min(max((at - (state.polled_at or at)) * 2, MIN_PROBE_PAUSE), MAX_PROBE_PAUSE)
        if SourceState.objects.filter(pk=state.pk, blocked_until=state.blocked_until).update(blocked_until=at + later):
            try:
                get_upstream(state.source).probe()
            except RunError as error:
                logger.info("%s is still down: %s", _label(state), error)
            else:
                note_success(state.source)


def resting(at: datetime) -> dict[str, str]:
    """The upstream accounts that must be left alone now, by source name, each with the reason."""
    return {
        state.source: f"{_label(state)} asked us to slow down. Runs continue at {to_the_second(state.slow_until)}."
        for state in _states().filter(slow_until__gt=at)
    } | closed_sources()


def closed_sources() -> dict[str, str]:
    """The upstream accounts that are down or reject us, by source name, each with the reason and the time of the next probe."""
    return {
        state.source: f"{state.blocked_reason or f'{_label(state)} is down.'} Next check at {to_the_second(state.blocked_until)}."
        for state in _states().filter(blocked_until__isnull=False)
    }


def _label(state: SourceState) -> str:
    return source_label(state.source)


def _states() -> QuerySet[SourceState]:
    """Rows of known upstreams only: a row whose upstream's code is gone must stop nothing."""
    return SourceState.objects.filter(source__in=[upstream.name for upstream in known_upstreams()])
