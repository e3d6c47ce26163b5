"""The poll: it brings what changed, says what ended, and stops by itself."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from competitors.models import CompetitorAmazonUrl
from pipeline.models import Run
from tests.competitors import runs
from tests.competitors.addresses import of_competitor, tab
from tests.factories import make_listing, make_review

pytestmark = pytest.mark.django_db


def poll_address(text: str) -> str | None:
    """Where the page will look next; None where it will not."""
    found = re.search(r'id="poll" hidden hx-get="([^"]+)" hx-trigger="every 3s"', text)
    return html.unescape(found[1]) if found else None


def open_tab(page: Client, listing: CompetitorAmazonUrl) -> str:
    return page.get(tab(listing.competitor)).content.decode()


def test_a_page_at_rest_does_not_poll(page: Client, listing: CompetitorAmazonUrl) -> None:
    text = open_tab(page, listing)
    assert poll_address(text) is None
    assert "every 3s" not in text


def test_a_live_page_has_one_poll_however_many_listings(page: Client, listing: CompetitorAmazonUrl) -> None:
    runs.running(listing)
    runs.running(make_listing(listing.competitor, asin="B000000002"))
    text = open_tab(page, listing)
    assert poll_address(text)
    assert text.count("hx-trigger") == 1


def test_a_poll_brings_the_live_listings_rows_and_no_others(page: Client, listing: CompetitorAmazonUrl) -> None:
    make_listing(listing.competitor, asin="B000000002")
    runs.running(listing)
    address = poll_address(open_tab(page, listing))
    assert address
    text = page.get(address).content.decode()
    assert re.findall(r'<tbody id="([\w-]+)"[^>]* hx-swap-oob="change"', text) == ["listing-B09XK4T2LM"]
    assert poll_address(text)
    assert "<html" not in text


def test_a_poll_with_no_news_is_answered_empty(page: Client, listing: CompetitorAmazonUrl) -> None:
    runs.queued(listing)
    first = poll_address(open_tab(page, listing))
    assert first
    second = poll_address(page.get(first).content.decode())
    assert second
    response = page.get(second)
    assert (response.status_code, response.content, response["HX-Reswap"]) == (304, b"", "none")


def test_a_poll_reads_nothing_while_nothing_changes(
    page: Client, listing: CompetitorAmazonUrl, django_assert_max_num_queries: Any
) -> None:
    run, long_ago = runs.queued(listing), timezone.now() - timedelta(hours=2)
    runs.put(run, created_at=long_ago, due_at=timezone.now() + timedelta(hours=2))  # no word about it is of seconds
    first = poll_address(open_tab(page, listing))
    assert first
    second = poll_address(page.get(first).content.decode())
    assert second
    with django_assert_max_num_queries(6):
        assert page.get(second).status_code == 304
    runs.put(run, error_message="The upstream is down.", attempt=1)
    assert page.get(second).status_code == 200


def test_the_end_brings_the_button_back_says_so_once_and_stops_the_poll(page: Client, listing: CompetitorAmazonUrl) -> None:
    run = runs.running(listing)
    address = poll_address(open_tab(page, listing))
    assert address
    runs.ended(run)
    text = page.get(address).content.decode()
    assert "Scrape reviews of Calming chews" in text
    assert re.search(rf'id="news"[^>]*><span data-run="{run.pk}">Run {run.pk} completed: [^<]*42 new', text)
    assert poll_address(text) is None
    assert 'id="poll"' in text


def test_a_tick_without_an_end_announces_nothing(page: Client, listing: CompetitorAmazonUrl) -> None:
    run = runs.running(listing)
    address = poll_address(open_tab(page, listing))
    assert address
    runs.put(run, progress={"done": 23, "total": 31, "unit": "sweeps"})
    text = page.get(address).content.decode()
    assert "23 of 31" in text
    assert 'id="news"' not in text


def test_a_run_that_somebody_else_started_joins_in(page: Client, listing: CompetitorAmazonUrl) -> None:
    runs.running(listing)
    other = make_listing(listing.competitor, asin="B000000002")
    address = poll_address(open_tab(page, listing))
    assert address
    run = runs.queued(other)
    text = page.get(address).content.decode()
    assert f"See run {run.pk}" in text
    assert f"{run.pk}%3Apending" in text or f"{run.pk}:pending" in text


@pytest.mark.parametrize("watch", ["", "x", "1:2:3,,", "9" * 30 + ":running", "-1:running", "²:running", ",".join(["1:a"] * 500)])
def test_a_mangled_address_is_harmless(page: Client, listing: CompetitorAmazonUrl, watch: str) -> None:
    response = page.get(of_competitor("amazon_live", listing.competitor), {"watch": watch})
    assert response.status_code == 200


def test_a_poll_tells_nothing_of_other_brands_runs(
    page: Client, listing: CompetitorAmazonUrl, foreign: CompetitorAmazonUrl
) -> None:
    run = runs.ended(runs.queued(foreign))
    text = page.get(of_competitor("amazon_live", listing.competitor), {"watch": f"{run.pk}:running"}).content.decode()
    assert f"run {run.pk}" not in text.lower()
    assert run.get_absolute_url() not in text


def test_the_polls_queries_do_not_grow_with_the_listings(
    page: Client, listing: CompetitorAmazonUrl, django_assert_max_num_queries: Any
) -> None:
    for number in range(9):
        runs.running(make_listing(listing.competitor, asin=f"B{number:09}"))
    address = poll_address(open_tab(page, listing))
    assert address
    with django_assert_max_num_queries(26):
        page.get(address)


def test_the_end_brings_the_heads_figures_and_the_banner(page: Client, listing: CompetitorAmazonUrl) -> None:
    run = runs.running(listing)
    shown = open_tab(page, listing)
    assert "0 reviews saved, 1 being scraped now" in shown
    address = poll_address(shown)
    assert address
    runs.ended(run)
    make_review(listing)
    text = page.get(address).content.decode()
    assert re.search(r'id="summary" hx-swap-oob="true">[^<]*1 review saved\.', text)
    assert re.search(r'id="banner" hx-swap-oob="true"', text)


def test_the_banners_button_scrapes_its_subject_with_the_usual_options(page: Client, listing: CompetitorAmazonUrl) -> None:
    text = open_tab(page, listing)
    form = re.search(r'<form method="post" action="([^"]+)">(?:(?!</form>).)*id="banner-fix">([^<]+)<', text, re.DOTALL)
    assert form
    assert re.fullmatch(r"Scrape reviews: Calming chews, ≈ \$0\.\d\d", form[2])  # "… of X" is the name of the row's button
    hidden = dict(re.findall(r'<input type="hidden" name="(include_\w+)" value="(\w+)">', form[0]))
    page.post(form[1], hidden)
    run = Run.objects.get()
    assert (run.subject, run.parameters["include_keywords"], run.parameters["include_helpful"]) == (str(listing.pk), True, True)
