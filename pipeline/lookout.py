"""The thread that looks outside: which upstream runs have ended, is an upstream up again, is there anything to heal.

Not the heartbeat's: an upstream that takes a connection and never answers must not cost anybody a lease.
"""

import time

from django.conf import settings

from . import sweep, watch
from .engine.database import now
from .periodic import Periodic


class Lookout(Periodic):
    """Every process has one and asks whether it is its turn; one of them gets it."""

    def __init__(self, owner: str):
        super().__init__(f"lookout of {owner}", settings.PIPELINE_POLL_SECONDS)
        self._next_sweep = 0.0

    def turn(self) -> None:
        watch.watch_upstreams()
        if (at := time.monotonic()) >= self._next_sweep:
            sweep.sweep_if_due(now())
            self._next_sweep = at + sweep.EVERY.total_seconds() / 4
