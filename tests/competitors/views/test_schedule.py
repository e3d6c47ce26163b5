"""A schedule of a subject, made in words: nobody types an id, and a cron expression only who wants one."""

import html
import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from competitors.models import CompetitorAmazonUrl
from pipeline import api
from pipeline.models import Job, Run
from tests.competitors import runs
from tests.competitors.addresses import tab

pytestmark = pytest.mark.django_db
BOTH = {"include_keywords": "on", "include_helpful": "on"}
DAILY = {"every": "daily", "at": "06:00", "weekday": "1", "day": "1", "cron": "", **BOTH}


def address(listing: CompetitorAmazonUrl) -> str:
    return f"{tab(listing.competitor)}{listing.pk}/schedule/"


@pytest.fixture
def manager(person: Any) -> Any:
    return person(
        "manager", "view_competitor", "view_competitoramazonurl", "scrape_competitoramazonurl", "scrape_run", "change_job"
    )


@pytest.fixture
def planner(manager: Any) -> Client:
    client = Client()
    client.force_login(manager)
    return client


def text_of(page: Client, path: str, **data: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(page.get(path, data).content.decode()))


@pytest.mark.parametrize(
    ("fields", "cron", "words"),
    [
        ({}, "0 6 * * *", "Every day at 06:00"),
        ({"at": "14:30"}, "30 14 * * *", "Every day at 14:30"),
        ({"every": "weekly"}, "0 6 * * 1", "Every Monday at 06:00"),
        ({"every": "weekly", "weekday": "0"}, "0 6 * * 0", "Every Sunday at 06:00"),
        ({"every": "monthly", "day": "15"}, "0 6 15 * *", "Every month on day 15 at 06:00"),
        ({"every": "custom", "cron": " 0 6 * *  1-5"}, "0 6 * * 1-5", "At 06:00"),
    ],
)
def test_a_schedule_is_made_in_words_and_read_back(
    planner: Client, listing: CompetitorAmazonUrl, manager: Any, fields: dict[str, str], cron: str, words: str
) -> None:
    assert planner.post(address(listing), DAILY | fields).status_code == 303
    job = Job.objects.get()
    assert (job.cron_expression, job.subject, job.status, job.created_by) == (cron, str(listing.pk), "active", manager)
    assert job.parameters["include_keywords"] is True
    assert words in text_of(planner, tab(listing.competitor))
    page = text_of(planner, address(listing))
    assert words in page
    assert f'value="{(DAILY | fields)["every"]}" required id="schedule_every_' in page or " checked" in page
    assert "Scheduled by manager: " in page


def test_the_row_says_what_it_costs_a_month(planner: Client, listing: CompetitorAmazonUrl) -> None:
    planner.post(address(listing), DAILY)
    text = text_of(planner, tab(listing.competitor))
    assert "Every day at 06:00, Los Angeles time" in text
    assert re.search(r"30 runs, ≈ \$27\.90 a month\. Next: \w+ \d+ \w+ 06:00\.", text)
    planner.post(address(listing), DAILY | {"every": "weekly"})
    assert "4.3 runs, ≈ $4.00 a month" in text_of(planner, tab(listing.competitor))


def test_its_price_is_the_one_beside_the_button(planner: Client, listing: CompetitorAmazonUrl) -> None:
    """Both are learned from the listing's own scrapes."""
    for _ in range(3):
        runs.paid(runs.ended(runs.queued(listing), counts={"new": 100}), "0.93", "0.11")
    beside = re.search(r"≈ (\$[\d.]+)\. Never more", text_of(planner, tab(listing.competitor)))
    assert beside
    assert beside[1] != "$0.93"
    assert f"at ≈ {beside[1]} each" in text_of(planner, address(listing))


def test_an_outlook_says_the_next_five_times_and_the_cost_of_the_ticked_options(
    planner: Client, listing: CompetitorAmazonUrl
) -> None:
    text = text_of(planner, address(listing), every="custom", cron="0 6 * * 1-5")
    assert "22 runs a month, ≈ $3.96 a month at ≈ $0.18 each" in text
    assert len(re.findall(r"\w{3} \d+ \w{3} 06:00", text)) == 5
    assert "<html" not in text
    assert "is not a schedule" in text_of(planner, address(listing), every="custom", cron="often")
    assert not Job.objects.exists()


@pytest.mark.parametrize("cron", ["* * * * *", "*/30 * * * *", "0 * * * *"])
def test_a_costly_schedule_is_asked_about_first(planner: Client, listing: CompetitorAmazonUrl, cron: str) -> None:
    often = DAILY | {"every": "custom", "cron": cron}
    response = planner.post(address(listing), often)
    assert response.status_code == 422
    assert not Job.objects.exists()
    text = html.unescape(response.content.decode())
    assert re.search(r"That is [\d,]+ runs and ≈ \$[\d,.]+ a month\. Not saved yet\.", text)
    assert planner.post(address(listing), often | {"sure": "on"}).status_code == 303
    assert Job.objects.get().cron_expression == cron


def test_every_minute_is_said_with_its_runs_and_its_cost(planner: Client, listing: CompetitorAmazonUrl) -> None:
    response = planner.post(address(listing), DAILY | {"every": "custom", "cron": "* * * * *"})
    assert "That is 43,800 runs and ≈ $40,734.00 a month." in html.unescape(response.content.decode())


def test_the_limit_of_cost_is_a_setting(planner: Client, listing: CompetitorAmazonUrl, settings: Any) -> None:
    settings.PIPELINE_SCHEDULE_ASK_USD = Decimal("27.89")
    assert planner.post(address(listing), DAILY).status_code == 422
    settings.PIPELINE_SCHEDULE_ASK_USD = Decimal("27.90")
    assert planner.post(address(listing), DAILY).status_code == 303


@pytest.mark.parametrize("cron", ["", "often", "0 6 * *", "0 0 6 * * *", "61 * * * *"])
def test_a_wrong_expression_is_refused_in_words(planner: Client, listing: CompetitorAmazonUrl, cron: str) -> None:
    response = planner.post(address(listing), DAILY | {"every": "custom", "cron": cron})
    assert response.status_code == 422
    assert "is not a schedule" in html.unescape(response.content.decode())
    assert not Job.objects.exists()


def test_it_is_switched_off_and_on_again_and_says_by_whom(planner: Client, listing: CompetitorAmazonUrl) -> None:
    planner.post(address(listing), DAILY)
    planner.post(address(listing), DAILY | {"every": "off"})
    job = Job.objects.get()
    assert (job.status, job.cron_expression) == ("paused", "0 6 * * *")
    assert "Switched off by manager." in text_of(planner, address(listing))
    planner.post(address(listing), DAILY)
    assert Job.objects.get().status == "active"
    assert "Switched on by manager." in text_of(planner, address(listing))
    assert Run.objects.filter(status="pending", scheduled_for__isnull=False).count() == 1


def test_what_the_form_does_not_ask_is_kept(planner: Client, listing: CompetitorAmazonUrl) -> None:
    parameters = {"competitor_amazon_url_id": str(listing.pk)}
    kept = {"max_runs": 9, "time_zone": "Europe/Berlin", "max_retries": 1, "name": "Mornings"}
    api.ensure_recurring_job(listing.competitor.brand_id, "amazon_review_scrape", "0 3 * * *", parameters, **kept)
    planner.post(address(listing), DAILY)
    job = Job.objects.get()
    assert (job.cron_expression, job.max_runs, job.time_zone, job.max_retries, job.name) == (
        "0 6 * * *",
        9,
        "Europe/Berlin",
        1,
        "Mornings",
    )


def test_who_may_not_schedule_sees_it_but_has_no_link_and_no_page(
    page: Client, planner: Client, listing: CompetitorAmazonUrl
) -> None:
    planner.post(address(listing), DAILY)
    text = text_of(page, tab(listing.competitor))
    assert "Every day at 06:00" in text
    assert address(listing) not in text
    assert page.get(address(listing)).status_code == 403
    assert page.post(address(listing), DAILY).status_code == 403


def test_a_foreign_listing_has_no_schedule_here(
    planner: Client, listing: CompetitorAmazonUrl, foreign: CompetitorAmazonUrl
) -> None:
    assert planner.post(f"{tab(listing.competitor)}{foreign.pk}/schedule/", DAILY).status_code == 404


def test_what_a_schedule_costs_is_learned_from_the_listings_runs(planner: Client, listing: CompetitorAmazonUrl) -> None:
    before = text_of(planner, address(listing), **DAILY)
    runs.paid(runs.ended(runs.queued(listing)), estimate="0.93", actual="1.20")
    assert "at ≈ $0.93 each" in before
    assert "at ≈ $1.20 each" in text_of(planner, address(listing), **DAILY)
