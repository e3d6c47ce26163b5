"""What the tab says before the click is what the job type would say, read for all listings at once."""

from decimal import Decimal
from typing import Any

import pytest

from competitors.amazon.forecast import forecasts
from competitors.amazon.sweeps import sweeps
from competitors.amazon.tracking import scrape_parameters
from competitors.models import CompetitorAmazonUrl
from competitors.views.amazon import SWEEPS
from pipeline.contract.registry import get_type
from tests.factories import make_listing

from . import runs

pytestmark = pytest.mark.django_db


def test_a_forecast_is_the_job_types_own_estimate(
    listing: CompetitorAmazonUrl, foreign: CompetitorAmazonUrl, django_assert_num_queries: Any
) -> None:
    dear, failed, new = (make_listing(listing.competitor, asin=f"B00000000{number}") for number in range(3))
    for cost in ("1.00", "2.00", "9.00", "9.00", "9.00"):
        runs.ended(runs.queued(dear), cost_actual=Decimal(cost))
    runs.ended(runs.queued(failed), "failed", cost_actual=Decimal("5.00"))
    runs.ended(runs.queued(foreign), cost_actual=Decimal("5.00"))
    rows = [listing, dear, failed, new]
    brand, handler = listing.competitor.brand, get_type("amazon_review_scrape")
    expected = {row.pk: handler.estimate(brand, scrape_parameters(row)) for row in rows}
    with django_assert_num_queries(1):
        found = forecasts(brand, rows)
    assert found == expected
    assert found[dear.pk].cost_usd == Decimal("9.00")
    assert found[failed.pk] == found[new.pk]


def test_the_options_say_how_many_sweeps_they_are() -> None:
    def count(keywords: bool, helpful: bool) -> int:
        return len(sweeps("B09XK4T2LM", "com", include_keywords=keywords, include_helpful=helpful))

    assert {"stars": count(False, False), "keywords": count(True, False) - 6, "helpful": count(False, True) - 6} == SWEEPS
