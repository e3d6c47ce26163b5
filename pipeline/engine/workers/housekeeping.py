"""A thread for slow checks: which upstream runs ended, which upstreams work again, which schedules need a repair, which test
runs have worked, prices, and what apps look after.

Separate from the heartbeat: an upstream that never answers must not cost a worker its leases.
"""

import logging
import time

from django.conf import settings
from django.db import DatabaseError

from ...contract.source import rounds
from ...models import Worker
from ..database import now
from ..execution.prices import read_prices
from ..queue.asked import canaries
from ..upstreams.watch import watch_upstreams
from .healing import HEALING_INTERVAL, heal_if_due
from .repeating_thread import RepeatingThread

logger = logging.getLogger(__name__)


class Housekeeping(RepeatingThread):
    """Every process has one. Each asks for the turn, and one of them gets it. Only workers read prices."""

    def __init__(self, owner: Worker):
        super().__init__(f"housekeeping of {owner}", settings.PIPELINE_POLL_SECONDS)
        self._reads_prices = owner.kind == Worker.Kind.WORKER
        self._next_healing = 0.0

    def work(self) -> None:
        watch_upstreams()
        canaries.advance()
        if (at := time.monotonic()) >= self._next_healing:
            heal_if_due(now())
            if self._reads_prices:
                read_prices()
                _go_the_rounds()
            self._next_healing = at + HEALING_INTERVAL.total_seconds() / 4


def _go_the_rounds() -> None:
    """What apps look after. A fault in one keeps no other from its turn."""
    for work in rounds():
        try:
            work()
        except DatabaseError:
            raise
        except Exception:
            logger.exception("%s failed. It is called again later.", work.__qualname__)
