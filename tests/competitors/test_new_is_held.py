"""For every job type: the rows that a run counts as new are the rows that its subject's page holds. A new type adds a line."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from competitors.models import AdAccount, AdDay, AdMedia, LibraryAd, MediaStatus
from pipeline import api
from pipeline.contract.registry import all_types
from tests.competitors.scraping import finish
from tests.competitors.template_scrape.conftest import SEARCH
from tests.factories import make_library

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Held:
    """How a type's scrape is asked for, and which rows its subject's page shows."""

    parameters: Callable[[Any], dict[str, Any]]
    rows: Callable[[Any], Any]
    brought_by: str = "first_run"  # the field that names the run


HELD = {
    "amazon_review_scrape": Held(
        lambda listing: {"competitor_amazon_url_id": str(listing.pk), "include_keywords": False, "include_helpful": False},
        lambda listing: listing.reviews(),
    ),
    "competitor_scrape": Held(
        lambda listing: {"competitor_id": str(listing.competitor_id), "ad_library_url": make_library(listing.competitor).url},
        lambda listing: listing.competitor.ads,
    ),
    "asset_download": Held(
        lambda listing: {
            "ad_account_id": AdAccount.objects.create(brand=listing.brand, account_id="act_123").account_id,
            "max_videos": 5,
            "max_images": 10,
        },
        lambda listing: AdMedia.objects.filter(brand_ad__ad_account__brand=listing.brand, status=MediaStatus.STORED),
        brought_by="last_run",
    ),
    "meta_sync": Held(
        lambda listing: {
            "ad_account": AdAccount.objects.create(brand=listing.brand, account_id="act_1239").account_id,
            "parts": ["performance"],
        },
        lambda listing: AdDay.objects.filter(ad_account__brand=listing.brand),
        brought_by="last_run",
    ),
    "reddit_scrape": Held(
        lambda _: {"search_queries": ["calming chews for dogs"], "max_posts": 20},
        lambda listing: listing.brand.reddit_posts,
        brought_by="last_run",
    ),
    "template_scrape": Held(lambda _: {"search_url": SEARCH, "max_ads": 20}, lambda _: LibraryAd.objects.all()),
}


def test_every_job_type_with_a_source_is_here():
    assert {one.name for one in all_types() if one.source} <= set(HELD)


@pytest.mark.parametrize("job_type", HELD)
def test_what_is_new_in_a_run_is_held_on_the_page(job_type, sandbox, listing, settings):
    settings.META_GRAPH_URL, settings.META_ACCESS_TOKEN = sandbox.graph_url, "a-token-for-tests"
    settings.MEDIA_EXTRA_HOSTS = [sandbox.url.removeprefix("http://")]
    held = HELD[job_type]
    run = finish(api.queue_one_time_job(listing.brand.pk, job_type, held.parameters(listing)).run)
    rows = held.rows(listing)
    assert run.counts["new"] == rows.filter(**{held.brought_by: run}).count() == rows.count() > 0
