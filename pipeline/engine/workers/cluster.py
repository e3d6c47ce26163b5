"""The django-q2 cluster, changed in one way: every worker claims for itself.

The stock cluster hands tasks through a pipe whose lock all workers share. If a worker is killed while it has that lock, the
cluster seems alive but runs nothing any more. Here a worker's `get()` claims from the Run table, stop is end-of-file on a pipe,
the timer has no lock, and results are dropped.
The overridden classes are those of django-q2 1.11; tests/pipeline/engine/workers/test_cluster.py fails when they change.
"""

import logging
import os
import signal
import time
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, connections
from django_q import cluster

from ...models import Worker
from ..lifecycle import by_death
from .claim_queue import ClaimQueue, Sink, Timer
from .processes import die_with_parent

logger = logging.getLogger(__name__)


class Sentinel(cluster.Sentinel):
    """Watches the workers: replaces a dead one and hands its run back at once."""

    def start(self) -> None:
        die_with_parent(self.parent_pid)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a signal to the whole group also reaches the parent, which then stops it
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
        """Workers stop at their next step. Those still running after the grace period are killed; others continue their runs."""
        self.task_queue.put("STOP")
        end = time.monotonic() + settings.PIPELINE_GRACE_SECONDS + 5
        while any(process.is_alive() for process in self.pool) and time.monotonic() < end:
            time.sleep(0.05)
        for process in self.pool:
            if process.is_alive():
                logger.warning("Worker %s did not stop in time and is killed. Another worker continues its run.", process.pid)
                process.kill()
                process.join()
                self._hand_back(process)
        for process in (self.pusher, self.monitor):
            process.kill()
            process.join()
        super().stop()

    def _hand_back(self, process: Any) -> None:
        """Find the run by what the claim wrote, the worker's row: notes kept elsewhere could be missing after a kill."""
        process.join(1)
        exit_signal = -process.exitcode if process.exitcode and process.exitcode < 0 else None
        try:
            # Filtered by cluster: another container may have the same host name and pids.
            for worker in Worker.objects.filter(cluster=self.cluster_id, pid=process.pid, stopped_at=None):
                by_death.lose_worker(worker, exit_signal)
        except Exception as error:  # noqa: BLE001  the sentinel must go on watching the other workers
            logger.warning("The run of dead worker %s could not be handed back; others pick it up later: %r", process.pid, error)
        finally:
            connection.close()  # before the next fork


def idle(queue: ClaimQueue) -> None:
    """Replaces pusher and monitor, which have nothing to do here but which the sentinel watches."""
    die_with_parent(queue.sentinel)
    os.close(queue.write_end)  # or the workers would never read end-of-file
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    while True:
        signal.pause()


def run_cluster(cluster_id: UUID) -> None:
    """Run a cluster in this process until SIGTERM or SIGINT."""
    cluster.Sentinel = Sentinel  # Cluster.start uses this global of its module
    connections.close_all()
    guarded = cluster.Cluster()
    guarded.cluster_id = cluster_id
    stop = guarded.sig_handler

    asked: list[int] = []

    def on_signal(signum: int, frame: Any) -> None:
        if not asked:  # ignore repeats; use SIGKILL to stop at once
            asked.append(signum)
            stop(signum, frame)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    guarded.start()
    if asked:
        guarded.stop()  # the signal may have come before the sentinel existed; otherwise this does nothing
    guarded.sentinel.join()
    if guarded.stop_event is not None:  # nobody asked it to stop
        raise SystemExit(f"The sentinel of the cluster died (exit code {guarded.sentinel.exitcode}).")
