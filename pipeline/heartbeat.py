"""The thread beside the work: renews the lease, hears of a cancel, shows that the process lives, watches the upstreams.

It has a database connection of its own and never raises: a beat that fails is tried again with the next one.
"""

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

from . import claims, runs, sweep, watch
from .errors import LeaseLost
from .explain import in_words
from .models import Run, Worker

logger = logging.getLogger(__name__)
CANCEL_SECONDS = 2.0  # a running handler hears of a cancel within this


def register_worker(kind: str = "worker", cluster: UUID | None = None) -> Worker:
    """A row for this process, new at each start: pids and hosts come again, workers do not."""
    at = claims.now()
    return Worker.objects.create(
        host=socket.gethostname(), pid=os.getpid(), kind=kind, cluster=cluster, started_at=at, last_seen_at=at
    )


class Heart(threading.Thread):
    """Beats for one worker and for the leases that are handed to it.

    `overrun` is called after a run that worked longer than its type allows was failed: the way to stop the work itself.
    """

    def __init__(self, worker: Worker, *, overrun: Callable[[], None] = lambda: None):
        super().__init__(name=f"heartbeat of {worker}", daemon=True)
        self.worker, self.overrun = worker, overrun
        self._leases: dict[runs.Lease, tuple[float, timedelta]] = {}
        self._guard = threading.Lock()
        self._ending = threading.Event()
        self._next_beat = self._next_cancel = self._next_watch = self._next_sweep = 0.0

    def hold(self, lease: runs.Lease, at_most: timedelta) -> None:
        """Keep the lease alive from now on, for `at_most` of work."""
        with self._guard:
            self._leases[lease] = (time.monotonic(), at_most)

    def release(self, lease: runs.Lease) -> None:
        with self._guard:
            self._leases.pop(lease, None)

    def stop(self) -> None:
        self._ending.set()

    def run(self) -> None:
        trouble = False
        tick = min(1.0, settings.PIPELINE_LEASE_SECONDS / 6, settings.PIPELINE_POLL_SECONDS)
        while not self._ending.wait(tick):
            try:
                self._beat()
                if trouble:
                    logger.info("The heartbeat of %s gets through again.", self.worker)
                trouble = False
            except DatabaseError as error:
                if not trouble:  # once, not with every beat of a long night
                    logger.warning("A heartbeat of %s did not get through: %s", self.worker, str(error).strip())
                trouble = True
                connection.close()
            except Exception:
                logger.exception("The heartbeat of %s met an error; it goes on.", self.worker)
        with contextlib.suppress(DatabaseError):
            Worker.objects.filter(pk=self.worker.pk).update(stopped_at=claims.now())
        connection.close()

    def _beat(self) -> None:
        with self._guard:
            leases = dict(self._leases)
        at = time.monotonic()
        for lease, (began, at_most) in leases.items():
            if at - began > at_most.total_seconds():
                self._end_overrun(lease, at_most)
        if at >= self._next_beat:
            for lease in leases:
                runs.renew(lease)
            Worker.objects.filter(pk=self.worker.pk).update(last_seen_at=claims.now(), stopped_at=None)
            self._next_beat = at + settings.PIPELINE_LEASE_SECONDS / 3
        if leases and at >= self._next_cancel:
            asked = set(
                Run.objects.filter(pk__in=[lease.run_id for lease in leases], cancel_requested_at__isnull=False).values_list(
                    "pk", flat=True
                )
            )
            for lease in leases:
                if lease.run_id in asked:
                    lease.cancel.set()
            self._next_cancel = at + CANCEL_SECONDS
        # Every worker comes to ask whether it is its turn; one of them gets it.
        if at >= self._next_watch:
            watch.watch_upstreams()
            self._next_watch = at + settings.PIPELINE_POLL_SECONDS
        if at >= self._next_sweep:
            sweep.sweep_if_due(claims.now())
            self._next_sweep = at + sweep.EVERY.total_seconds() / 4

    def _end_overrun(self, lease: runs.Lease, at_most: timedelta) -> None:
        """Fail the try in its row first: from then on the work that hangs can write nothing.

        Where it hangs inside a transaction the row may be its own: then the process ends all the same, and so does the lease.
        """
        words = f"It worked for longer than its {in_words(at_most)} and was ended."
        try:
            runs.fail(lease, words, permanent=False)
        except LeaseLost:  # it is another's by now, or has just ended by itself
            pass
        except DatabaseError as error:
            logger.warning("The failed try of run %s could not be written: %s", lease.run_id, str(error).strip())
        lease.lost.set()
        with self._guard:
            still_at_work = self._leases.pop(lease, None) is not None
        if still_at_work:
            logger.warning("Run %s: %s", lease.run_id, words)
            self.overrun()
