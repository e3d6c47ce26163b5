"""Ingest a run's kept pages again, without asking or paying the upstream: after a parser was mended, rows change for free."""

import json
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from ...contract.context import Context, PageResult
from ...contract.errors import NotAllowed, RunError, TransientError
from ...contract.job_type import Done
from ...contract.parameters import clean_parameters
from ...contract.registry import get_type, version_of
from ...contract.source import Order
from ...models import RawPage, RejectedItem, Run, RunLog, UpstreamRun
from ...states import RUN_ACTIONS
from .. import database
from ..journal import log, record_event
from .ingest import keep_rejected


@dataclass(frozen=True)
class Replayed:
    done: Done
    pages: int


class _NotKept(Exception):
    """Ends a dry run's transaction."""


def replay(run: Run, by: Any = None, *, dry_run: bool = False) -> Replayed:
    """Read the pages again with today's parser, all or nothing. `dry_run` says what would change and changes nothing.

    NotAllowed where the run is not over, kept no page, or a later run has fetched the same since (its rows are newer), and where
    still nothing can be read.
    """
    if run.status not in RUN_ACTIONS["replay"]:
        raise NotAllowed(f"Run {run.pk} is not over yet. Replay it when it has ended.")
    pages = RawPage.objects.filter(upstream_run__run=run).count()
    if not pages:
        raise NotAllowed(f"Run {run.pk} kept no pages, so there is nothing to replay.")
    same = UpstreamRun.objects.filter(run__job_type=run.job_type, run__brand=run.brand, run__subject=run.subject)
    last = same.filter(pages__isnull=False).order_by("finished_at", "pk").last()
    if last and last.run_id != run.pk:  # by its fetching: a Retry may have started anew after a run of a higher number
        raise NotAllowed(
            f"Run {last.run_id} fetched the same later than run {run.pk}. Replay that one, so that older rows do not"
            " replace newer ones."
        )
    handler = get_type(run.job_type)
    done = Done()
    try:
        with transaction.atomic():
            ctx = ReplayContext(run)
            RejectedItem.objects.filter(run=run).delete()
            try:
                done = handler.run(ctx, clean_parameters(handler.Params, run.parameters, run.brand))
            except TransientError as error:  # its upstream run had died: what that left has landed again all the same
                done = Done(summary=str(error))
            except RunError as error:
                raise NotAllowed(str(error)) from error
            if dry_run:
                raise _NotKept
            Run.objects.select_for_update(no_key=True).get(pk=run.pk)  # as whoever writes to its log
            log(run.pk, f"Replayed by {by or 'the system'}, nothing was paid: {done.summary}")
            record_event("replay", f"Run {run.pk} was replayed: {done.summary}", run=run, by=by)
    except _NotKept:
        pass
    return Replayed(done, pages)


class ReplayContext(Context):
    """A context whose upstream is what was kept. It sends nothing, waits for nothing and needs no lease."""

    def __init__(self, run: Run):
        self.run, self.brand = run, run.brand

    def sleep(self, duration: timedelta) -> None: ...

    def step(self, name: str, fn: Callable[[], Any]) -> Any:
        stored = self.run.steps.filter(name=name, version=version_of(self.run.job_type)).first()
        return stored.result if stored else fn()

    def start(self, order: Order, step: str = "start") -> UpstreamRun:
        upstream = UpstreamRun.objects.filter(run=self.run, step=step, pages__isnull=False).order_by("-intent").first()
        if upstream is None:
            raise NotAllowed(f"Run {self.run.pk} kept no pages of its step {step!r}.")
        return upstream

    def wait_for(self, upstream: UpstreamRun) -> UpstreamRun:
        return upstream

    def ingest(self, upstream: UpstreamRun, land: Callable[[list[Any], int], PageResult]) -> Counter[str]:
        totals: Counter[str] = Counter()
        for page in RawPage.objects.filter(upstream_run=upstream).order_by("offset").iterator(chunk_size=1):
            landing = land(json.loads(zlib.decompress(page.payload)), page.offset)
            totals.update(landing.counts)
            keep_rejected(self.run, upstream, page.offset, landing.rejected)
        return totals

    def log(self, message: str, level: str = RunLog.Level.INFO) -> None: ...

    def progress(self, done: int, total: int | None = None, unit: str = "") -> None: ...

    def check(self) -> None: ...

    @property
    def cancelled(self) -> bool:
        return False

    def now(self) -> datetime:
        return database.now()
