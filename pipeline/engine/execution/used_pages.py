"""Saves the kept pages of another run's scrape for a run that uses it, page by page, each with its checkpoint. Free."""

from ...contract.context import Ingested
from ...contract.errors import TransientError
from ...models import RawPage, Reuse, UpstreamRun
from ..lifecycle.leased_run import LeasedRun
from .ingest import record
from .raw_pages import Land, rejecting_unread, unpacked
from .run_counts import RunCounts, merged


def use_pages(leased: LeasedRun, upstream: UpstreamRun, land: Land) -> Ingested:
    """Save every kept page that this run has not saved yet; returns the counts so far. Asks and pays nobody."""
    reuse = Reuse.objects.get(run=leased.run, upstream_run=upstream)
    counts = RunCounts(leased.run, upstream)
    while page := RawPage.objects.filter(upstream_run=upstream, offset=reuse.read_offset).first():
        leased.check_not_cancelled()
        _land(leased, reuse, page, land, counts)
    if reuse.read_offset < upstream.read_offset:  # deleted meanwhile
        with leased.fenced():
            Reuse.objects.filter(pk=reuse.pk).delete()
        raise TransientError("The data of the other run's scrape is no longer there. The next try has a scrape of its own.")
    return counts.ingested


def _land(leased: LeasedRun, reuse: Reuse, page: RawPage, land: Land, counts: RunCounts) -> None:
    items = unpacked(page.payload)
    with leased.fenced():
        result = rejecting_unread(land)(items, page.offset)
        reuse.read_offset, reuse.became = page.next_offset, merged(reuse.became, result.rows)
        reuse.save(update_fields=["read_offset", "became"])
        record(leased, page.upstream_run, page, result, counts)
