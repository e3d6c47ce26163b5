"""Scrape reviews directly: remembered for the session, done on the web server, followed on the tab."""

from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from competitors.models import CompetitorAmazonUrl
from pipeline import api
from pipeline.api import Queued
from pipeline.contract.errors import NotAllowed
from pipeline.models import Run, RunLog
from tests.competitors import runs
from tests.competitors.addresses import of_competitor, of_listing, tab

pytestmark = pytest.mark.django_db


@pytest.fixture
def direct(page: Client, listing: CompetitorAmazonUrl) -> Client:
    """A browser whose session says legacy."""
    page.post(of_competitor("amazon_legacy", listing.competitor), {"legacy": "on"})
    return page


def press(page: Client, listing: CompetitorAmazonUrl) -> Any:
    """Scrape, without the thread that would do the work."""

    def start(brand_id: Any, job_type: str, parameters: Any, *, mode: str, created_by: Any) -> Queued:
        run = runs.running(listing, mode=mode)
        return Queued(run.job, run, created=True)

    with patch.object(api, "start_here", side_effect=start) as started:
        response = page.post(of_listing("amazon_scrape", listing), {"include_keywords": "on"})
    assert started.call_count == 1
    assert started.call_args.kwargs["mode"] == Run.Mode.LEGACY
    assert started.call_args.args[2]["include_helpful"] is False
    return response


def test_the_choice_is_remembered_and_can_be_taken_back(direct: Client, listing: CompetitorAmazonUrl) -> None:
    ticked = 'name="legacy" aria-describedby="legacy-help" checked'
    assert ticked in direct.get(tab(listing.competitor)).content.decode()
    assert direct.post(of_competitor("amazon_legacy", listing.competitor)).status_code == 303
    assert ticked not in direct.get(tab(listing.competitor)).content.decode()


def test_another_session_is_not_touched(direct: Client, listing: CompetitorAmazonUrl, operator: Any) -> None:
    other = Client()
    other.force_login(operator)
    other.post(of_listing("amazon_scrape", listing))
    assert Run.objects.get().mode == Run.Mode.WORKER


def test_the_work_starts_here_and_the_page_comes_back_at_once(direct: Client, listing: CompetitorAmazonUrl) -> None:
    response = press(direct, listing)
    assert response.status_code == 303
    assert Run.objects.get().mode == Run.Mode.LEGACY


def test_the_tab_follows_the_runs_log(direct: Client, listing: CompetitorAmazonUrl) -> None:
    press(direct, listing)
    run = Run.objects.get()
    for seq in range(1, 10):
        RunLog.objects.create(run=run, seq=seq, at=timezone.now(), message=f"<i>line</i> {seq}.")
    text = direct.get(tab(listing.competitor)).content.decode()
    shown = [seq for seq in range(1, 10) if f"&lt;i&gt;line&lt;/i&gt; {seq}." in text]
    assert shown == [4, 5, 6, 7, 8, 9]
    assert "every 3s" in text


def test_the_counts_stand_inline_at_the_end(direct: Client, listing: CompetitorAmazonUrl) -> None:
    press(direct, listing)
    runs.ended(Run.objects.get())
    text = direct.get(tab(listing.competitor)).content.decode()
    assert "Review scrape finished: 42 new, 3 changed, 310 unchanged." in text
    assert "Scrape directly: scrape reviews of Calming chews" in text


def test_a_failure_stands_inline_too(direct: Client, listing: CompetitorAmazonUrl) -> None:
    press(direct, listing)
    runs.ended(Run.objects.get(), "failed", summary="", error_message="Apify rejected the token.")
    assert "Review scrape failed: Apify rejected the token." in direct.get(tab(listing.competitor)).content.decode()


def test_a_refusal_is_shown(direct: Client, listing: CompetitorAmazonUrl) -> None:
    with patch.object(api, "start_here", side_effect=NotAllowed("It is paused. Queue it instead.")):
        response = direct.post(of_listing("amazon_scrape", listing))
    assert "It is paused. Queue it instead." in [str(message) for message in get_messages(response.wsgi_request)]


def test_a_live_run_is_shown_instead_of_a_second_one(direct: Client, listing: CompetitorAmazonUrl) -> None:
    run = runs.waiting(listing)
    with patch.object(api, "start_here", return_value=Queued(run.job, run, created=False)):
        response = direct.post(of_listing("amazon_scrape", listing))
    assert "is already doing this. Started at" in " ".join(str(message) for message in get_messages(response.wsgi_request))
