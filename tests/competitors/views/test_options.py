"""The options beside the button are the fields of the job type's own form, whatever kind they are."""

from typing import Any

import pytest
from django import forms
from django.contrib.messages import get_messages
from django.test import Client

from competitors.jobs.amazon_review_scrape.job import AmazonReviewScrape
from competitors.models import CompetitorAmazonUrl
from pipeline.models import Run
from tests.competitors.addresses import of_listing, tab

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def country(monkeypatch: Any) -> None:
    """Reviews of one country, to be chosen from a list, and a box that needs a word more than its label."""

    class Params(AmazonReviewScrape.Params):
        country = forms.ChoiceField(initial="US", choices=[("US", "United States"), ("DE", "Germany")])
        archived = forms.BooleanField(required=False, help_text="They cost the same.")

    monkeypatch.setattr(AmazonReviewScrape, "Params", Params)


def press(page: Client, listing: CompetitorAmazonUrl, **options: str) -> str:
    """What is said to a press on Scrape."""
    answer = page.post(of_listing("amazon_scrape", listing), options)
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def test_a_choice_stands_beside_the_button_with_its_default(page: Client, listing: CompetitorAmazonUrl) -> None:
    body = page.get(tab(listing.competitor)).content.decode()
    assert '<label for="country-B09XK4T2LM">Country' in body
    assert '<option value="US" selected>' in body


def test_a_boxs_help_is_where_the_box_says_it_is(page: Client, listing: CompetitorAmazonUrl) -> None:
    body = page.get(tab(listing.competitor)).content.decode()
    assert 'aria-describedby="archived-B09XK4T2LM_helptext"' in body
    assert '<p class="help" id="archived-B09XK4T2LM_helptext">They cost the same.</p>' in body


def test_what_was_chosen_is_scraped(page: Client, listing: CompetitorAmazonUrl) -> None:
    press(page, listing, country="DE", include_helpful="on")
    assert Run.objects.get().parameters["country"] == "DE"


def test_what_the_form_did_not_send_keeps_its_default(page: Client, listing: CompetitorAmazonUrl) -> None:
    press(page, listing)
    assert Run.objects.get().parameters["country"] == "US"


def test_a_wrong_choice_is_refused_in_words(page: Client, listing: CompetitorAmazonUrl) -> None:
    assert "country: Select a valid choice" in press(page, listing, country="XX")
    assert not Run.objects.exists()


def test_a_live_run_with_another_choice_says_so(page: Client, listing: CompetitorAmazonUrl) -> None:
    press(page, listing, country="DE", include_helpful="on")
    assert "Its options differ: Also read “most helpful”: on; Country: DE." in press(page, listing, country="US")
