"""Re-imports a run's downloaded pages without asking or paying the upstream: a parser fix corrects old rows for free."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from ...contract.context import Context, DatasetClock, Ingested, PageResult
from ...contract.errors import STOPS_EVERY_PART, NotAllowed, RunError, TransientError
from ...contract.job_type import Done
from ...contract.parameters import clean_parameters
from ...contract.registry import get_type, version_of
from ...contract.source import Order
from ...contract.tally import Tally
from ...models import RawPage, RejectedItem, Run, RunLog, UpstreamRun
from ...people import require
from ...states import RUN_ACTIONS
from .. import database
from ..journal import log, record_event
from ..lifecycle.state import still_about
from .ingest import keep_rejected
from .raw_pages import rejecting_unread, unpacked

REPLAY = "replay"  # the job type that does it on a worker


@dataclass(frozen=True)
class Replayed:
    done: Done
    pages: int


class _DryRunDone(Exception):
    """Rolls back a dry run's transaction."""


def replay(run: Run, by: Any = None, *, dry_run: bool = False) -> Replayed:
    """Read the pages again with today's parser, all or nothing. `dry_run` returns what would change and changes nothing.

    NotAllowed if the run is not over, has no pages or is not the last that fetched this data, or if its pages cannot be read.
    """
    pages = check_replayable(run, by)
    handler = get_type(run.job_type)
    done = Done()
    try:
        with transaction.atomic():
            ctx = ReplayContext(run)
            RejectedItem.objects.filter(run=run).delete()
            try:
                done = handler.run(ctx, clean_parameters(handler.Params, run.parameters, run.brand))
            except TransientError as error:  # the upstream run had failed; what it left is imported anyway
                done = Done(summary=str(error))
            except RunError as error:
                raise NotAllowed(str(error)) from error
            if dry_run:
                raise _DryRunDone
            Run.objects.select_for_update(no_key=True).get(pk=run.pk)  # log() needs the row locked
            log(run.pk, f"Replayed by {by or 'the system'} at no cost: {done.summary}")
            record_event("replay", f"Run {run.pk} was replayed by {by or 'the system'}: {done.summary}", run=run, by=by)
    except _DryRunDone:
        pass
    return Replayed(done, pages)


def check_replayable(run: Run, by: Any) -> int:
    """The number of pages that a replay reads. NotAllowed as in replay()."""
    require(by, "pipeline.replay_run", run.brand_id)
    if run.status not in RUN_ACTIONS["replay"]:
        raise NotAllowed(f"Run {run.pk} is not over yet. Replay it when it has ended.")
    mine = UpstreamRun.objects.of_runs([run])
    pages: int = RawPage.objects.filter(upstream_run__in=mine).count()
    if not pages:
        raise NotAllowed(f"Run {run.pk} has no downloaded data, so there is nothing to replay.")
    if not still_about(run):
        raise NotAllowed(f"Run {run.pk} fetched data of {run.subject_label}, which is no longer scraped under this name.")
    same = Run.objects.filter(job_type=run.job_type, brand=run.brand, subject=run.subject, about=run.about)
    last = UpstreamRun.objects.of_runs(same).filter(pages__isnull=False).order_by("finished_at", "pk").last()
    if last and not mine.filter(pk=last.pk).exists():  # by fetch time: a Retry may have fetched later than a newer run
        newer = same.filter(Q(upstream_runs=last) | Q(reuses__upstream_run=last)).latest("pk").pk
        raise NotAllowed(
            f"Run {newer} has newer data than run {run.pk}. Replay run {newer} instead, so that old data does not replace new."
        )
    return pages


class ReplayContext(Context):
    """A context that reads stored pages instead of the upstream. It sends nothing, waits for nothing and needs no lease."""

    def __init__(self, run: Run):
        self.run, self.brand = run, run.brand
        self._sums: Counter[str] = Counter()
        self._tally = Tally()

    def sleep(self, duration: timedelta) -> None: ...

    def step(self, name: str, fn: Callable[[], Any]) -> Any:
        stored = self.run.steps.filter(name=name, version=version_of(self.run.job_type)).first()
        return stored.result if stored else fn()

    def start(self, order: Order, step: str = "start") -> UpstreamRun:
        """TransientError for a step that brought nothing, such as one after a start that failed: the others are imported."""
        upstream = self._with_pages(step)
        if upstream is None:
            raise TransientError(f"Run {self.run.pk} has no downloaded data of its step {step!r}.")
        return upstream

    def _with_pages(self, step: str) -> UpstreamRun | None:
        """The data of the step: another run's if it uses that, else that of its own last start that brought any."""
        if reuse := self.run.reuses.filter(step=step, fetched_at__isnull=False, upstream_run__isnull=False).first():
            return reuse.upstream_run
        return self.run.upstream_runs.filter(step=step, pages__isnull=False).order_by("-intent").first()

    def wait_for(self, upstream: UpstreamRun) -> UpstreamRun:
        return upstream

    def ingest(self, upstream: UpstreamRun, land: Callable[[list[Any], int], PageResult]) -> Ingested:
        start: Counter[str] = Counter()
        self._tally.next_start()
        for page in RawPage.objects.filter(upstream_run=upstream).order_by("offset").iterator(chunk_size=1):
            landing = rejecting_unread(land)(unpacked(page.payload), page.offset)
            start.update(landing.counts)
            start["duplicate"] += self._tally.add(landing.rows)
            keep_rejected(self.run, upstream, page.offset, landing.rejected)
        self._sums += start
        return Ingested(self._sums + Counter(self._tally.counts), +start)

    @contextmanager
    def dataset(self, key: str, subject: str | None = None, *, fatal: bool = False) -> Iterator[DatasetClock]:
        """Moves no clock: what is read again is as old as it was."""
        clock = DatasetClock()
        try:
            yield clock
        except RunError as error:
            clock.error = str(error)
            if fatal or isinstance(error, STOPS_EVERY_PART):
                raise

    def log(self, message: str, level: str = RunLog.Level.INFO) -> None: ...

    def progress(self, done: int, total: int | None = None, unit: str = "") -> None: ...

    def check(self) -> None: ...

    @property
    def cancelled(self) -> bool:
        return False

    def now(self) -> datetime:
        return database.now()
