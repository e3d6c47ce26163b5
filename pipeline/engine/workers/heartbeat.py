"""A thread beside the work: renews leases, notices cancels, shows that the process is alive. It talks only to the database."""

import logging
import math
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import Error as DatabaseError

from ...contract.errors import LeaseLost
from ...models import Run, Worker
from ...words import in_words
from .. import database
from ..lifecycle import by_worker
from ..lifecycle.lease import Lease, renew
from .housekeeping import Housekeeping
from .repeating_thread import RepeatingThread

logger = logging.getLogger(__name__)
CANCEL_CHECK_SECONDS = 2.0  # a running handler notices a cancel within this


class Heartbeat(RepeatingThread):
    """The heartbeat of one worker and of its leases. Also runs the process's housekeeping thread.

    `overrun` stops the work of a run that exceeded its type's limit. Before that, the try is marked as failed, if the database
    allows it.
    """

    def __init__(self, worker: Worker, *, overrun: Callable[[], None] = lambda: None):
        interval = min(1.0, settings.PIPELINE_LEASE_SECONDS / 6, settings.PIPELINE_POLL_SECONDS)
        super().__init__(f"heartbeat of {worker}", interval)
        self.worker, self.overrun = worker, overrun
        self.housekeeping = Housekeeping(worker)
        self._leases: dict[Lease, tuple[float, timedelta]] = {}
        self._guard = threading.Lock()
        self._next_beat = self._next_cancel = 0.0
        self._period = settings.PIPELINE_LEASE_SECONDS / 3
        self._beaten, self._regained = time.monotonic(), -math.inf

    def may_take_over(self) -> bool:
        """Whether expired leases may be taken over. After a database outage the leases of living workers have expired too:
        they get one period to renew them first.
        """
        now = time.monotonic()
        return now - self._beaten <= 2 * self._period and now - self._regained >= self._period

    def lost_database(self) -> None:
        self._regained = math.inf

    def hold(self, lease: Lease, at_most: timedelta) -> None:
        """Renew the lease from now on, for at most `at_most` of work."""
        with self._guard:
            self._leases[lease] = (time.monotonic(), at_most)

    def release(self, lease: Lease) -> None:
        with self._guard:
            self._leases.pop(lease, None)

    def start(self) -> None:
        self.housekeeping.start()  # here, so that a failure ends the worker and not only the heartbeat thread
        super().start()

    def run(self) -> None:
        super().run()
        self.housekeeping.stop()
        self.housekeeping.join(self._period)

    def last(self) -> None:
        Worker.objects.filter(pk=self.worker.pk).update(stopped_at=database.now())

    def work(self) -> None:
        with self._guard:
            leases = dict(self._leases)
        at = time.monotonic()
        for lease, (began, at_most) in leases.items():
            if at - began > at_most.total_seconds():
                self._end_overrun(lease, at_most)
        if at >= self._next_beat:
            for lease in leases:
                renew(lease)
            Worker.objects.filter(pk=self.worker.pk).update(last_seen_at=database.now(), stopped_at=None)
            beaten = time.monotonic()
            if self._regained == math.inf or beaten - self._beaten > 2 * self._period:
                self._regained = beaten
            self._beaten, self._next_beat = beaten, at + self._period
        if leases and at >= self._next_cancel:
            asked = set(
                Run.objects.filter(pk__in=[lease.run_id for lease in leases], cancel_requested_at__isnull=False).values_list(
                    "pk", flat=True
                )
            )
            for lease in leases:
                if lease.run_id in asked:
                    lease.cancel.set()
            self._next_cancel = at + CANCEL_CHECK_SECONDS

    def _end_overrun(self, lease: Lease, at_most: timedelta) -> None:
        """Fail the try first: from then on the hanging work can write nothing.

        If the work hangs in a transaction that has the row locked, this fails. The process still ends, and so does the lease.
        """
        words = f"The run took longer than its limit of {in_words(at_most)} and was stopped."
        try:
            by_worker.fail(lease, words, permanent=False, kind="Overrun", cancel_seen=True)
        except LeaseLost:  # another worker has the run, or it has just ended
            pass
        except DatabaseError as error:
            logger.warning("The failed try of run %s could not be saved: %s", lease.run_id, str(error).strip())
        lease.lost.set()
        with self._guard:
            still_at_work = self._leases.pop(lease, None) is not None
        if still_at_work:
            logger.warning("Run %s: %s", lease.run_id, words)
            self.overrun()
