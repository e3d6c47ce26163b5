"""Spending limits: of all runs in a day, and of one run on starting again after its upstream runs failed."""

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from ...contract.errors import BlockedError, SpendRefused
from ...contract.source import Order
from ...models import UpstreamRun
from ..lifecycle.leased_run import LeasedRun
from ..lifecycle.state import refused_start

OVER_THE_LIMIT = "Today's spend limit is reached"  # how the reason begins that a run over the limit waits with


def spent_today(at: datetime | None = None, *, of: Q | None = None) -> Decimal:
    """Spent or reserved since midnight in the site's zone, USD. Costs not settled yet count as estimated, or more if known.

    `of`: a condition for the paid starts to count; None: all.
    """
    return _paid_today(at, of).aggregate(sum=Sum("cost"))["sum"] or Decimal(0)


def _paid_today(at: datetime | None, of: Q | None) -> QuerySet[UpstreamRun]:
    midnight = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    return UpstreamRun.objects.paid().filter(of or Q(), intent_at__gte=midnight)


def spent_by_source(at: datetime | None = None, *, of: Q | None = None) -> dict[str, Decimal]:
    """spent_today() of each upstream account that was paid."""
    rows = _paid_today(at, of).order_by().values_list("source").annotate(sum=Sum("cost"))
    return {source: spent or Decimal(0) for source, spent in rows}


def check_daily_spend(order: Order) -> None:
    """BlockedError above the day's limit. Runs in the intent's transaction, under the money lock."""
    spent, limit = spent_today(), settings.PIPELINE_DAILY_SPEND_LIMIT_USD
    if spent + order.estimate_usd > limit:
        raise BlockedError(
            # Not what is spent: whoever reads this may not see the other brands.
            f"{OVER_THE_LIMIT}: of ${limit:.2f} less is left than the ${order.estimate_usd:.2f} that this run"
            " needs. It continues tomorrow, or when PIPELINE_DAILY_SPEND_LIMIT_USD is raised.",
            seconds=300,
            limited=False,
        )


def check_retry_spend(leased: LeasedRun, step: str) -> None:
    """A run starts again automatically only while its failed starts cost little. Above that a person must ask."""
    if refused := refused_start(leased.run, step):
        raise SpendRefused(refused)
