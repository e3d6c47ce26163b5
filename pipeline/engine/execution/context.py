"""What a handler is given on a worker, and in legacy and direct mode: everything it writes is fenced by the lease."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from ...contract.context import Context, DatasetClock, Ingested
from ...contract.errors import (
    STOPS_EVERY_PART,
    BlockedError,
    CredentialRejected,
    Park,
    PermanentError,
    RunError,
    TransientError,
    UpstreamDown,
)
from ...contract.registry import get_type, version_of
from ...contract.source import Order, get_source
from ...models import Run, RunLog, Step, UpstreamRun
from .. import database
from ..lifecycle import freshness
from ..lifecycle.lease import Lease
from ..lifecycle.leased_run import LeasedRun
from ..lifecycle.state import brand_of
from ..upstreams import health
from ..upstreams.health import ASK_AGAIN_AFTER
from ..upstreams.ledger import GIVE_UP_AFTER, observe
from ..upstreams.paid_starts import ensure_started
from ..upstreams.watch import fallback
from .ingest import Land, ingest
from .prices import due_for_start
from .used_pages import use_pages

LONGEST_NAME = 100  # characters of a step's name
SLEEPS = "Waiting before its next step."


class WorkerContext(LeasedRun, Context):
    """One attempt at a run. Instead of waiting it parks the run. With `waits_here` it waits in place."""

    def __init__(self, run: Run, lease: Lease, *, stopping: Callable[[], bool], waits_here: bool = False):
        super().__init__(run, lease, stopping=stopping, waits_here=waits_here)
        self.brand = brand_of(run)
        self._sleeps = 0

    def step(self, name: str, fn: Callable[[], Any]) -> Any:
        _check_name(name)
        version = version_of(self.run.job_type)
        stored = Step.objects.filter(run=self.run, name=name).first()
        if stored and stored.version == version:
            return stored.result
        result = self._checkpoint(name, fn, version)
        if stored:
            self.log(
                f"Step {name!r} was repeated: version {stored.version} of this job type's code recorded it, this is {version}."
            )
        return result

    def _checkpoint(self, name: str, fn: Callable[[], Any], version: int) -> Any:
        self.check_not_cancelled()
        result = fn()
        with self.fenced():
            Step.objects.update_or_create(run=self.run, name=name, defaults={"result": result, "version": version})
            self.progressed()
        return result

    def start(self, order: Order, step: str = "start") -> UpstreamRun:
        self.check()
        _check_name(step)
        due_for_start(order.source, order.actor)
        return ensure_started(self, order, step)

    def wait_for(self, upstream: UpstreamRun) -> UpstreamRun:
        source = get_source(upstream.source)
        asked_to_abort = False
        while not upstream.ended:
            self.check()
            try:
                if self.cancelling and not asked_to_abort:
                    self._abort(upstream)
                    asked_to_abort = True
                upstream = observe(self, upstream)
                soon = timedelta(seconds=settings.PIPELINE_POLL_SECONDS)
                pause = soon if self.waits_here or self.cancelling else fallback(upstream.source)
            except TransientError as error:  # an upstream that does not answer may still be running it
                if isinstance(error, UpstreamDown):
                    health.note_failure(error.source, str(error))
                if self.now() > upstream.deadline + GIVE_UP_AFTER:
                    raise PermanentError(
                        f"{source.label} run {upstream.upstream_id} could not be read for a day after its time limit. {error}"
                        f" Check it at {source.label}, then retry."
                    ) from error
                self.log(f"{source.label} gave no usable answer. Trying again: {error}", "warning")
                pause = ASK_AGAIN_AFTER
            if not upstream.ended:
                left = upstream.deadline - self.now()
                self.pause(min(pause, left) if left > timedelta(0) else ASK_AGAIN_AFTER, f"Waiting for {source.label}.")
        return upstream

    def ingest(self, upstream: UpstreamRun, land: Land) -> Ingested:
        own = upstream.run_id == self.run.pk
        return ingest(self, upstream, land) if own else use_pages(self, upstream, land)

    def sleep(self, duration: timedelta) -> None:
        self._sleeps += 1
        name = f"sleep {self._sleeps}"
        stored = Step.objects.filter(run=self.run, name=name).first()  # a sleep is the engine's own step, so any version will do
        if stored is None and not self.waits_here and duration > timedelta(0):
            self.check_not_cancelled()
            raise Park(self.now() + duration, SLEEPS, step=name)
        version = version_of(self.run.job_type)
        end = stored.result if stored else self._checkpoint(name, lambda: (self.now() + duration).isoformat(), version)
        until = datetime.fromisoformat(str(end))
        while (left := until - self.now()) > timedelta(0):
            self.check_not_cancelled()
            self.pause(left, SLEEPS)

    @contextlib.contextmanager
    def dataset(self, key: str, subject: str | None = None, *, fatal: bool = False) -> Iterator[DatasetClock]:
        handler = get_type(self.run.job_type)
        if key not in handler.own_clocks:
            raise ValueError(f"Dataset {key!r} is not one of the own_clocks of job type {handler.name!r}.")
        about = self.run.subject if subject is None else subject
        step = f"dataset {key} {about}".strip()
        _check_name(step)
        self.check()
        stored = Step.objects.filter(run=self.run, name=step, version=handler.version).first()
        clock = DatasetClock(done=True, records=stored.result["records"]) if stored else DatasetClock()
        if not clock.done:
            with self.fenced() as run:
                freshness.begin_part(run, key, about, self.now())
        try:
            yield clock
        except BlockedError:
            raise
        except RunError as error:
            clock.error = str(error)
            with self.fenced() as run:
                freshness.fail_part(run, key, about, clock.error)
            if fatal or self.cancelled or isinstance(error, STOPS_EVERY_PART):
                raise
            if isinstance(error, UpstreamDown):
                health.note_failure(error.source, clock.error)
            self.log(f"{handler.datasets[key]} not refreshed: {clock.error} The run goes on.", RunLog.Level.WARNING)
            return
        if clock.done:
            return
        with self.fenced() as run:
            fetched_at = freshness.as_of(run, self.now())
            if clock.doubt:
                freshness.doubt_part(run, key, about, fetched_at, clock.records, clock.doubt)
            else:
                freshness.complete_part(run, key, about, fetched_at, clock.records)
                result = {"records": clock.records}
                Step.objects.update_or_create(run=run, name=step, defaults={"result": result, "version": handler.version})
            self.progressed()

    @property
    def cancelled(self) -> bool:
        return self.lease.cancel.is_set()

    def now(self) -> datetime:
        return database.now()

    def abort_upstream(self) -> None:
        """Ask the upstream to stop every upstream run of this run. TransientError if it does not answer."""
        for upstream in UpstreamRun.objects.filter(run=self.run, status=UpstreamRun.Status.RUNNING):
            given_up = self.now() > upstream.deadline + GIVE_UP_AFTER
            with contextlib.suppress(RunError) if given_up else contextlib.nullcontext():
                self._abort(upstream)

    def _abort(self, upstream: UpstreamRun) -> None:
        source = get_source(upstream.source)
        try:
            source.abort(upstream.upstream_id or "")
        except CredentialRejected:
            raise
        except PermanentError:  # the upstream no longer has the run: the next poll notices
            return
        asked = f"Cancelling: asked {source.label} to stop its run."
        if not self.run.logs.filter(message=asked).exists():  # it is asked at each check until the run has ended
            self.log(asked)


def _check_name(step: str) -> None:
    """A longer name would be cut, and then stand for another step."""
    if len(step) > LONGEST_NAME:
        raise PermanentError(f"A step's name has at most {LONGEST_NAME} characters: {step[:50]!r}…")
