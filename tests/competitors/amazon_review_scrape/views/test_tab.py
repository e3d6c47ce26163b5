"""The Amazon tab: a panel per listing, with what it holds, what it costs, and its last runs."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from competitors.models import Competitor, CompetitorAmazonUrl
from pipeline.contract import get_type
from pipeline.models import DatasetStatus
from tests.competitors import runs
from tests.competitors.addresses import of_listing, tab
from tests.factories import make_listing, make_review

pytestmark = pytest.mark.django_db


def body(page: Client, competitor: Competitor) -> str:
    """The page's text with runs of white space made one."""
    return re.sub(r"\s+", " ", page.get(tab(competitor)).content.decode())


def test_a_competitor_without_a_listing_is_asked_for_one(page: Client, competitor: Competitor) -> None:
    text = body(page, competitor)
    assert "Barkwell has no Amazon URL." in text
    assert "legacy" not in text


def test_a_listing_shows_what_it_is_and_what_a_scrape_would_cost(page: Client, listing: CompetitorAmazonUrl) -> None:
    text = body(page, listing.competitor)
    estimate = get_type("amazon_review_scrape").estimate(
        listing.competitor.brand,
        {"competitor_amazon_url_id": str(listing.pk), "asin": listing.asin, "include_keywords": True, "include_helpful": True},
    )
    assert estimate
    assert 'href="https://www.amazon.com/dp/B09XK4T2LM"' in text
    assert "amazon.com</dd>" in text
    assert f"About {max(round(estimate.seconds / 60), 1)} minute" in text
    assert f"≈ ${estimate.cost_usd:.2f}" in text
    assert f"Never more than ${estimate.cap_usd:.2f}" in text
    assert "Also search 22 common words" in text
    assert "Also read “most helpful”" in text
    assert 'aria-label="Scrape reviews of Calming chews"' in text
    assert "No reviews yet." in text
    assert "Never" in text


def test_reviews_are_counted_averaged_and_drawn_with_words(page: Client, listing: CompetitorAmazonUrl) -> None:
    for number, rating in enumerate([5, 5, 5, 1, None]):
        make_review(listing, review_id=f"R{number:09}", rating=rating)
    make_review(listing, review_id="R999999999", rating=1, domain_code="de")
    text = body(page, listing.competitor)
    assert "<dt>Reviews saved</dt><dd>5</dd>" in text
    assert "4.0 of 5" in text
    assert 'aria-label="Star spread: 5 stars 75 %, 4 stars 0 %, 3 stars 0 %, 2 stars 0 %, 1 stars 25 %"' in text
    assert of_listing("reviews", listing) in text


def test_money_spent_so_far_is_the_sum_over_the_listings_runs(page: Client, listing: CompetitorAmazonUrl) -> None:
    first = runs.ended(runs.queued(listing))
    runs.paid(first, "2", "1.86")
    second = runs.ended(runs.queued(listing), "failed")
    runs.paid(second, "2", "0.42")
    assert "<dd>$2.28 in 2 runs</dd>" in body(page, listing.competitor)
    runs.paid(runs.ended(runs.queued(listing)), "1", None)
    assert "<dd>≈ $3.28 in 3 runs</dd>" in body(page, listing.competitor)


def test_the_last_five_one_time_runs_of_each_listing_are_its_own(page: Client, listing: CompetitorAmazonUrl) -> None:
    other = make_listing(listing.competitor, asin="B000000002")
    mine = [runs.ended(runs.queued(listing)) for _ in range(6)]
    theirs = runs.ended(runs.queued(other))
    panels = {panel.row.pk: panel for panel in page.get(tab(listing.competitor)).context["panels"]}
    assert [line.run.pk for line in panels[listing.pk].runs] == [run.pk for run in reversed(mine[1:])]
    assert [line.run.pk for line in panels[other.pk].runs] == [theirs.pk]
    text = body(page, listing.competitor)
    assert [f'id="run-{run.pk}"' in text for run in (*mine, theirs)] == [False, True, True, True, True, True, True]


def test_a_live_run_takes_the_buttons_place(page: Client, listing: CompetitorAmazonUrl) -> None:
    run = runs.running(listing)
    text = body(page, listing.competitor)
    assert f'Scrape running since <time datetime="{timezone.localtime(run.started_at).isoformat()}">' in text
    assert f"{timezone.localtime(run.started_at):%H:%M}</time>" in text
    assert f">See run {run.pk}</a>" in text
    assert 'max="31" value="22"' in text
    assert "22 of 31 sweeps." in text
    assert "Scrape reviews of Calming chews" not in text


def test_a_queued_run_says_why_it_waits(page: Client, listing: CompetitorAmazonUrl) -> None:
    run = runs.queued(listing)
    text = body(page, listing.competitor)
    assert "Scrape queued since" in text
    assert "No worker has ever reported." in text
    assert f">See run {run.pk}</a>" in text


def test_a_run_that_waits_for_its_retry_can_be_brought_forward(page: Client, listing: CompetitorAmazonUrl) -> None:
    run = runs.retrying(listing)
    text = body(page, listing.competitor)
    assert "Try 2 of 4 in 9 min. Last error: HTTP 502 from Apify" in text
    assert f'action="/pipeline/runs/{run.pk}/run_now/"' in text


def test_a_schedules_run_of_tomorrow_leaves_the_button(page: Client, listing: CompetitorAmazonUrl) -> None:
    run = runs.queued(listing)
    tomorrow = timezone.now() + timedelta(days=1)
    runs.put(run, dedupe_key=None, scheduled_for=tomorrow, due_at=tomorrow)
    assert "Scrape reviews of Calming chews" in body(page, listing.competitor)


def test_a_schedules_run_under_way_takes_the_buttons_place(page: Client, listing: CompetitorAmazonUrl) -> None:
    run = runs.put(runs.running(listing), scheduled_for=timezone.now())
    text = body(page, listing.competitor)
    assert f">See run {run.pk}</a>" in text
    assert "Scrape reviews of Calming chews" not in text


def test_run_numbers_and_ids_are_never_written_with_a_separator(page: Client, listing: CompetitorAmazonUrl) -> None:
    run = runs.running(listing)
    type(run).objects.filter(pk=run.pk).update(id=1234567)
    text = body(page, listing.competitor)
    assert "See run 1234567" in text
    assert "1,234,567" not in text


def test_stale_reviews_have_a_banner_and_fresh_ones_none(page: Client, listing: CompetitorAmazonUrl) -> None:
    row = DatasetStatus.objects.create(
        brand=listing.competitor.brand,
        dataset_key="amazon_reviews",
        subject=str(listing.pk),
        last_status="completed",
        last_success_at=timezone.now(),
    )
    assert page.get(tab(listing.competitor)).context["banner"] is None
    DatasetStatus.objects.filter(pk=row.pk).update(last_success_at=timezone.now() - timedelta(days=30))
    response = page.get(tab(listing.competitor))
    assert "30 days old" in response.context["banner"].title
    assert response.context["banner"].title in response.content.decode()


def test_the_banner_calls_no_run_failed_that_will_be_tried_again(page: Client, listing: CompetitorAmazonUrl) -> None:
    run = runs.retrying(listing)
    row = {"brand": listing.competitor.brand, "dataset_key": "amazon_reviews", "subject": str(listing.pk)}
    DatasetStatus.objects.create(**row, last_status="failed", last_run=run, error_message="HTTP 502 from Apify")
    assert page.get(tab(listing.competitor)).context["banner"].text == f"Run {run.pk} will be tried again: HTTP 502 from Apify"
    DatasetStatus.objects.update(last_success_at=timezone.now())
    assert "but the last try failed" in page.get(tab(listing.competitor)).context["banner"].title
    runs.ended(run, "failed")
    assert "but the last run failed" in page.get(tab(listing.competitor)).context["banner"].title


def test_the_page_names_what_it_shows(page: Client, listing: CompetitorAmazonUrl) -> None:
    make_review(listing)
    text = body(page, listing.competitor)
    assert "<title>Amazon · Barkwell · Competitors" in text
    assert "Competitor of Northpaw. 1 Amazon listing, 1 review saved" in text
    assert text.count("<h1") == 1


def test_at_most_one_button_is_filled(page: Client, listing: CompetitorAmazonUrl) -> None:
    for number in range(3):
        make_listing(listing.competitor, asin=f"B00000000{number}")
    assert body(page, listing.competitor).count("btn--primary") == 1


def test_names_from_outside_are_text(page: Client, listing: CompetitorAmazonUrl) -> None:
    evil = "<script>alert(1)</script>"
    CompetitorAmazonUrl.objects.update(product_title=evil, amazon_url="javascript:alert(1)")
    runs.ended(runs.queued(listing), "failed", summary="", error_message=evil)
    text = body(page, listing.competitor)
    assert evil not in text
    assert "javascript:" not in text


def test_nothing_on_the_page_is_inline_script_or_style(page: Client, listing: CompetitorAmazonUrl) -> None:
    runs.running(listing)
    text = body(page, listing.competitor)
    assert not re.search(r"\son\w+=|\sstyle=|<style|<script(?![^>]*\ssrc=)|hx-on", text)


@pytest.mark.parametrize("state", ["rest", "live"])
def test_the_number_of_queries_does_not_grow_with_the_listings(page: Client, competitor: Competitor, state: str) -> None:
    def fill(numbers: range) -> None:
        for number in numbers:
            row = make_listing(competitor, asin=f"B{number:09}")
            make_review(row)
            runs.paid(runs.ended(runs.queued(row)), "1", "1")
            if state == "live":
                runs.running(row)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert page.get(tab(competitor)).status_code == 200
        return len(captured)

    fill(range(1))
    page.get(tab(competitor))  # whatever is read once per process
    one = queries()
    fill(range(1, 10))
    assert queries() == one
    assert one <= 26


def test_a_filled_tab_still_works_for_everything_at_once(page: Client, competitor: Competitor, operator: Any) -> None:
    rows = [make_listing(competitor, asin=f"B00000000{number}") for number in range(4)]
    runs.queued(rows[0], operator)
    runs.running(rows[1])
    runs.waiting(rows[2])
    runs.retrying(rows[3])
    assert page.get(tab(competitor)).status_code == 200
