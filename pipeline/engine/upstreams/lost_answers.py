"""A paid start whose answer was lost: its run is found and adopted, or was never started, or it stays unknown.

After a restore, all answers since the backup are lost, and the rows too.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Min

from ...contract.errors import BlockedError, PermanentError, SlowDown, TransientError, UnknownStart
from ...contract.source import Order, Seen, Source
from ...models import Restore, Run, UpstreamRun
from ..database import now
from ..lifecycle.leased_run import LeasedRun
from . import health
from .ledger import GIVE_UP_AFTER, MAX_CLOCK_DIFFERENCE, Status, adopt, close, fingerprint

SINCE = "since"  # in `extra` of a row that stands for what was started since a backup, with whatever tag


def lost_since(run: Run, last: UpstreamRun | None) -> datetime | None:
    """Since when restores may have lost a start of this step, if the upstream has not been asked since the newest of them.

    Of several, the oldest backup counts: a start that the first restore lost is not in the backup of the second one either.
    """
    if run.reuse == Run.Reuse.ONLY:
        return None
    known = max(run.created_at, last.intent_at) if last else run.created_at
    return Restore.objects.filter(at__gt=known).aggregate(since=Min("taken_at"))["since"]


def resolve(leased: LeasedRun, source: Source, order: Order, upstream: UpstreamRun) -> None:
    """Ask the upstream what became of the start. Adopts its run, closes the row as never started, or waits."""
    age = now() - upstream.intent_at
    lag_is_over = age >= timedelta(seconds=settings.PIPELINE_NONE_SECONDS)
    found: list[Seen] | None = None
    try:
        found = possible_starts(source, order, upstream, by_input=lag_is_over)
    except (TransientError, BlockedError, PermanentError) as error:
        trouble = f"{source.label} could not be asked: {error}"
        if isinstance(error, SlowDown):  # the whole account must slow down
            health.slow_down(error.source, error.asked)
    else:
        trouble = f"{source.label} has {len(found or [])} runs that could be this one."
    same_order = fingerprint(order) == upstream.fingerprint
    if found and len(found) == 1 and (same_order or found[0].tag == upstream.tag):
        adopt(
            leased, source, order, upstream, found[0], f"{source.label} did start the run: {found[0].id}. Nothing is paid twice."
        )
    elif found == [] and lag_is_over:
        close(leased, upstream, Status.VOID, upstream.message)
        leased.log(f"{source.label} did not start the run. Nothing was paid.", "warning")
        if upstream.message:  # it was sent and failed; a crash before sending costs no try
            raise TransientError(f"{source.label} did not start the run. {upstream.message}")
    elif found == []:
        left = timedelta(seconds=settings.PIPELINE_NONE_SECONDS) - age
        leased.pause(
            min(left, timedelta(seconds=max(2.0, age.total_seconds() / 2))), f"Asking {source.label} whether the run started."
        )
    else:
        if age > GIVE_UP_AFTER:
            raise UnknownStart(
                f"{trouble} After a day it is still unknown whether the run started. Enter the ID of the right run, or start"
                " again."
            )
        with leased.fenced():
            UpstreamRun.objects.filter(pk=upstream.pk).update(status=Status.UNKNOWN)
        leased.pause(
            min(max(age / 4, timedelta(seconds=5)), timedelta(minutes=15)),
            f"{trouble} Asking again later. Nothing new is started until then.",
        )


def possible_starts(source: Source, order: Order, upstream: UpstreamRun, *, by_input: bool) -> list[Seen]:
    """The upstream's runs that may be this start: the one with its tag, else those with its input that no run of ours owns.

    Input is compared only when the list can no longer lag. Until then our run may be missing from it, and an equal run may be
    somebody else's.
    """
    possible = []
    recorded = replace(order, actor=upstream.actor)  # which newer code may have changed
    restored = SINCE in upstream.extra
    since = datetime.fromisoformat(upstream.extra[SINCE]) if restored else upstream.intent_at
    for seen in source.candidates(recorded, since - MAX_CLOCK_DIFFERENCE):
        if seen.tag == upstream.tag:
            return [seen]
        if restored or not seen.tag:
            possible.append(seen)
    if not by_input:
        return []
    ids = [seen.id for seen in possible]
    owned = set(UpstreamRun.objects.filter(source=source.name, upstream_id__in=ids).values_list("upstream_id", flat=True))
    unowned = [seen for seen in possible if seen.id not in owned]
    if fingerprint(order) != upstream.fingerprint:  # newer code asks for something else: any of them may be the one
        return unowned
    return [seen for seen in unowned if source.has_input(seen, order)]
