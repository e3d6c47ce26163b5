"""A listing and its scrapes: how one is asked for, whether one is live, what goes with the listing. Its reviews are shared."""

from typing import Any

from django.db import transaction
from django.db.models.signals import pre_delete
from django.dispatch import receiver

from pipeline import api, queries
from pipeline.models import DatasetStatus, Run

from ..models import CompetitorAmazonUrl

JOB_TYPE = "amazon_review_scrape"
DATASET = "amazon_reviews"


def scrape_parameters(listing: CompetitorAmazonUrl, *, keywords: bool = True, helpful: bool = True) -> dict[str, Any]:
    """As the job type takes them."""
    return {
        "competitor_amazon_url_id": str(listing.pk),
        "asin": listing.asin,
        "include_keywords": keywords,
        "include_helpful": helpful,
    }


def live_scrape(listing: CompetitorAmazonUrl) -> Run | None:
    """The run that is queued, under way or waiting for this listing; a schedule's run of a later day is not."""
    return queries.live_run(JOB_TYPE, listing.competitor.brand_id, str(listing.pk))


def forget_freshness(brand_id: Any, listing_ids: list[str]) -> None:
    """Never scraped, as far as the pages are concerned."""
    DatasetStatus.objects.filter(brand_id=brand_id, dataset_key=DATASET, subject__in=listing_ids).delete()


def save_address(listing: CompetitorAmazonUrl, *, moved: bool) -> None:
    """Save an edited listing. One that names another product now (`moved`) was never scraped: clock and figures start anew."""
    with transaction.atomic():
        if moved:
            listing.last_scraped_at, listing.total_reviews_scraped, listing.scrape_cost_estimate = None, 0, None
            forget_freshness(listing.competitor.brand_id, [str(listing.pk)])
        listing.save()


@receiver(pre_delete, sender=CompetitorAmazonUrl, dispatch_uid="forget_freshness_of_listing")
def _forget(instance: CompetitorAmazonUrl, **_: Any) -> None:
    """However the row goes (page, admin, with its competitor), its freshness and schedules go in the same transaction.

    Before it: the end of a run writes run, freshness and listing in this order, and would wait for us as we for it.
    """
    api.end_schedules_of(JOB_TYPE, str(instance.pk))
    DatasetStatus.objects.filter(dataset_key=DATASET, subject=str(instance.pk)).delete()
