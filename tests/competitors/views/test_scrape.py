"""A click on Scrape: one run, and words that say what became of the click."""

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from competitors.models import CompetitorAmazonUrl
from pipeline import api
from pipeline.contract.errors import InvalidRequest, NotAllowed
from pipeline.models import ConcurrencyLimit, Job, Pause, Run
from tests.competitors.addresses import of_listing, tab

pytestmark = pytest.mark.django_db
BOTH = {"include_keywords": "on", "include_helpful": "on"}


def press(page: Client, listing: CompetitorAmazonUrl, **options: str) -> Any:
    return page.post(of_listing("amazon_scrape", listing), options)


def said(response: Any) -> str:
    """What the next page will say above its content."""
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def test_a_click_queues_one_run(page: Client, listing: CompetitorAmazonUrl, operator: Any) -> None:
    response = press(page, listing, **BOTH)
    run = Run.objects.get()
    assert (run.job_type, run.subject, run.status, run.mode) == ("amazon_review_scrape", str(listing.pk), "pending", "worker")
    assert run.brand == listing.competitor.brand
    assert run.created_by == operator
    assert run.parameters == {
        "competitor_amazon_url_id": str(listing.pk),
        "asin": "B09XK4T2LM",
        "include_keywords": True,
        "include_helpful": True,
    }
    assert said(response).startswith("Review scrape queued! It starts when a worker is free.")


def test_the_message_links_to_the_run(page: Client, listing: CompetitorAmazonUrl) -> None:
    response = press(page, listing, **BOTH)
    run = Run.objects.get()
    assert f'<a href="{run.get_absolute_url()}">See run {run.pk}</a>' in said(response)


def test_the_answer_goes_back_to_the_listing_on_its_tab(page: Client, listing: CompetitorAmazonUrl) -> None:
    response = press(page, listing, **BOTH)
    assert response.status_code == 303
    assert response["Location"] == tab(listing.competitor) + "#listing-B09XK4T2LM"


def test_options_left_unticked_are_left_out(page: Client, listing: CompetitorAmazonUrl) -> None:
    press(page, listing, include_helpful="on")
    assert Run.objects.get().parameters["include_keywords"] is False
    assert Run.objects.get().parameters["include_helpful"] is True


def test_a_second_click_returns_the_live_run(page: Client, listing: CompetitorAmazonUrl) -> None:
    press(page, listing, **BOTH)
    Run.objects.update(created_at=timezone.now() - timedelta(seconds=12))
    response = press(page, listing, **BOTH)
    run = Run.objects.get()
    assert Job.objects.count() == 1
    assert "already queued 12 s ago by you, 1st in the queue" in said(response)
    assert f"See run {run.pk}" in said(response)
    assert "options differ" not in said(response)


@pytest.mark.parametrize(
    ("stop", "fields", "why"),
    [
        (ConcurrencyLimit, {"max_running": 0}, "The limit for all runs except exports and notifications is 0"),
        (Pause, {}, "Paused by the system since"),
    ],
)
def test_a_click_on_what_is_kept_back_says_why_and_no_place_in_the_queue(
    page: Client, listing: CompetitorAmazonUrl, stop: Any, fields: dict[str, int], why: str
) -> None:
    stop.objects.create(**fields)
    first, second = said(press(page, listing, **BOTH)), said(press(page, listing, **BOTH))
    assert f"Review scrape queued! {why}" in first
    assert "when a worker is free" not in first
    assert f"by you. {why}" in second
    assert "in the queue" not in second


def test_a_second_click_with_other_options_is_told_so(page: Client, listing: CompetitorAmazonUrl) -> None:
    press(page, listing, include_helpful="on")
    assert "Its options differ: Also search 22 common words: off." in said(press(page, listing, **BOTH))


def test_a_click_on_a_running_one_says_since_when(page: Client, listing: CompetitorAmazonUrl) -> None:
    press(page, listing, **BOTH)
    began = timezone.now() - timedelta(minutes=3)
    Run.objects.update(status="waiting", started_at=began)
    assert f"is already doing this. Started at {timezone.localtime(began):%H:%M} by you." in said(press(page, listing, **BOTH))


def test_a_click_on_one_that_waits_for_its_retry_offers_run_now(page: Client, listing: CompetitorAmazonUrl) -> None:
    press(page, listing, **BOTH)
    Run.objects.update(attempt=1, due_at=timezone.now() + timedelta(minutes=9, seconds=30), error_message="HTTP 502 from Apify")
    words = said(press(page, listing, **BOTH))
    assert "Try 2 of 4 in 9 min. Last error: HTTP 502 from Apify" in words
    assert "Run now" in words
    assert "Run now</button>" in page.get(tab(listing.competitor)).content.decode()


def test_who_asked_first_is_named_to_somebody_else(page: Client, listing: CompetitorAmazonUrl, person: Any) -> None:
    press(page, listing, **BOTH)
    other = Client()
    other.force_login(person("colleague", "view_competitoramazonurl", "scrape_competitoramazonurl"))
    assert "by operator" in said(press(other, listing, **BOTH))


@pytest.mark.parametrize(
    "error", [InvalidRequest("That <b>cannot</b> be scraped."), NotAllowed("That <b>cannot</b> be scraped.")]
)
def test_a_refusal_is_an_alert_in_its_own_words(page: Client, listing: CompetitorAmazonUrl, error: Exception) -> None:
    with patch("competitors.views.subjects.scrape.api.queue_one_time_job", side_effect=error):
        press(page, listing, **BOTH)
    body = page.get(tab(listing.competitor)).content.decode()
    alert = body[body.index('role="alert"') :]
    assert "That &lt;b&gt;cannot&lt;/b&gt; be scraped." in alert[: alert.index('role="status"')]


def test_an_error_message_from_outside_is_escaped_in_the_answer(page: Client, listing: CompetitorAmazonUrl) -> None:
    press(page, listing, **BOTH)
    Run.objects.update(attempt=1, due_at=timezone.now() + timedelta(minutes=9), error_message="<script>alert(1)</script>")
    assert "<script>alert" not in said(press(page, listing, **BOTH))


def test_a_scrape_is_never_started_by_a_link(page: Client, listing: CompetitorAmazonUrl) -> None:
    assert page.get(of_listing("amazon_scrape", listing)).status_code == 405
    assert not Run.objects.exists()


def test_a_post_without_the_forms_token_is_refused(operator: Any, listing: CompetitorAmazonUrl) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(operator)
    assert press(careful, listing, **BOTH).status_code == 403
    assert not Run.objects.exists()


def test_what_the_button_did_not_ask_for_is_no_other_option(page: Client, listing: CompetitorAmazonUrl) -> None:
    """The command line may leave the ASIN out: it only shows on the run's page."""
    parameters = {"competitor_amazon_url_id": str(listing.pk)}
    api.queue_one_time_job(listing.competitor.brand_id, "amazon_review_scrape", parameters)
    assert "Its options differ" not in said(press(page, listing, **BOTH))
