"""The thread beside the heartbeat that may wait for others: which upstream runs have ended, is an upstream up again, is there
anything to heal.

Not the heartbeat's: an upstream that takes a connection and never answers must not cost anybody a lease.
"""

import time

from django.conf import settings

from ..database import now
from ..upstreams.watch import watch_upstreams
from .healing import EVERY, heal_if_due
from .repeating_thread import RepeatingThread


class Housekeeping(RepeatingThread):
    """Every process has one and asks whether it is its turn; one of them gets it."""

    def __init__(self, owner: str):
        super().__init__(f"housekeeping of {owner}", settings.PIPELINE_POLL_SECONDS)
        self._next_healing = 0.0

    def turn(self) -> None:
        watch_upstreams()
        if (at := time.monotonic()) >= self._next_healing:
            heal_if_due(now())
            self._next_healing = at + EVERY.total_seconds() / 4
