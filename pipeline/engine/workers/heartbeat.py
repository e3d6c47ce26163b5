"""The thread beside the work: renews the lease, hears of a cancel, shows that the process lives. It asks the database alone."""

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
CANCEL_SECONDS = 2.0  # a running handler hears of a cancel within this


class Heartbeat(RepeatingThread):
    """Beats for one worker and for the leases that are handed to it, and keeps the process's housekeeping.

    `overrun` is called after a run that worked longer than its type allows was failed: the way to stop the work itself.
    """

    def __init__(self, worker: Worker, *, overrun: Callable[[], None] = lambda: None):
        tick = min(1.0, settings.PIPELINE_LEASE_SECONDS / 6, settings.PIPELINE_POLL_SECONDS)
        super().__init__(f"heartbeat of {worker}", tick)
        self.worker, self.overrun = worker, overrun
        self.housekeeping = Housekeeping(str(worker))
        self._leases: dict[Lease, tuple[float, timedelta]] = {}
        self._guard = threading.Lock()
        self._next_beat = self._next_cancel = 0.0
        self._period = settings.PIPELINE_LEASE_SECONDS / 3
        self._beaten, self._regained = time.monotonic(), -math.inf

    def may_take_over(self) -> bool:
        """Whether leases that lapsed may be taken over. After an outage of the database everybody's have lapsed, also of those
        that live: they get one period to renew them first.
        """
        now = time.monotonic()
        return now - self._beaten <= 2 * self._period and now - self._regained >= self._period

    def lost_database(self) -> None:
        self._regained = math.inf

    def hold(self, lease: Lease, at_most: timedelta) -> None:
        """Keep the lease alive from now on, for `at_most` of work."""
        with self._guard:
            self._leases[lease] = (time.monotonic(), at_most)

    def release(self, lease: Lease) -> None:
        with self._guard:
            self._leases.pop(lease, None)

    def start(self) -> None:
        self.housekeeping.start()  # here, where its failure ends the worker: in our own thread it would end the heartbeat alone
        super().start()

    def run(self) -> None:
        super().run()
        self.housekeeping.stop()
        self.housekeeping.join(self._period)

    def last(self) -> None:
        Worker.objects.filter(pk=self.worker.pk).update(stopped_at=database.now())

    def turn(self) -> None:
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
            self._next_cancel = at + CANCEL_SECONDS

    def _end_overrun(self, lease: Lease, at_most: timedelta) -> None:
        """Fail the try in its row first: from then on the work that hangs can write nothing.

        Where it hangs inside a transaction the row may be its own: then the process ends all the same, and so does the lease.
        """
        words = f"It worked for longer than its {in_words(at_most)} and was ended."
        try:
            by_worker.fail(lease, words, permanent=False, cancel_seen=True)
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
