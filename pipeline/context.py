"""What a handler is given: checkpoints, paid starts, waits, ingest, log and progress, all of it fenced by the lease."""

import contextlib
import json
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.db.models import Q
from django.utils.functional import SimpleLazyObject

from . import money, runs, upstream_health, watch
from .engine.database import now
from .engine.journal import log
from .engine.lifecycle.lease import Lease, fenced
from .errors import (
    Cancelled,
    CredentialRejected,
    HandBack,
    ItemsGone,
    LeaseLost,
    Park,
    PermanentError,
    RunError,
    TransientError,
    UpstreamDown,
)
from .landing import storable
from .models import Brand, RawPage, RejectedItem, Run, RunLog, Step, UpstreamRun
from .sources import Order, Page, Seen, get_source

REJECTS_KEPT = 1000  # of one run; the count goes on
ASK_AGAIN = timedelta(seconds=30)  # where the upstream gave no answer, or does not end what is over its time
SETTLE_AGAIN = timedelta(minutes=10)  # for so long the final cost is asked for; then it stays unsettled, and the estimate counts


@dataclass(frozen=True)
class Landing:
    """What became of one page: counts by name, and the items that could not become rows."""

    counts: dict[str, int]
    rejected: list[tuple[str, Any]] = field(default_factory=list)


class Context:
    """One attempt at a run. `blocking`: the caller's own process waits (legacy, direct) instead of parking the run."""

    def __init__(self, run: Run, lease: Lease, *, stopping: Callable[[], bool], blocking: bool = False):
        self.run, self.lease = run, lease
        # Read when it is asked for.
        self.brand = cast("Brand | None", SimpleLazyObject(lambda: run.brand) if run.brand_id else None)
        self.blocking = blocking
        self._stopping = stopping
        self._sleeps = 0
        self.cancelling = run.cancel_requested_at is not None
        if self.cancelling:
            lease.cancel.set()

    # ---- for handlers ----------------------------------------------------------------------------------------------
    def step(self, name: str, fn: Callable[[], Any]) -> Any:
        """The JSON-able result of `fn`, computed once per run: resume and retry get the stored one."""
        stored = Step.objects.filter(run=self.run, name=name).first()
        if stored:
            return stored.result
        self.check()
        if self.cancelling:
            raise Cancelled
        result = fn()
        with self.fenced():
            Step.objects.update_or_create(run=self.run, name=name, defaults={"result": result})
            self.progressed()
        return result

    def start(self, order: Order, step: str = "start") -> UpstreamRun:
        """The upstream run for this order, paid for once however often this is called."""
        self.check()
        return money.ensure_started(self, order, step)

    def wait_for(self, upstream: UpstreamRun) -> UpstreamRun:
        """The upstream run, ended. Meanwhile the run is parked and holds no worker."""
        source = get_source(upstream.source)
        asked_to_abort = False
        while not upstream.ended:
            self.check()
            try:
                if self.cancelling and not asked_to_abort:
                    self._abort(upstream)
                    asked_to_abort = True
                upstream = money.look(self, upstream)
                soon = timedelta(seconds=settings.PIPELINE_POLL_SECONDS)
                pause = soon if self.blocking or self.cancelling else watch.fallback(upstream.source)
            except TransientError as error:  # silence of the upstream is not its run's death
                if isinstance(error, UpstreamDown):
                    upstream_health.note_failure(error.source, str(error))
                if now() > upstream.deadline + money.GIVE_UP:  # nor is it waited for for ever
                    raise PermanentError(
                        f"For a day after its time-out nothing could be learnt of {source.label} run {upstream.upstream_id}."
                        f" {error} Look at it there, then retry."
                    ) from error
                self.log(f"{source.label} cannot be asked just now: {error}", "warning")
                pause = ASK_AGAIN
            if not upstream.ended:
                left = upstream.deadline - now()
                self.pause(min(pause, left) if left > timedelta(0) else ASK_AGAIN, f"at {source.label}")
        return upstream

    def ingest(self, upstream: UpstreamRun, land: Callable[[list[Any], int], Landing]) -> Counter[str]:
        """Land what the upstream run wrote, page by page, each page with its checkpoint in one transaction.

        Returns the totals over all pages, those landed before a crash included. After the last page it waits until the
        upstream's figures have settled, reads what came late, and books the settled cost.
        """
        step = f"landed {upstream.upstream_id}"
        stored = Step.objects.filter(run=self.run, name=step).values_list("result", flat=True).first()
        totals: Counter[str] = Counter(stored or {})
        if upstream.read_complete:
            return totals
        known = upstream.status != UpstreamRun.Status.GONE  # else its last figures are of before its end
        there = self._land_pages(upstream, land, totals, step)
        known = self._settle(upstream) and known
        there = there and self._land_pages(upstream, land, totals, step)
        with self.fenced():
            if not there and upstream.status == UpstreamRun.Status.SUCCEEDED:  # a dead start, then, and not an empty result
                upstream.status, upstream.message = UpstreamRun.Status.GONE, "Its items are no longer there."
            if upstream.cost_actual is None and there:  # the upstream names no figure
                upstream.cost_actual = upstream.read_offset * upstream.price_per_item
            upstream.capped = upstream.capped or upstream.read_offset >= upstream.max_items
            UpstreamRun.objects.filter(pk=upstream.pk).update(
                read_complete=True,
                status=upstream.status,
                message=upstream.message,
                cost_settled=known and upstream.cost_actual is not None,
                cost_actual=upstream.cost_actual,
                capped=upstream.capped,
            )
            Run.objects.filter(pk=self.run.pk).update(cost_actual=runs.spent(self.run))
        upstream.read_complete = True
        if self.cancelling:
            raise Cancelled
        return totals

    def sleep(self, duration: timedelta) -> None:
        """Go on after `duration`; holds no worker meanwhile. The n-th sleep of a run is one checkpoint."""
        self._sleeps += 1
        until = datetime.fromisoformat(self.step(f"sleep {self._sleeps}", lambda: (now() + duration).isoformat()))
        while (left := until - now()) > timedelta(0):
            self.check()
            if self.cancelling:
                raise Cancelled
            self.pause(left, "sleeping")

    def log(self, message: str, level: str = RunLog.Level.INFO) -> None:
        with self.fenced():
            self.write_log(message, level)

    def progress(self, done: int, total: int | None = None, unit: str = "") -> None:
        """What the page shows while it runs."""
        with self.fenced():
            Run.objects.filter(pk=self.run.pk).update(progress={"done": done, "total": total, "unit": unit})

    @property
    def cancelled(self) -> bool:
        return self.lease.cancel.is_set()

    def now(self) -> datetime:
        return now()

    # ---- for the engine --------------------------------------------------------------------------------------------
    @contextmanager
    def fenced(self) -> Iterator[Run]:
        """A transaction that only the holder of the lease can make."""
        with fenced(self.lease) as (run, _):
            if run.cancel_requested_at:
                self.lease.cancel.set()
            yield run

    def check(self) -> None:
        """Leave here if the lease is gone or the worker stops; notice a cancel."""
        if self.lease.lost.is_set():
            raise LeaseLost
        if self._stopping():
            raise HandBack
        if self.lease.cancel.is_set():
            self.cancelling = True

    def pause(self, duration: timedelta, reason: str) -> None:
        """Park until then, or (blocking) wait here. Returns only in the blocking case."""
        if not self.blocking:
            raise Park(now() + duration, reason)
        end, cancelling_before = time.monotonic() + duration.total_seconds(), self.cancelling
        while (left := end - time.monotonic()) > 0:
            self.check()
            if self.cancelling and not cancelling_before:
                return
            self.lease.lost.wait(min(left, 0.5))

    def abort_upstream(self) -> None:
        """Ask for the end of all that works upstream for this run. TransientError where the upstream does not answer."""
        for upstream in UpstreamRun.objects.filter(run=self.run, status=UpstreamRun.Status.RUNNING):
            given_up = now() > upstream.deadline + money.GIVE_UP
            with contextlib.suppress(RunError) if given_up else contextlib.nullcontext():  # nor is its end waited for for ever
                self._abort(upstream)

    def _abort(self, upstream: UpstreamRun) -> None:
        source = get_source(upstream.source)
        try:
            source.abort(upstream.upstream_id or "")
        except CredentialRejected:
            raise
        except PermanentError:  # one that is not there any more: the next look finds that out
            return
        self.log(f"Cancelling: asked {source.label} to end its run.")

    def write_log(self, message: str, level: str = RunLog.Level.INFO) -> None:
        """Within an open fenced transaction."""
        log(self.run.pk, message, level)

    def keep_rejected(self, upstream: UpstreamRun, offset: int, rejected: list[tuple[str, Any]]) -> None:
        """What could not become rows of the page that begins at `offset`, each with its reason. Within an open transaction."""
        RejectedItem.objects.bulk_create(
            RejectedItem(run=self.run, upstream_run=upstream, offset=offset, reason=reason[:200], item=storable(item))
            for reason, item in rejected
        )

    def progressed(self) -> None:
        """A step or page is committed: earlier deaths no longer count towards poison, nor waits towards a failed try."""
        stuck = Q(recoveries__gt=0) | Q(blocked_since__isnull=False)
        Run.objects.filter(stuck, pk=self.run.pk).update(recoveries=0, blocked_since=None)

    def pages(self, upstream: UpstreamRun) -> Iterator[Page]:
        """Raw pages from where the last landed one ended."""
        seen = Seen(id=upstream.upstream_id or "", state=upstream.status, extra=upstream.extra)
        return get_source(upstream.source).pages(seen, upstream.read_offset)

    def _land_pages(
        self, upstream: UpstreamRun, land: Callable[[list[Any], int], Landing], totals: Counter[str], step: str
    ) -> bool:
        """False where the upstream no longer has the items."""
        try:
            for page in self.pages(upstream):
                self.check()
                landing = self._land_page(upstream, page, land, totals, step)
                totals.update(landing.counts)
                upstream.read_offset = page.next_offset
        except ItemsGone as error:
            self.log(str(error), "warning")
            return False
        return True

    def _land_page(
        self, upstream: UpstreamRun, page: Page, land: Callable[[list[Any], int], Landing], totals: Counter[str], step: str
    ) -> Landing:
        text = json.dumps(page.items, ensure_ascii=False, separators=(",", ":"))
        payload = zlib.compress(text.encode(errors="surrogatepass"))  # as it came, half a surrogate pair too; json.loads takes it
        with self.fenced():
            landing = land(page.items, page.offset)
            RawPage.objects.update_or_create(
                upstream_run=upstream,
                offset=page.offset,
                defaults={"next_offset": page.next_offset, "items": len(page.items), "payload": payload},
            )
            room = max(REJECTS_KEPT - totals["rejected"], 0)
            self.keep_rejected(upstream, page.offset, landing.rejected[:room])
            UpstreamRun.objects.filter(pk=upstream.pk).update(read_offset=page.next_offset)
            sum_ = totals + Counter(landing.counts)
            Step.objects.update_or_create(run=self.run, name=step, defaults={"result": dict(sum_)})
            Run.objects.filter(pk=self.run.pk).update(
                counts=dict(sum_),
                progress={"done": page.next_offset, "total": None, "unit": "items"},
                recoveries=0,
                blocked_since=None,
            )
        return landing

    def _settle(self, upstream: UpstreamRun) -> bool:
        """Counts and costs of a run that has just ended are preliminary: wait a little, then look again. Whether that went."""
        settled_at = (upstream.finished_at or now()) + timedelta(seconds=settings.PIPELINE_SETTLE_SECONDS)
        while (left := settled_at - now()) > timedelta(0):
            self.pause(left, "waiting for the final figures")
            if self.cancelling:
                break
        while True:
            try:
                money.look(self, upstream)
                return True
            except TransientError as error:
                self.log(f"The final cost could not be read: {error}", "warning")
                if now() > settled_at + SETTLE_AGAIN:
                    return False
            self.pause(ASK_AGAIN, "waiting for the final figures")
