"""A thread for slow checks: which upstream runs ended, which upstreams work again, which schedules need a repair, which test
runs have worked, bulk actions, prices, what is old enough to go, and what apps look after.

Separate from the heartbeat: an upstream that never answers must not cost a worker its leases.
"""

import time
from functools import partial

from django.conf import settings

from ....contract.source import rounds
from ....models import Worker
from ...database import now
from ...execution.prices import read_prices
from ...queue.asked import bulk_actions, canaries
from ...upstreams.watch import watch_upstreams
from ..repeating_thread import RepeatingThread
from .healing import HEALING_INTERVAL, heal_if_due, in_turn
from .retention import remove_old


class Housekeeping(RepeatingThread):
    """Every process has one. Each asks for the turn, and one of them gets it. Only workers read prices and do bulk actions."""

    def __init__(self, owner: Worker):
        super().__init__(f"housekeeping of {owner}", settings.PIPELINE_POLL_SECONDS)
        self._of_worker = owner.kind == Worker.Kind.WORKER
        self._next_healing = 0.0

    def work(self) -> None:
        watch_upstreams()
        canaries.advance()
        if (at := time.monotonic()) >= self._next_healing:
            heal_if_due(now())
            if self._of_worker:
                read_prices()
                in_turn([partial(remove_old, now()), *rounds()])
            self._next_healing = at + HEALING_INTERVAL.total_seconds() / 4
        if self._of_worker:
            bulk_actions.advance()
