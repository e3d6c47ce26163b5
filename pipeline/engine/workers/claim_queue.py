"""Replaces django-q2's task queue, result queue and timer, so that no multiprocessing lock is shared with a worker."""

import contextlib
import gc
import logging
import os
import select
import signal
from multiprocessing.sharedctypes import RawValue
from typing import Any
from uuid import UUID

from django.db import Error as DatabaseError
from django.db import connections

from ...contract.registry import longest_work
from ...models import Run
from ..execution import executor
from ..lifecycle.lease import Lease
from ..queue.claim import ClaimWithEnd, claim
from ..queue.waiter import Waiter
from .heartbeat import Heartbeat
from .processes import die_with_parent, register_worker

logger = logging.getLogger(__name__)
RUNS_IN_A_ROW = 20  # that are one task to django-q2, which looks between two tasks whether this process is to be replaced


class Timer:
    """Replaces the shared value that sentinel and worker both write. It has no lock that a killed worker could leave locked."""

    def __init__(self) -> None:
        self._raw = RawValue("f", -1)

    @property
    def value(self) -> float:
        return self._raw.value

    @value.setter
    def value(self, value: float) -> None:
        self._raw.value = value

    def get_lock(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


class Sink:
    """Replaces the result queue: the run's row has the result."""

    def put(self, item: Any) -> None: ...

    def close(self) -> None: ...

    def join_thread(self) -> None: ...

    def empty(self) -> bool:
        return True

    def qsize(self) -> int:
        return 0


class ClaimQueue(Sink):
    """Replaces the task queue. The sentinel makes it; each worker uses its own copy after the fork."""

    def __init__(self, cluster: UUID) -> None:
        self.cluster = cluster
        self.read_end, self.write_end = os.pipe()
        self.sentinel = self.pid = os.getpid()
        self.found = False  # by the last claim
        self.quick: ClaimWithEnd | None = None

    def put(self, item: Any) -> None:
        """The sentinel puts "STOP" once per worker; the first one closes the pipe for all."""
        if self.write_end >= 0:
            os.close(self.write_end)
            self.write_end = -1

    def stopping(self) -> bool:
        return bool(select.select([self.read_end], [], [], 0)[0])

    def get(self) -> dict[str, Any] | str:
        """The next run as a django-q2 task, or "STOP". Waits as long as it takes and never raises."""
        if self.pid != os.getpid() and not self._begin():
            return "STOP"
        while not self.stopping():
            try:
                claimed = self._claim()
            except DatabaseError as error:
                self.heartbeat.lost_database()
                self.waiter.recover(error)
                continue
            except Exception as error:
                logger.exception("A claim failed; the worker tries again.")
                self.waiter.recover(error)
                continue
            self.found = claimed is not None
            if claimed:
                run, lease = claimed
                return {
                    "id": str(run.pk),
                    "name": str(run),
                    "func": self.execute,
                    "args": (run, lease),
                    "kwargs": {},
                    "ack_id": None,
                }
            self.waiter.wait()
            if self.waiter.trouble:
                self.heartbeat.lost_database()
        self._end()
        return "STOP"

    def _claim(self) -> tuple[Run, Lease] | None:
        may_take_over = self.heartbeat.may_take_over
        return claim(self.worker, may_take_over=may_take_over, expecting=self.found, quick=self.quick)

    def execute(self, run: Run, lease: Lease) -> None:
        """Execute the run, then those that were each claimed together with the end of the one before."""
        claimed: tuple[Run, Lease] | None = (run, lease)
        for left in reversed(range(RUNS_IN_A_ROW)):
            if claimed:
                claimed = self._execute(*claimed, self.quick if left else None)

    def _execute(self, run: Run, lease: Lease, then: ClaimWithEnd | None) -> tuple[Run, Lease] | None:
        self.heartbeat.hold(lease, longest_work(run.job_type))
        try:
            executor.execute(run, lease, stopping=self.stopping, then=then)
        finally:
            self.heartbeat.release(lease)
        return then.handed_over() if then else None

    def _begin(self) -> bool:
        """First call after the fork, in the worker's own process. False if it was stopped before it could register."""
        self.pid = os.getpid()
        die_with_parent(self.sentinel)
        signal.signal(signal.SIGTERM, self._terminate)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C goes to the whole group; the parent decides
        connections.close_all()
        gc.collect()
        gc.freeze()  # what is loaded now stays loaded: collections need not scan it
        os.close(self.write_end)
        self.write_end = -1
        self.waiter = Waiter(self.read_end)
        while not self.stopping():
            try:
                self.worker = register_worker(cluster=self.cluster)
                self.quick = ClaimWithEnd(self.worker)
            except DatabaseError as error:
                self.waiter.recover(error)
                continue
            self.heartbeat = Heartbeat(self.worker, overrun=lambda: os.kill(os.getpid(), signal.SIGKILL))
            self.heartbeat.start()
            return True
        return False

    def _terminate(self, signum: int, frame: Any) -> None:
        """SIGTERM for this worker alone: make its pipe read as end-of-file, which also ends a wait at once."""
        os.dup2(os.open(os.devnull, os.O_RDONLY), self.read_end)

    def _end(self) -> None:
        self.waiter.close()
        self.heartbeat.stop()
        self.heartbeat.join(5)
