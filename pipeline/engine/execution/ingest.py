"""Saves the pages of an upstream run, each with its checkpoint, then records the final cost."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings

from ...contract.context import Ingested, PageResult
from ...contract.errors import Cancelled, ItemsGone, TransientError
from ...contract.source import Page, Seen, get_source
from ...models import RawPage, RejectedItem, Run, UpstreamRun
from ..database import now
from ..lifecycle.leased_run import LeasedRun
from ..lifecycle.state import cost_so_far
from ..upstreams.health import ASK_AGAIN_AFTER
from ..upstreams.ledger import observe
from .raw_pages import Land, compressed, rejecting_unread
from .run_counts import RunCounts, packed

MAX_REJECTS_KEPT = 1000  # per run; further rejected items are only counted
MAX_SETTLE_TIME = timedelta(minutes=10)  # then the cost stays unsettled, and the estimate counts


def ingest(leased: LeasedRun, upstream: UpstreamRun, land: Land) -> Ingested:
    """Save every page that is not saved yet; returns the counts so far. Raises Cancelled once a cancelled run is saved.

    After the last page it waits for the upstream's final cost, reads items that came late, and records the cost.
    """
    counts = RunCounts(leased.run, upstream)
    if upstream.read_complete:
        return counts.ingested
    cost_known = upstream.status != UpstreamRun.Status.GONE  # the last known cost dates from before the end
    items_there = _land_pages(leased, upstream, land, counts)
    cost_known = _settle(leased, upstream) and cost_known
    items_there = items_there and _land_pages(leased, upstream, land, counts)
    with leased.fenced():
        if not items_there and upstream.status == UpstreamRun.Status.SUCCEEDED:  # a failed start, not an empty result
            upstream.status, upstream.message = UpstreamRun.Status.GONE, "Its items are no longer there."
        if upstream.cost_actual is None and items_there:  # the upstream reports no cost
            upstream.cost_actual = upstream.read_offset * upstream.price_per_item
        upstream.capped = upstream.capped or _reached_a_cap(upstream)
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
    return counts.ingested


def record(leased: LeasedRun, upstream: UpstreamRun, page: Page | RawPage, result: PageResult, counts: RunCounts) -> None:
    """Write what became of a saved page to the run: its counts, rejected items and progress. In the transaction that saves it."""
    keep_rejected(leased.run, upstream, page.offset, result.rejected)
    counts.add(result)
    counts.save()
    done = {"done": counts.read_before + page.next_offset, "total": None, "unit": "items"}
    leased.progressed(counts=dict(counts.ingested.run), progress=done)


def _reached_a_cap(upstream: UpstreamRun) -> bool:
    """Also where less than the price of one more item was left."""
    cost = upstream.cost_actual or Decimal(0)
    one_item = max(upstream.price_per_item, cost / upstream.read_offset if upstream.read_offset else Decimal(0))
    return upstream.read_offset >= upstream.max_items or cost + one_item > upstream.cost_cap


def keep_rejected(run: Run, upstream: UpstreamRun, offset: int, rejected: list[tuple[str, Any]]) -> None:
    """Store the items of the page at `offset` that could not become rows, with their reasons, as far as the run has room.

    The caller has a transaction.
    """
    if rejected:
        room = max(MAX_REJECTS_KEPT - RejectedItem.objects.filter(run=run).count(), 0)
        RejectedItem.objects.bulk_create(
            RejectedItem(run=run, upstream_run=upstream, offset=offset, reason=reason, item=item)
            for reason, item in rejected[:room]
        )


def _land_pages(leased: LeasedRun, upstream: UpstreamRun, land: Land, counts: RunCounts) -> bool:
    """Save the pages after the last saved one, up to most_items. False if the upstream no longer has the items."""
    if upstream.endless:
        return True
    seen = Seen(id=upstream.upstream_id or "", state=upstream.status, extra=upstream.extra)
    try:
        for page in get_source(upstream.source).pages(seen, upstream.read_offset):
            leased.check()
            _land_page(leased, upstream, page, land, counts)
            upstream.read_offset = page.next_offset
            if page.next_offset >= upstream.most_items:
                label = get_source(upstream.source).label
                bought = f"{label} sent {upstream.read_offset:,} items, though at most {upstream.max_items:,} were ordered."
                leased.log(f"{bought} No more are read.", "warning")
                break
    except ItemsGone as error:
        leased.log(str(error), "warning")
        return False
    return True


def _land_page(leased: LeasedRun, upstream: UpstreamRun, page: Page, land: Land, counts: RunCounts) -> None:
    payload = compressed(page)
    with leased.fenced():
        result = rejecting_unread(land)(page.items, page.offset)
        RawPage.objects.update_or_create(
            upstream_run=upstream,
            offset=page.offset,
            defaults={
                "next_offset": page.next_offset,
                "items": len(page.items),
                "payload": payload,
                "became": packed(result.rows),
            },
        )
        UpstreamRun.objects.filter(pk=upstream.pk).update(read_offset=page.next_offset)
        record(leased, upstream, page, result, counts)


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
