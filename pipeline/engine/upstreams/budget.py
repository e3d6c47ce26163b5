"""Spending limits: of all runs in a day, and of one run on starting again after its upstream runs failed."""

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from ...contract.errors import BlockedError, SpendRefused
from ...contract.source import Order
from ...models import UpstreamRun
from ..lifecycle.leased_run import LeasedRun
from .ledger import Status


def spent_today(at: datetime | None = None) -> Decimal:
    """Spent or reserved since midnight in the site's zone, USD. Costs not settled yet count as estimated, or more if known."""
    midnight = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = UpstreamRun.objects.filter(intent_at__gte=midnight).exclude(status__in=[Status.REFUSED, Status.VOID])
    settled = rows.filter(cost_settled=True).aggregate(sum=Sum("cost_actual"))["sum"] or Decimal(0)
    open_rows = rows.filter(cost_settled=False).values_list("cost_estimate", "cost_actual")
    return settled + sum((max(estimate, actual or Decimal(0)) for estimate, actual in open_rows), Decimal(0))


def check_daily_spend(order: Order) -> tuple[Decimal, Decimal]:
    """Spent today and the limit, USD. BlockedError above the limit. Runs in the intent's transaction, under the money lock."""
    spent, limit = spent_today(), settings.PIPELINE_DAILY_SPEND_LIMIT_USD
    if spent + order.estimate_usd > limit:
        raise BlockedError(
            f"Today's spend limit is reached: ${spent:.2f} of ${limit:.2f} are spent or reserved, and this run needs about"
            f" ${order.estimate_usd:.2f}. It continues tomorrow, or when PIPELINE_DAILY_SPEND_LIMIT_USD is raised.",
            seconds=300,
            limited=False,
        )
    return spent, limit


def check_retry_spend(leased: LeasedRun, step: str, order: Order) -> None:
    """A run starts again automatically only while its failed starts cost little. Above that a person must ask."""
    dead = list(
        UpstreamRun.objects.filter(run_id=leased.run.pk, step=step, status__in=UpstreamRun.ENDED).exclude(status=Status.SUCCEEDED)
    )
    cost = sum((row.cost_actual if row.cost_actual is not None else row.cost_estimate for row in dead), Decimal(0))
    asked = leased.run.steps.filter(name=f"start again: {step}").values_list("result", flat=True).first() or 0
    if dead and cost >= settings.PIPELINE_RETRY_SPEND_USD and asked < max(row.intent for row in dead):
        raise SpendRefused(
            f"Automatic retries stopped: this run already cost ${cost:.2f}. Start again costs about ${order.estimate_usd:.2f}."
        )
