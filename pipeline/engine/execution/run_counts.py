"""The counts of a run over all its starts. They are part of what each saved page commits, so no crash loses or repeats any."""

import json
import zlib
from collections import Counter
from collections.abc import Mapping

from ...contract.context import Ingested, PageResult
from ...contract.tally import UNCHANGED, Tally
from ...models import RawPage, Reuse, Run, Step, UpstreamRun


class RunCounts:
    """What is counted while the pages of one upstream run are saved. Begins with what the run has saved so far."""

    def __init__(self, run: Run, upstream: UpstreamRun) -> None:
        self._run, self._step = run, _step(upstream)
        others = UpstreamRun.objects.of_runs([run]).filter(upstream_id__isnull=False).exclude(pk=upstream.pk)
        self.read_before = sum(other.read_offset for other in others)
        sums = dict(Step.objects.filter(run=run, name__in=[self._step, *map(_step, others)]).values_list("name", "result"))
        self._start: Counter[str] = Counter(sums.pop(self._step, {}))
        self._before: Counter[str] = sum(map(Counter, sums.values()), Counter())
        self._tally = Tally()
        pages = RawPage.objects.filter(upstream_run__run=run).order_by("upstream_run", "offset")
        used = Reuse.objects.filter(run=run)
        for rows in (pages, used):
            for became in rows.exclude(upstream_run=upstream).values_list("became", flat=True):
                self._tally.add(_unpacked(became))
        self._tally.next_start()
        for rows in (pages, used):
            for became in rows.filter(upstream_run=upstream).values_list("became", flat=True):
                self._tally.add(_unpacked(became))

    def add(self, page: PageResult) -> None:
        self._start.update(page.counts)
        self._start["duplicate"] += self._tally.add(page.rows)

    def save(self) -> None:
        """In the transaction that saves the page."""
        result = {name: count for name, count in self._start.items() if count}
        Step.objects.update_or_create(run=self._run, name=self._step, defaults={"result": result})

    @property
    def ingested(self) -> Ingested:
        return Ingested(self._before + self._start + Counter(self._tally.counts), +self._start)


def packed(rows: Mapping[str, str]) -> bytes:
    """What became of a page's rows, as RawPage keeps it."""
    return zlib.compress(json.dumps(dict(rows), separators=(",", ":")).encode()) if rows else b""


def merged(stored: bytes | memoryview, rows: Mapping[str, str]) -> bytes:
    """What became of the rows of all pages so far, as Reuse keeps it: `rows` of one more page are added."""
    known = _unpacked(stored)
    return packed(known | {key: became for key, became in rows.items() if known.get(key, UNCHANGED) == UNCHANGED})


def _unpacked(stored: bytes | memoryview) -> dict[str, str]:
    return dict(json.loads(zlib.decompress(stored))) if stored else {}


def _step(upstream: UpstreamRun) -> str:
    return f"landed {upstream.upstream_id}"
