"""What a scrape asks for, may cost at most, and is expected to cost."""

from decimal import Decimal

import pytest

from competitors.jobs.competitor_scrape.views.tab import tab
from competitors.models import AdReading
from competitors.upstream.ad_library import ad_order
from pipeline import queries
from pipeline.contract import get_type
from tests.competitors import runs
from tests.factories import AD_PAGE, make_library

from .conftest import queue

pytestmark = pytest.mark.django_db
PRICE = Decimal("0.00075")


def paid(library, ads, **options):
    """A good scrape that had so many ads."""
    run = runs.ended(queue(library, **options))
    row = runs.paid(run, "1", str(ads * PRICE))
    type(row).objects.filter(pk=row.pk).update(price_per_item=PRICE)


def estimate(library, **options):
    parameters = {"competitor_id": str(library.competitor_id), "ad_library_url": library.url, "max_ads": 500, **options}
    return get_type("competitor_scrape").estimate(library.brand, parameters)


def test_the_input_is_what_the_actor_takes():
    order = ad_order(AD_PAGE, 500, [], PRICE)
    assert order.input == {"urls": [{"url": AD_PAGE}], "scrapeAdDetails": False, "period": "", "count": 500}
    assert (order.max_items, order.max_cost_usd, order.estimate_usd) == (600, Decimal("0.45"), Decimal("0.15"))
    assert order.reuse_key == AD_PAGE


def test_the_smallest_scrape_has_room_for_the_few_ads_that_come_in_excess():
    order = ad_order(AD_PAGE, 10, [], PRICE)
    assert (order.input["count"], order.max_items, order.max_cost_usd) == (10, 20, Decimal("0.02"))


def test_the_usual_price_is_a_setting(settings):
    settings.AD_LIBRARY_PRICE_USD = Decimal("1.50")
    assert ad_order(AD_PAGE, 500, []).estimate_usd == Decimal("0.30")


def test_the_estimate_learns_how_many_ads_there_are(library):
    for ads in (100, 120, 400):
        paid(library, ads)
    assert estimate(library).cost_usd == Decimal("0.09")
    assert estimate(library, max_ads=50).cost_usd == Decimal("0.04")


def test_a_scrape_that_reached_its_limit_says_that_there_may_be_more(library):
    paid(library, 20, max_ads=20)
    assert estimate(library, max_ads=200).cost_usd == Decimal("0.15")


def test_the_tab_says_what_the_job_type_says_and_reads_as_often_for_many(library, django_assert_num_queries):
    paid(library, 100)
    others = [make_library(library.competitor, f"{AD_PAGE}&n={number}") for number in range(5)]
    good = queries.good_runs("competitor_scrape", library.brand.pk, {str(library.pk): library.about})
    assert tab.estimate(library, tab.defaults(library), good[str(library.pk)], PRICE) == estimate(library)
    with django_assert_num_queries(1):
        assert tab.facts([library, *others]) == {}
    assert not AdReading.objects.exists()


@pytest.mark.parametrize(("typed", "ads"), [("50", 50), ("", 500), ("a few", 500), ("3", 10), ("99999", 2000), (None, 500)])
def test_the_price_beside_the_button_is_for_the_number_that_was_typed(library, typed, ads):
    assert tab.estimate(library, {"max_ads": typed}, [], PRICE) == estimate(library, max_ads=ads)
