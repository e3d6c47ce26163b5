"""The django-q2 cluster, changed in one point: every worker claims for itself.

The stock cluster hands tasks through a pipe whose lock all workers share; a worker killed while it holds that lock leaves a
cluster that looks alive and runs nothing any more. Here no multiprocessing lock is shared with a worker: what its `get()`
returns is claimed from the Run table, stop is end-of-file on a pipe, the timer is a bare value, results go nowhere.
The classes overridden are those of django-q2 1.11; tests/pipeline/test_cluster.py says so when they change.
"""

import contextlib
import ctypes
import gc
import logging
import os
import select
import signal
import time
from multiprocessing.sharedctypes import RawValue
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection, connections
from django_q import cluster

from . import claims, executor
from .contract.registry import longest_work
from .engine.lifecycle import by_death
from .engine.lifecycle.lease import Lease
from .heartbeat import Heart, register_worker
from .models import Run, Worker

logger = logging.getLogger(__name__)
PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies; then look whether it already has."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


class Timer:
    """Stands in for the shared value that sentinel and worker both write: no lock, so none can be left taken."""

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
    """Stands in for the result queue: the run's row has the result."""

    def put(self, item: Any) -> None: ...

    def close(self) -> None: ...

    def join_thread(self) -> None: ...

    def empty(self) -> bool:
        return True

    def qsize(self) -> int:
        return 0


class ClaimQueue(Sink):
    """Stands in for the task queue. The sentinel makes it; each worker uses its own copy after the fork."""

    def __init__(self, cluster: UUID) -> None:
        self.cluster = cluster
        self.read_end, self.write_end = os.pipe()
        self.sentinel = self.pid = os.getpid()

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
                claimed = claims.claim(self.worker, may_take_over=self.heart.settled)
            except DatabaseError as error:
                self.heart.lost_database()
                self.waiter.recover(error)
                continue
            except Exception as error:
                logger.exception("A claim met an error; the worker goes on.")
                self.waiter.recover(error)
                continue
            if claimed:
                run, attempt = claimed
                lease = Lease(run.pk, attempt.lease_token, attempt.pk)
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
                self.heart.lost_database()
        self._end()
        return "STOP"

    def execute(self, run: Run, lease: Lease) -> None:
        self.heart.hold(lease, longest_work(run.job_type))
        try:
            executor.execute(run, lease, stopping=self.stopping)
        finally:
            self.heart.release(lease)

    def _begin(self) -> bool:
        """First call after the fork, in the worker's own process. False where it was stopped before there was a worker."""
        self.pid = os.getpid()
        die_with_parent(self.sentinel)
        signal.signal(signal.SIGTERM, self._terminate)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C goes to the whole group; the parent decides
        connections.close_all()
        gc.collect()
        gc.freeze()  # what is loaded by now stays for good: nothing to look through at each collection
        os.close(self.write_end)
        self.write_end = -1
        self.waiter = claims.Waiter(self.read_end)
        while not self.stopping():
            try:
                self.worker = register_worker(cluster=self.cluster)
            except DatabaseError as error:
                self.waiter.recover(error)
                continue
            self.heart = Heart(self.worker, overrun=lambda: os.kill(os.getpid(), signal.SIGKILL))
            self.heart.start()
            return True
        return False

    def _terminate(self, signum: int, frame: Any) -> None:
        """SIGTERM for this worker alone: put end-of-file where the pipe was, which also ends a wait at once."""
        os.dup2(os.open(os.devnull, os.O_RDONLY), self.read_end)

    def _end(self) -> None:
        self.waiter.close()
        self.heart.stop()
        self.heart.join(5)


class Sentinel(cluster.Sentinel):
    """Guards the workers: replaces a dead one and hands its run back at once."""

    def start(self) -> None:
        die_with_parent(self.parent_pid)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the parent tells it to stop, also when the whole group is signalled
        self.task_queue, self.result_queue = ClaimQueue(self.cluster_id), Sink()
        super().start()

    def spawn_worker(self) -> None:
        self.spawn_process(cluster.worker, self.task_queue, self.result_queue, Timer(), self.timeout)

    def spawn_pusher(self) -> Any:
        return self.spawn_process(idle, self.task_queue)

    spawn_monitor = spawn_pusher

    def reincarnate(self, process: Any) -> None:
        worker_died = process in self.pool
        super().reincarnate(process)
        if worker_died:
            self._hand_back(process)

    def stop(self) -> None:
        """Workers stop at their next step; what is still there after the grace is killed, and resumes elsewhere."""
        self.task_queue.put("STOP")
        end = time.monotonic() + settings.PIPELINE_GRACE_SECONDS + 5
        while any(process.is_alive() for process in self.pool) and time.monotonic() < end:
            time.sleep(0.05)
        for process in self.pool:
            if process.is_alive():
                logger.warning("Worker %s did not stop within the grace and is ended; its run goes on elsewhere.", process.pid)
                process.kill()
                process.join()
                self._hand_back(process)
        for process in (self.pusher, self.monitor):
            process.kill()
            process.join()
        super().stop()

    def _hand_back(self, process: Any) -> None:
        """By what the claim itself wrote, the worker's row: notes kept elsewhere may be missing when the kill came in between."""
        process.join(1)
        exit_signal = -process.exitcode if process.exitcode and process.exitcode < 0 else None
        try:
            # Of this cluster: another container may have the same host name and pids.
            for worker in Worker.objects.filter(cluster=self.cluster_id, pid=process.pid, stopped_at=None):
                by_death.lose_worker(worker, exit_signal)  # which says what becomes of the run it had
        except Exception as error:  # noqa: BLE001  of one run: the sentinel has the others to guard
            logger.warning("The run of dead worker %s could not be handed back, its lease will lapse: %r", process.pid, error)
        finally:
            connection.close()  # before the next fork


def idle(queue: ClaimQueue) -> None:
    """Stands in for pusher and monitor, which have nothing to do here but are watched by the sentinel."""
    die_with_parent(queue.sentinel)
    os.close(queue.write_end)  # or the workers would never read end-of-file
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    while True:
        signal.pause()


def run_cluster(cluster_id: UUID) -> None:
    """Run a cluster in this process until SIGTERM or SIGINT."""
    cluster.Sentinel = Sentinel  # Cluster.start names it as a global of its module
    connections.close_all()
    guarded = cluster.Cluster()
    guarded.cluster_id = cluster_id
    stop = guarded.sig_handler

    asked: list[int] = []

    def on_signal(signum: int, frame: Any) -> None:
        if not asked:  # the supervisor may pass one on that came here by itself, or ask again: who wants an end at once, kills
            asked.append(signum)
            stop(signum, frame)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    guarded.start()
    if asked:
        guarded.stop()  # it may have come before there was a sentinel to be told; otherwise this does nothing
    guarded.sentinel.join()
    if guarded.stop_event is not None:  # nobody asked it to stop
        raise SystemExit(f"The sentinel of the cluster died (exit code {guarded.sentinel.exitcode}).")
