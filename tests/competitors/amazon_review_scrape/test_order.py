"""What the tab says before the click is what the job type would say, read for all listings at once."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from competitors.jobs.amazon_review_scrape.job import scrape_parameters
from competitors.jobs.amazon_review_scrape.order import usual_price
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
    for cost in ("1.00", "2.00", "2.50", "2.50", "2.50"):
        runs.paid(runs.ended(runs.queued(dear)), "1", cost)
    runs.paid(runs.ended(runs.queued(failed), "failed"), "1", "2.00")
    runs.paid(runs.ended(runs.queued(foreign)), "1", "2.00")
    rows = [listing, dear, failed, new]
    brand, handler = listing.competitor.brand, get_type("amazon_review_scrape")
    expected = {row.pk: handler.estimate(brand, clean_parameters(handler.Params, scrape_parameters(row), brand)) for row in rows}
    with django_assert_num_queries(4):
        good = queries.good_runs("amazon_review_scrape", brand.pk, [str(row.pk) for row in rows])
        found = {row.pk: tab.estimate(row, tab.defaults(row), good[str(row.pk)], usual_price()) for row in rows}
    assert found == expected
    assert found[dear.pk].cost_usd == Decimal("2.50")
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


def estimate_of(listing: CompetitorAmazonUrl, **options: bool) -> Any:
    brand, handler = listing.competitor.brand, get_type("amazon_review_scrape")
    return handler.estimate(brand, clean_parameters(handler.Params, scrape_parameters(listing) | options, brand))


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def test_the_price_and_the_time_are_those_of_the_options_that_are_chosen(listing: CompetitorAmazonUrl) -> None:
    """31 sweeps, 9 without the common words, 6 without both: before anything is known of the listing, and after."""
    small = {"include_keywords": False, "include_helpful": False}
    before = estimate_of(listing), estimate_of(listing, include_keywords=False), estimate_of(listing, **small)
    assert [one.cost_usd for one in before] == [Decimal("0.93"), Decimal("0.27"), Decimal("0.18")]
    assert [one.cap_usd for one in before] == [Decimal("2.79"), Decimal("0.81"), Decimal("0.54")]
    assert [one.seconds for one in before] == [558, 162, 108]
    run = runs.queued(listing)
    runs.paid(runs.ended(run, parameters=run.parameters | small), "1", "0.30")
    after = estimate_of(listing), estimate_of(listing, include_keywords=False), estimate_of(listing, **small)
    assert [one.cost_usd for one in after] == [Decimal("1.55"), Decimal("0.45"), Decimal("0.30")]


def test_an_estimate_is_never_above_the_cap(listing: CompetitorAmazonUrl) -> None:
    runs.paid(runs.ended(runs.queued(listing)), "1", "9.00")
    assert estimate_of(listing).cost_usd == estimate_of(listing).cap_usd == Decimal("2.79")


def test_estimates_learn_neither_from_failed_starts_nor_from_waiting(listing: CompetitorAmazonUrl) -> None:
    """A day in the queue, a failed start, an hour blocked: the scrape itself took 9 minutes and cost $1.24."""
    end = timezone.now()
    run = runs.put(runs.ended(runs.queued(listing)), started_at=end - minutes(1440), cost_actual=Decimal("2.00"))
    failed, good = runs.paid(run, "1", "0.76"), runs.paid(run, "1", "1.24")
    put = type(good).objects.filter
    put(pk=failed.pk).update(status="failed", started_at=end - minutes(600), finished_at=end - minutes(500))
    put(pk=good.pk).update(started_at=end - minutes(100), finished_at=end - minutes(92))
    for number, outcome, started, ended in (
        (1, "failed", 610, 490),
        (2, "handed_back", 300, 200),
        (3, "parked", 100.5, 100),
        (4, "completed", 30, 29.5),
    ):
        times = {"started_at": end - minutes(started), "ended_at": end - minutes(ended), "lease_token": uuid4()}
        run.attempts.create(number=number, outcome=outcome, **times)
    assert estimate_of(listing).seconds == pytest.approx(9 * 60, abs=1)
    assert estimate_of(listing).cost_usd == Decimal("1.24")


def test_a_scrape_on_the_web_server_counts_its_time_once(listing: CompetitorAmazonUrl) -> None:
    """There the attempt lasts as long as its upstream run."""
    end = timezone.now()
    run = runs.ended(runs.queued(listing), mode="legacy")
    good = runs.paid(run, "1", "1.24")
    type(good).objects.filter(pk=good.pk).update(started_at=end - minutes(9), finished_at=end - minutes(1))
    run.attempts.create(number=1, outcome="completed", started_at=end - minutes(10), ended_at=end, lease_token=uuid4())
    assert estimate_of(listing).seconds == pytest.approx(10 * 60, abs=1)
