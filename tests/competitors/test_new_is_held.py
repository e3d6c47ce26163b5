"""For every job type: the rows that a run counts as new are the rows that its subject's page holds. A new type adds a line."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from pipeline import api
from pipeline.contract.registry import all_types
from tests.competitors.scraping import finish
from tests.factories import make_library

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Held:
    """How a type's scrape is asked for, and which rows its subject's page shows."""

    parameters: Callable[[Any], dict[str, Any]]
    rows: Callable[[Any], Any]


HELD = {
    "amazon_review_scrape": Held(
        lambda listing: {"competitor_amazon_url_id": str(listing.pk), "include_keywords": False, "include_helpful": False},
        lambda listing: listing.reviews(),
    ),
    "competitor_scrape": Held(
        lambda listing: {"competitor_id": str(listing.competitor_id), "ad_library_url": make_library(listing.competitor).url},
        lambda listing: listing.competitor.ads,
    ),
}


def test_every_job_type_with_a_source_is_here():
    assert {one.name for one in all_types() if one.source} <= set(HELD)


@pytest.mark.parametrize("job_type", HELD)
def test_what_is_new_in_a_run_is_held_on_the_page(job_type, sandbox, listing):
    held = HELD[job_type]
    run = finish(api.queue_one_time_job(listing.brand.pk, job_type, held.parameters(listing)).run)
    assert run.counts["new"] == held.rows(listing).filter(first_run=run).count() == held.rows(listing).count() > 0
