"""Saves the pages of an upstream run, each with its checkpoint, then records the final cost."""

import json
import zlib
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings

from ...contract.context import PageResult
from ...contract.errors import Cancelled, ItemsGone, TransientError
from ...contract.source import Page, Seen, get_source
from ...models import RawPage, RejectedItem, Run, Step, UpstreamRun
from ..database import now
from ..lifecycle.leased_run import LeasedRun
from ..lifecycle.state import cost_so_far
from ..upstreams.health import ASK_AGAIN_AFTER
from ..upstreams.ledger import observe

Land = Callable[[list[Any], int], PageResult]
MAX_REJECTS_KEPT = 1000  # per run; further rejected items are only counted
MAX_SETTLE_TIME = timedelta(minutes=10)  # then the cost stays unsettled, and the estimate counts


def ingest(leased: LeasedRun, upstream: UpstreamRun, land: Land) -> Counter[str]:
    """Save every page that is not saved yet; returns the totals over all pages. Raises Cancelled once a cancelled run is saved.

    After the last page it waits for the upstream's final cost, reads items that came late, and records the cost.
    """
    step = f"landed {upstream.upstream_id}"
    stored = Step.objects.filter(run=leased.run, name=step).values_list("result", flat=True).first()
    totals: Counter[str] = Counter(stored or {})
    if upstream.read_complete:
        return totals
    cost_known = upstream.status != UpstreamRun.Status.GONE  # the last known cost dates from before the end
    items_there = _land_pages(leased, upstream, land, totals, step)
    cost_known = _settle(leased, upstream) and cost_known
    items_there = items_there and _land_pages(leased, upstream, land, totals, step)
    with leased.fenced():
        if not items_there and upstream.status == UpstreamRun.Status.SUCCEEDED:  # a failed start, not an empty result
            upstream.status, upstream.message = UpstreamRun.Status.GONE, "Its items are no longer there."
        if upstream.cost_actual is None and items_there:  # the upstream reports no cost
            upstream.cost_actual = upstream.read_offset * upstream.price_per_item
        upstream.capped = upstream.capped or upstream.read_offset >= upstream.max_items
        UpstreamRun.objects.filter(pk=upstream.pk).update(
            read_complete=True,
            status=upstream.status,
            message=upstream.message,
            cost_settled=cost_known and upstream.cost_actual is not None,
            cost_actual=upstream.cost_actual,
            capped=upstream.capped,
        )
        Run.objects.filter(pk=leased.run.pk).update(cost_actual=cost_so_far(leased.run))
    upstream.read_complete = True
    if leased.cancelling:
        raise Cancelled
    return totals


def keep_rejected(run: Run, upstream: UpstreamRun, offset: int, rejected: list[tuple[str, Any]]) -> None:
    """Store the items of the page at `offset` that could not become rows, with their reasons. The caller has a transaction."""
    RejectedItem.objects.bulk_create(
        RejectedItem(run=run, upstream_run=upstream, offset=offset, reason=reason, item=item) for reason, item in rejected
    )


def _land_pages(leased: LeasedRun, upstream: UpstreamRun, land: Land, totals: Counter[str], step: str) -> bool:
    """Save all pages after the last saved one. False if the upstream no longer has the items."""
    seen = Seen(id=upstream.upstream_id or "", state=upstream.status, extra=upstream.extra)
    try:
        for page in get_source(upstream.source).pages(seen, upstream.read_offset):
            leased.check()
            totals.update(_land_page(leased, upstream, page, land, totals, step).counts)
            upstream.read_offset = page.next_offset
    except ItemsGone as error:
        leased.log(str(error), "warning")
        return False
    return True


def _land_page(leased: LeasedRun, upstream: UpstreamRun, page: Page, land: Land, totals: Counter[str], step: str) -> PageResult:
    text = json.dumps(page.items, ensure_ascii=False, separators=(",", ":"))
    payload = zlib.compress(text.encode(errors="surrogatepass"))  # exactly as received, even half of a surrogate pair
    with leased.fenced():
        result = land(page.items, page.offset)
        RawPage.objects.update_or_create(
            upstream_run=upstream,
            offset=page.offset,
            defaults={"next_offset": page.next_offset, "items": len(page.items), "payload": payload},
        )
        room = max(MAX_REJECTS_KEPT - totals["rejected"], 0)
        keep_rejected(leased.run, upstream, page.offset, result.rejected[:room])
        UpstreamRun.objects.filter(pk=upstream.pk).update(read_offset=page.next_offset)
        so_far = totals + Counter(result.counts)
        Step.objects.update_or_create(run=leased.run, name=step, defaults={"result": dict(so_far)})
        leased.progressed(counts=dict(so_far), progress={"done": page.next_offset, "total": None, "unit": "items"})
    return result


def _settle(leased: LeasedRun, upstream: UpstreamRun) -> bool:
    """The cost of a run that has just ended is preliminary: wait a little, then read it again. False if it could not be read."""
    label = get_source(upstream.source).label
    waiting = f"Waiting for {label}'s final cost."
    settled_at = (upstream.finished_at or now()) + timedelta(seconds=settings.PIPELINE_SETTLE_SECONDS)
    while (left := settled_at - now()) > timedelta(0):
        leased.pause(left, waiting)
        if leased.cancelling:
            break
    while True:
        try:
            observe(leased, upstream)
            return True
        except TransientError as error:
            leased.log(f"{label}'s final cost could not be read: {error}", "warning")
            if now() > settled_at + MAX_SETTLE_TIME:
                return False
        leased.pause(ASK_AGAIN_AFTER, waiting)
