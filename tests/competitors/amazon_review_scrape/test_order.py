"""What the tab says before the click is what the job type would say, read for all listings at once."""

from decimal import Decimal
from typing import Any

import pytest

from competitors.jobs.amazon_review_scrape.listings import scrape_parameters
from competitors.jobs.amazon_review_scrape.sweeps import SweepOptions, sweeps
from competitors.jobs.amazon_review_scrape.views.tab import tab
from competitors.models import CompetitorAmazonUrl
from pipeline import queries
from pipeline.contract import get_type
from pipeline.contract.parameters import clean_parameters
from tests.competitors import runs
from tests.factories import make_listing

pytestmark = pytest.mark.django_db


def test_the_tabs_estimate_is_the_job_types_own(
    listing: CompetitorAmazonUrl, foreign: CompetitorAmazonUrl, django_assert_num_queries: Any
) -> None:
    dear, failed, new = (make_listing(listing.competitor, asin=f"B00000000{number}") for number in range(3))
    for cost in ("1.00", "2.00", "9.00", "9.00", "9.00"):
        runs.ended(runs.queued(dear), cost_actual=Decimal(cost))
    runs.ended(runs.queued(failed), "failed", cost_actual=Decimal("5.00"))
    runs.ended(runs.queued(foreign), cost_actual=Decimal("5.00"))
    rows = [listing, dear, failed, new]
    brand, handler = listing.competitor.brand, get_type("amazon_review_scrape")
    expected = {row.pk: handler.estimate(brand, clean_parameters(handler.Params, scrape_parameters(row), brand)) for row in rows}
    with django_assert_num_queries(1):
        good = queries.good_runs("amazon_review_scrape", brand.pk, [str(row.pk) for row in rows])
        found = {row.pk: tab.estimate(row, tab.defaults(row), good[str(row.pk)]) for row in rows}
    assert found == expected
    assert found[dear.pk].cost_usd == Decimal("9.00")
    assert found[failed.pk] == found[new.pk]


def test_the_option_says_how_many_words_it_searches() -> None:
    def count(keywords: bool) -> int:
        return len(sweeps("B09XK4T2LM", "com", SweepOptions(include_keywords=keywords)))

    label = get_type("amazon_review_scrape").Params.base_fields["include_keywords"].label
    assert label == f"Also search {count(True) - count(False)} common words"


@pytest.mark.parametrize(
    ("parameters", "options"),
    [
        ({}, SweepOptions(True, True)),
        ({"include_keywords": False}, SweepOptions(False, True)),
        ({"include_keywords": True, "include_helpful": False, "asin": "x"}, SweepOptions(True, False)),
    ],
)
def test_an_option_that_a_run_does_not_name_is_on(parameters: dict[str, Any], options: SweepOptions) -> None:
    assert SweepOptions.of(parameters) == options
