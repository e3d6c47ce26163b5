"""The django-q2 cluster, changed in one point: every worker claims for itself.

The stock cluster hands tasks through a pipe whose lock all workers share. A worker that is killed while it holds that lock
leaves a cluster that looks alive and runs nothing any more. Here a worker's `get()` claims from the Run table, stop is
end-of-file on a pipe, the timer is a bare value, and results go nowhere.
The overridden classes are those of django-q2 1.11; tests/pipeline/engine/workers/test_cluster.py fails when they change."""

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
