"""A listing and its scrapes: what a scrape of it is asked for, whether one is live, and what a new address changes."""

from typing import Any

from django.db import transaction

from competitors.models import CompetitorAmazonUrl
from competitors.steps import settings
from pipeline import queries
from pipeline.api import forget_freshness, restore_freshness
from pipeline.models import Run

from .job import NAME


def live_scrape(listing: CompetitorAmazonUrl) -> Run | None:
    """The run that is queued, running or waiting for this listing. A schedule's run of a later day does not count."""
    return queries.live_run(NAME, listing.competitor.brand_id, str(listing.pk))


def save_address(listing: CompetitorAmazonUrl, by: Any, *, moved: bool) -> None:
    """Save an edited listing. One with a different product (`moved`) starts from scratch."""
    with transaction.atomic():
        if moved:
            listing.last_scraped_at, listing.total_reviews_scraped, listing.scrape_cost_estimate = None, 0, None
            listing.product_title = ""
            forget_freshness(NAME, listing.competitor.brand_id, [str(listing.pk)])
        settings.save(listing, by)
        if moved:
            _take_up_history(listing)


def _take_up_history(listing: CompetitorAmazonUrl) -> None:
    """A listing that is edited back to a product shows what was known of that."""
    good = queries.good_runs_of(NAME, listing.competitor.brand_id, str(listing.pk), listing.about)
    runs = list(Run.objects.filter(pk__in=[run.pk for run in good]))  # newest first
    if not runs:
        return
    titles = (run.subject_label.removesuffix(f" ({listing.asin})") for run in runs)
    title = next((title for title in titles if title != listing.asin), "")
    CompetitorAmazonUrl.objects.filter(pk=listing.pk).update(product_title=title)
    restore_freshness(runs[0])
    listing.refresh_from_db()
