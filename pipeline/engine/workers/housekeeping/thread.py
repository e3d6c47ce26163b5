"""A thread for slow checks: which upstream runs ended, which upstreams work again, which schedules need a repair, which test
runs have worked, bulk actions, prices, what is old enough to go, and what apps look after.

Separate from the heartbeat: an upstream that never answers must not cost a worker its leases.
"""

import time
from functools import cache, partial

from django.conf import settings
from django.db.models import Exists, Q

from ....contract.source import rounds
from ....models import BulkAction, Incident, SourceState, UpstreamRun, Worker
from ....states import RunStatus
from ...database import Composed, now
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
        if watched := bool(_watched().rows()):
            watch_upstreams()
            canaries.advance()
        if (at := time.monotonic()) >= self._next_healing:
            heal_if_due(now())
            if self._of_worker:
                read_prices()
                in_turn([partial(remove_old, now()), *rounds()])
            self._next_healing = at + HEALING_INTERVAL.total_seconds() / 4
        if watched and self._of_worker:
            bulk_actions.advance()


@cache
def _watched() -> Composed:
    """Finds a row if there is anything that is looked after every few seconds: asked each time by every process, nearly always
    for nothing.
    """
    watched = (
        UpstreamRun.objects.filter(status=UpstreamRun.Status.RUNNING, run__status=RunStatus.WAITING),
        SourceState.objects.filter(blocked_until__isnull=False),
        Incident.objects.filter(fixing__in=canaries.UNDER_WAY),
        BulkAction.objects.filter(finished_at=None),
    )
    anything = Q(*map(Exists, watched), _connector=Q.OR)
    return Composed(Worker.objects.filter(anything).order_by().values_list("pk")[:1], prepared=True)
