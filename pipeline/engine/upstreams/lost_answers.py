"""What became of a paid start whose answer was lost: found and adopted, never taken, or unknown."""

from datetime import timedelta

from django.conf import settings

from ...contract.errors import BlockedError, PermanentError, SlowDown, TransientError, UnknownStart
from ...contract.source import Order, Seen, Source
from ...models import UpstreamRun
from ..database import now
from ..lifecycle.leased_run import LeasedRun
from . import health
from .ledger import GIVE_UP_AFTER, Status, adopt, close

LOOK_BACK = timedelta(minutes=5)  # our clock and the upstream's may differ


def resolve(leased: LeasedRun, source: Source, order: Order, upstream: UpstreamRun) -> None:
    """The start's answer was lost: ask the upstream what became of it. Adopts, voids, or waits."""
    age = now() - upstream.intent_at
    lag_is_over = age >= timedelta(seconds=settings.PIPELINE_NONE_SECONDS)
    found: list[Seen] | None = None
    try:
        found = possible_starts(source, order, upstream, by_input=lag_is_over)
    except (TransientError, BlockedError, PermanentError) as error:
        trouble = f"{source.label} cannot be asked: {error}"
        if isinstance(error, SlowDown):  # which is said to its whole account, whoever hears it
            health.slow_down(error.source, error.asked)
    else:
        trouble = f"{source.label} has {len(found or [])} runs that could be it."
    if found and len(found) == 1:
        adopt(
            leased, source, order, upstream, found[0], f"Found the run that was started: {found[0].id}. It is not started again."
        )
    elif found == [] and lag_is_over:
        close(leased, upstream, Status.VOID, upstream.message)
        leased.log(f"{source.label} does not have it: the start did not take, and nothing was paid.", "warning")
        if upstream.message:  # it was sent and failed; a crash before sending is nobody's failed try
            raise TransientError(f"{source.label} did not take the start. {upstream.message}")
    elif found == []:
        left = timedelta(seconds=settings.PIPELINE_NONE_SECONDS) - age
        leased.pause(
            min(left, timedelta(seconds=max(2.0, age.total_seconds() / 2))), f"asking {source.label} whether the start took"
        )
    else:
        if age > GIVE_UP_AFTER:
            raise UnknownStart(
                f"{trouble} For a day nobody could say whether the start took. Adopt the right one, or start again."
            )
        with leased.fenced():
            UpstreamRun.objects.filter(pk=upstream.pk).update(status=Status.UNKNOWN)
        leased.pause(
            min(max(age / 4, timedelta(seconds=5)), timedelta(minutes=15)),
            f"{trouble} Asked again later; nothing is started meanwhile.",
        )


def possible_starts(source: Source, order: Order, upstream: UpstreamRun, *, by_input: bool) -> list[Seen]:
    """The upstream's runs that can be this start: the one that bears its tag; else the unowned ones with its input.

    By input only once the list no longer lags: until then ours may be missing from it, and an equal one be somebody else's.
    """
    possible = []
    for seen in source.candidates(order, upstream.intent_at - LOOK_BACK):
        if seen.tag == upstream.tag:
            return [seen]
        if not seen.tag:
            possible.append(seen)
    if not by_input:
        return []
    ids = [seen.id for seen in possible]
    owned = set(UpstreamRun.objects.filter(source=source.name, upstream_id__in=ids).values_list("upstream_id", flat=True))
    return [seen for seen in possible if seen.id not in owned and source.has_input(seen, order)]
