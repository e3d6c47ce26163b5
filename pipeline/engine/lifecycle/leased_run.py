"""A run that this process has leased. Every write is fenced; every check notices a stop, a cancel or a lost lease."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import connection

from ...contract.errors import Cancelled, HandBack, LeaseLost, Park
from ...contract.registry import version_of
from ...models import Run, RunLog
from .. import journal
from ..database import now
from .lease import Lease, fenced


class LeasedRun:
    """`waits_here`: this process waits in place (legacy, direct) instead of parking the run."""

    def __init__(self, run: Run, lease: Lease, *, stopping: Callable[[], bool], waits_here: bool = False):
        self.run, self.lease, self.waits_here = run, lease, waits_here
        self.stopping = stopping
        self.cancelling = run.cancel_requested_at is not None
        if self.cancelling:
            lease.cancel.set()

    @contextmanager
    def fenced(self) -> Iterator[Run]:
        """A transaction that only the lease's owner can make. Also notices a cancel."""
        with fenced(self.lease) as (run, _):
            if run.cancel_requested_at:
                self.lease.cancel.set()
            yield run

    def check(self) -> None:
        """Leave the handler if the lease is lost or the worker stops. Notice a cancel."""
        if self.lease.lost.is_set():
            raise LeaseLost
        if self.stopping():
            raise HandBack
        if self.lease.cancel.is_set():
            self.cancelling = True

    def check_not_cancelled(self) -> None:
        """Leave the handler also by a cancel."""
        self.check()
        if self.cancelling:
            raise Cancelled

    def pause(self, duration: timedelta, reason: str) -> None:
        """Park the run for `duration`, which leaves the handler. With `waits_here`, wait and return, early on a cancel."""
        if not self.waits_here:
            raise Park(now() + duration, reason)
        connection.close_if_unusable_or_obsolete()  # a pooled one goes back to its pool: pages need it meanwhile
        end, cancelling_before = time.monotonic() + duration.total_seconds(), self.cancelling
        while (left := end - time.monotonic()) > 0:
            self.check()
            if self.cancelling and not cancelling_before:
                return
            self.lease.lost.wait(min(left, 0.5))

    def log(self, message: str, level: str = RunLog.Level.INFO) -> None:
        with self.fenced():
            self.write_log(message, level)

    def write_log(self, message: str, level: str = RunLog.Level.INFO) -> None:
        """Like `log`, inside an open fenced transaction."""
        journal.log(self.run.pk, message, level)

    def progress(self, done: int, total: int | None = None, unit: str = "") -> None:
        with self.fenced():
            Run.objects.filter(pk=self.run.pk).update(progress={"done": done, "total": total, "unit": unit})

    def progressed(self, **fields: Any) -> None:
        """A step or page is committed: earlier deaths and waits no longer count against the run. Within an open transaction.

        From now on older code leaves the run alone. `fields` are written with it.
        """
        reached = {"recoveries": 0, "blocked_since": None, "code_version": version_of(self.run.job_type)}
        mine = Run.objects.filter(pk=self.run.pk)
        (mine if fields else mine.exclude(**reached)).update(**reached, **fields)

    def record_version(self) -> None:
        """From now on older code leaves the run alone. Within an open transaction."""
        Run.objects.filter(pk=self.run.pk).update(code_version=version_of(self.run.job_type))
