"""Scrapes of several subjects: one page with names, prices and the total, then one click."""

import html
import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from competitors.models import CompetitorAmazonUrl
from pipeline.models import Pause, Run
from tests.competitors import runs
from tests.competitors.addresses import of_competitor, tab
from tests.factories import make_listing

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(listing: CompetitorAmazonUrl) -> list[CompetitorAmazonUrl]:
    return [listing, *(make_listing(listing.competitor, asin=f"B00000000{number}") for number in range(2))]


def text_of(page: Client, address: str, **data: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(page.get(address, data).content.decode()))


def test_all_have_a_link_with_their_number_and_price_and_nothing_ticked_has_no_button(
    page: Client, rows: list[CompetitorAmazonUrl]
) -> None:
    text = text_of(page, tab(rows[0].competitor))
    assert "Scrape all (3, ≈ $2.79)" in text
    runs.running(rows[1])
    assert "Scrape all (2, ≈ $1.86)" in text_of(page, tab(rows[0].competitor))


def test_the_page_names_each_with_its_price_and_says_total_and_cap(page: Client, rows: list[CompetitorAmazonUrl]) -> None:
    run = runs.running(rows[2])
    text = text_of(page, of_competitor("amazon_several", rows[0].competitor), pick=[str(row.pk) for row in rows])
    assert "Scrape reviews of 3 listings?" in text
    assert "≈ $1.86 in all, never more than $5.58." in text
    assert "Calming chews" in text
    assert "B000000000" in text
    assert f"{run}</a> is doing it already." in text
    assert "Scrape 2 listings, ≈ $1.86</button>" in text
    assert Run.objects.count() == 1


def test_one_click_queues_them_all_and_says_so(page: Client, rows: list[CompetitorAmazonUrl]) -> None:
    runs.running(rows[2])
    response = page.post(of_competitor("amazon_several", rows[0].competitor), {"pick": [str(row.pk) for row in rows]})
    assert response.status_code == 303
    assert {run.subject for run in Run.objects.filter(status="pending")} == {str(row.pk) for row in rows[:2]}
    said = " ".join(str(message) for message in get_messages(response.wsgi_request))
    assert "2 review scrapes queued, 1 already queued or running, 0 refused." in said


def test_nothing_ticked_leads_to_a_choice_and_to_no_run(page: Client, rows: list[CompetitorAmazonUrl]) -> None:
    address = of_competitor("amazon_several", rows[0].competitor)
    text = text_of(page, address)
    assert "Which listings?" in text
    assert text.count('type="checkbox" name="pick"') == 3
    page.post(address)
    assert not Run.objects.exists()


def test_foreign_rows_cannot_be_ticked(page: Client, listing: CompetitorAmazonUrl, foreign: CompetitorAmazonUrl) -> None:
    page.post(of_competitor("amazon_several", listing.competitor), {"pick": [str(foreign.pk), "nonsense"]})
    assert not Run.objects.exists()


def test_what_passes_the_days_limit_is_said_before_the_click(
    page: Client, rows: list[CompetitorAmazonUrl], settings: Any
) -> None:
    settings.PIPELINE_DAILY_SPEND_LIMIT_USD = Decimal(2)
    address = of_competitor("amazon_several", rows[0].competitor)
    assert "today's spend limit of $2.00" in text_of(page, address, all="1")
    assert "today's spend limit of $2.00" not in text_of(page, address, pick=str(rows[0].pk))


def test_a_pause_and_a_missing_worker_are_said_before_the_click(page: Client, rows: list[CompetitorAmazonUrl]) -> None:
    Pause.objects.create(brand=rows[0].competitor.brand)
    for address in (tab(rows[0].competitor), f"{of_competitor('amazon_several', rows[0].competitor)}?all=1"):
        text = text_of(page, address)
        assert "Paused by the system since" in text
        assert "No worker has ever reported." in text


def test_who_may_not_scrape_has_neither_link_nor_page(rows: list[CompetitorAmazonUrl], person: Any) -> None:
    reader = Client()
    reader.force_login(person("reader", "view_competitor", "view_competitoramazonurl"))
    text = text_of(reader, tab(rows[0].competitor))
    assert "Scrape all" not in text
    assert 'name="pick"' not in text
    assert reader.get(of_competitor("amazon_several", rows[0].competitor)).status_code == 403


def test_while_legacy_is_on_all_of_them_say_so(page: Client, rows: list[CompetitorAmazonUrl]) -> None:
    page.post(of_competitor("amazon_legacy", rows[0].competitor), {"legacy": "on"})
    text = text_of(page, tab(rows[0].competitor))
    assert "Scrape all directly (3, ≈ $2.79)" in text
    assert text.count("btn--direct") == 5  # each row's, the banner's, and the one for what is ticked
    assert "btn--primary" not in text
    text = text_of(page, of_competitor("amazon_several", rows[0].competitor), all="1")
    assert "Scrape reviews of 3 listings directly?" in text
    assert "Scrape directly: 3 listings" in text
