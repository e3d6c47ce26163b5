"""The thread beside the work: renews the lease, hears of a cancel, shows that the process lives, watches the upstreams.

It has a database connection of its own and never raises: a beat that fails is tried again with the next one.
"""

import contextlib
import logging
import os
import socket
import threading
import time

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

from . import claims, runs, watch
from .models import Run, Worker

logger = logging.getLogger(__name__)
CANCEL_SECONDS = 2.0  # a running handler hears of a cancel within this


def register_worker(kind: str = "worker") -> Worker:
    """A row for this process, new at each start: pids and hosts come again, workers do not."""
    at = claims.now()
    return Worker.objects.create(host=socket.gethostname(), pid=os.getpid(), kind=kind, started_at=at, last_seen_at=at)


class Heart(threading.Thread):
    """Beats for one worker and for the leases that are handed to it."""

    def __init__(self, worker: Worker, *, watching: bool = True):
        super().__init__(name=f"heartbeat of {worker}", daemon=True)
        self.worker, self.watching = worker, watching
        self._leases: set[runs.Lease] = set()
        self._guard = threading.Lock()
        self._ending = threading.Event()
        self._next_beat = self._next_cancel = 0.0

    def hold(self, lease: runs.Lease) -> None:
        with self._guard:
            self._leases.add(lease)

    def release(self, lease: runs.Lease) -> None:
        with self._guard:
            self._leases.discard(lease)

    def stop(self) -> None:
        self._ending.set()

    def run(self) -> None:
        tick = min(1.0, settings.PIPELINE_LEASE_SECONDS / 6, settings.PIPELINE_POLL_SECONDS)
        while not self._ending.wait(tick):
            try:
                self._beat()
            except DatabaseError as error:
                logger.warning("A heartbeat of %s did not get through: %s", self.worker, str(error).strip())
                connection.close()
            except Exception:
                logger.exception("The heartbeat of %s met an error; it goes on.", self.worker)
        with contextlib.suppress(DatabaseError):
            Worker.objects.filter(pk=self.worker.pk).update(stopped_at=claims.now(), current_run=None)
        connection.close()

    def _beat(self) -> None:
        with self._guard:
            leases = list(self._leases)
        at = time.monotonic()
        if at >= self._next_beat:
            for lease in leases:
                runs.renew(lease)
            Worker.objects.filter(pk=self.worker.pk).update(last_seen_at=claims.now(), stopped_at=None)
            self._next_beat = at + settings.PIPELINE_LEASE_SECONDS / 3
        if leases and at >= self._next_cancel:
            asked = set(
                Run.objects.filter(pk__in=[lease.run_id for lease in leases], cancel_requested_at__isnull=False).values_list("pk", flat=True)
            )
            for lease in leases:
                if lease.run_id in asked:
                    lease.cancel.set()
            self._next_cancel = at + CANCEL_SECONDS
        if self.watching:
            watch.watch_upstreams()
