"""Data that another subject's scrape fetched is offered beside the button, and used only by who presses that."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from competitors.models import CompetitorAmazonUrl
from competitors.sandbox.server import Sandbox
from pipeline import api
from pipeline.models import Run
from pipeline.people import limit_to
from tests.competitors.addresses import of_listing, tab
from tests.competitors.reuse import made_older, work_off
from tests.competitors.scraping import finish, upstream_runs

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = {"include_keywords": "on", "include_helpful": "on"}


def scraped(listing: CompetitorAmazonUrl, minutes: int = 12, **options: bool) -> Run:
    """A good scrape with all options, unless some are switched off."""
    parameters = {"competitor_amazon_url_id": str(listing.pk)} | options
    run = finish(api.queue_one_time_job(listing.competitor.brand_id, "amazon_review_scrape", parameters).run)
    made_older(run, timedelta(minutes=minutes, seconds=5))
    return run


def shown(page: Client, listing: CompetitorAmazonUrl) -> str:
    return page.get(tab(listing.competitor)).content.decode()


def press(page: Client, listing: CompetitorAmazonUrl, **more: str) -> Run:
    page.post(of_listing("amazon_scrape", listing), BOTH | more)
    return Run.objects.latest("pk")


def test_two_clicks_on_one_product_are_two_runs_and_one_paid_start(
    page: Client, sandbox: Sandbox, listing: CompetitorAmazonUrl, sibling: CompetitorAmazonUrl
) -> None:
    first, second = press(page, listing), press(page, sibling)
    assert first != second
    work_off(first, second)
    assert (first.status, second.status, upstream_runs(sandbox)) == ("completed", "completed", 1)
    assert listing.reviews().count() == sibling.reviews().count() == sum(run.counts.get("new", 0) for run in (first, second)) > 0


def test_it_is_offered_with_its_age_beside_the_price_and_used_for_free(
    page: Client, sandbox: Sandbox, listing: CompetitorAmazonUrl, sibling: CompetitorAmazonUrl
) -> None:
    payer = scraped(listing)
    body = shown(page, sibling)
    assert "Use it, free" in body
    assert f"Run {payer.pk} fetched the same data 12 minutes ago." in body
    assert "≈ $" in body, "the scrape that costs money is still there"
    run = finish(press(page, sibling, reuse="1"))
    assert (run.status, run.cost_actual, upstream_runs(sandbox)) == ("completed", Decimal(0), 1)
    assert "Use it, free" not in shown(page, sibling), "its own data is as new now"
    seen = page.get(run.get_absolute_url()).content.decode()
    assert f"Uses run {payer.pk}'s scrape, 12 minutes old, $0." in seen.replace("&#x27;", "'")


def test_the_button_with_a_price_pays(
    page: Client, sandbox: Sandbox, listing: CompetitorAmazonUrl, sibling: CompetitorAmazonUrl
) -> None:
    scraped(listing)
    assert finish(press(page, sibling)).cost_actual > 0
    assert upstream_runs(sandbox) == 2


def test_the_free_button_never_pays(
    page: Client, sandbox: Sandbox, listing: CompetitorAmazonUrl, sibling: CompetitorAmazonUrl
) -> None:
    payer = scraped(listing)
    shown(page, sibling)
    payer.delete()
    run = finish(press(page, sibling, reuse="1"))
    assert (run.status, upstream_runs(sandbox)) == ("failed", 1)
    assert "Nothing was paid" in run.error_message


def test_it_is_offered_for_the_options_that_are_ticked(
    page: Client, sandbox: Sandbox, listing: CompetitorAmazonUrl, sibling: CompetitorAmazonUrl
) -> None:
    scraped(listing, include_helpful=False)
    price = of_listing("amazon_price", sibling)
    assert "Use it, free" in page.get(price, {"include_keywords": "on"}).content.decode()
    assert "Use it, free" not in page.get(price, BOTH).content.decode()


def test_the_page_of_several_and_the_banner_say_it_too(
    page: Client, sandbox: Sandbox, listing: CompetitorAmazonUrl, sibling: CompetitorAmazonUrl
) -> None:
    payer = scraped(listing)
    words = f"Run {payer.pk} fetched the same data 12 minutes ago. Its row offers that for free."
    assert words in page.get(f"{tab(sibling.competitor)}several/", {"all": "1"}).content.decode()
    assert 'id="banner-free" name="reuse" value="1"' in shown(page, sibling)


@pytest.mark.parametrize("why", ["too old", "fewer options", "its own", "older than its own"])
def test_what_is_no_better_than_a_scrape_is_not_offered(
    page: Client, sandbox: Sandbox, listing: CompetitorAmazonUrl, sibling: CompetitorAmazonUrl, why: str
) -> None:
    match why:
        case "too old":
            scraped(listing, minutes=24 * 60)
        case "fewer options":
            scraped(listing, include_helpful=False)
        case "its own":
            scraped(sibling)
        case _:
            scraped(listing)
            finish(press(page, sibling))
    assert "Use it, free" not in shown(page, sibling)


def test_who_may_not_see_the_other_brand_is_not_told_whose_it_was(
    page: Client, operator: Any, sandbox: Sandbox, listing: CompetitorAmazonUrl, foreign: CompetitorAmazonUrl
) -> None:
    payer = scraped(foreign)
    assert f"Run {payer.pk} fetched the same data 12 minutes ago." in shown(page, listing), "every brand is open to this person"
    limit_to(operator, [listing.competitor.brand])
    body = shown(page, listing)
    assert "Another run fetched the same data 12 minutes ago." in body
    assert f"Run {payer.pk}" not in body
    run = finish(press(page, listing, reuse="1"))
    seen = page.get(run.get_absolute_url()).content.decode().replace("&#x27;", "'")
    assert "Uses another run's scrape, 12 minutes old, $0." in seen
    assert payer.get_absolute_url() not in seen
    assert f"run {payer.pk}" not in seen.lower()
    assert payer.brand.name not in seen
