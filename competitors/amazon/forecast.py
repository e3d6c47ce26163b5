"""What a scrape of each of many listings would cost and take, without asking the database listing by listing."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from pipeline.contract.job_type import Estimate
from pipeline.models import Brand, Run
from pipeline.states import RunStatus, Verdict

from ..models import CompetitorAmazonUrl
from . import service
from .tracking import JOB_TYPE


def forecasts(brand: Brand, listings: Sequence[CompetitorAmazonUrl]) -> dict[UUID, Estimate]:
    """By listing, the job type's own estimate for a scrape with all sweeps. One query for all of them."""
    good = Run.objects.filter(
        job_type=JOB_TYPE,
        brand=brand,
        subject__in=[str(listing.pk) for listing in listings],
        status=RunStatus.COMPLETED,
        verdict=Verdict.OK,
    ).annotate(back=Window(RowNumber(), partition_by=F("subject"), order_by=F("pk").desc()))
    known: dict[str, list[Run]] = {str(listing.pk): [] for listing in listings}
    for run in good.filter(back__lte=service.KNOWN_RUNS).order_by("-pk"):
        known[run.subject].append(run)
    found = {}
    for listing in listings:
        setattr(listing, service.KNOWN, known[str(listing.pk)])
        order = service.review_order(listing, include_keywords=True, include_helpful=True)
        seconds = service.usual_seconds(listing, len(order.input["input"]))
        found[listing.pk] = Estimate(order.estimate_usd, order.max_cost_usd, seconds)
    return found
