"""Scrape reviews directly: remembered for the session, done by a thread of the web server, followed on the tab."""

from html import escape
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from competitors.models import CompetitorAmazonUrl
from competitors.sandbox.server import Sandbox
from pipeline.models import ConcurrencyLimit, Run, RunLog, UpstreamRun
from pipeline.states import RunStatus
from tests.competitors.addresses import of_competitor, of_listing, tab
from tests.processes import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def direct(page: Client, listing: CompetitorAmazonUrl, sandbox: Sandbox) -> Client:
    """A browser whose session says legacy."""
    page.post(of_competitor("amazon_legacy", listing.competitor), {"legacy": "on"})
    return page


def press(page: Client, listing: CompetitorAmazonUrl, **options: str) -> Any:
    return page.post(of_listing("amazon_scrape", listing), options)


def ended() -> Run:
    """The one run, once its thread has ended it."""
    until(lambda: not Run.objects.live().exists(), "the thread's end")
    return Run.objects.get()


def pressed_and_held(page: Client, listing: CompetitorAmazonUrl) -> Run:
    """A run whose thread waits for an upstream run that does not end."""
    press(page, listing)
    until(UpstreamRun.objects.filter(status="running").exists, "the start upstream")
    return Run.objects.get()


def said(response: Any) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


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


def test_the_page_comes_back_at_once_and_a_thread_scrapes(direct: Client, listing: CompetitorAmazonUrl, sandbox: Sandbox) -> None:
    """Nobody asks for a page meanwhile, and there is no worker."""
    response = press(direct, listing)
    assert (response.status_code, Run.objects.get().mode) == (303, Run.Mode.LEGACY)
    assert "started on the web server. You can close this page; it continues." in said(response)
    run = ended()
    assert (run.status, run.mode, run.attempts.count()) == (RunStatus.COMPLETED, Run.Mode.LEGACY, 1), run.error_message
    assert run.counts["new"] == listing.reviews().count() > 0
    assert sandbox.state["runs_started"] == 1
    listing.refresh_from_db()
    text = direct.get(tab(listing.competitor)).content.decode()
    assert f"Review scrape finished: {run.summary}" in text
    assert f"Scrape directly: scrape reviews of {escape(listing.product_title)}" in text


def test_the_thread_has_the_options_that_were_ticked(direct: Client, listing: CompetitorAmazonUrl, held: Sandbox) -> None:
    press(direct, listing, include_keywords="on")
    options = Run.objects.get().parameters
    assert (options["include_keywords"], options["include_helpful"]) == (True, False)


def test_the_tab_follows_the_runs_log(direct: Client, listing: CompetitorAmazonUrl, held: Sandbox, settings: Any) -> None:
    settings.PIPELINE_POLL_SECONDS = 60  # the thread logs nothing meanwhile
    run = pressed_and_held(direct, listing)
    until(run.logs.exists, "its first line")
    last = run.logs.latest("seq").seq
    for number in range(1, 10):
        RunLog.objects.create(run=run, seq=last + 1000 + number, at=timezone.now(), message=f"<i>line</i> {number}.")
    text = direct.get(tab(listing.competitor)).content.decode()
    shown = [number for number in range(1, 10) if f"&lt;i&gt;line&lt;/i&gt; {number}." in text]
    assert shown == [4, 5, 6, 7, 8, 9]
    assert "every 3s" in text


def test_a_failure_stands_inline_too(direct: Client, listing: CompetitorAmazonUrl, sandbox: Sandbox) -> None:
    sandbox.account.faults.arm("bad_token")
    press(direct, listing)
    assert ended().status == RunStatus.FAILED
    assert "Review scrape failed: Apify does not accept the token." in direct.get(tab(listing.competitor)).content.decode()


def test_a_refusal_is_shown_and_nothing_starts(direct: Client, listing: CompetitorAmazonUrl, sandbox: Sandbox) -> None:
    ConcurrencyLimit.objects.create(job_type="amazon_review_scrape", max_running=0)
    response = press(direct, listing)
    assert "cannot start here now: it is paused or its limit is reached. Queue it instead." in said(response)
    assert (Run.objects.count(), sandbox.state["runs_started"]) == (0, 0)


def test_a_live_run_is_shown_instead_of_a_second_one(direct: Client, listing: CompetitorAmazonUrl, held: Sandbox) -> None:
    pressed_and_held(direct, listing)
    assert "is already doing this. Started at" in said(press(direct, listing))
    assert (Run.objects.count(), held.state["runs_started"]) == (1, 1)
