"""What the page says of price and age before the click."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from competitors.models import CompetitorAmazonUrl
from pipeline import queries
from pipeline.models import DatasetStatus
from tests.competitors import runs
from tests.competitors.addresses import tab

pytestmark = pytest.mark.django_db


def price(page: Client, listing: CompetitorAmazonUrl, **options: str) -> str:
    place = {"brand": listing.competitor.brand.slug, "competitor": listing.competitor.pk, "pk": listing.pk}
    response = page.get(reverse("amazon_price", kwargs=place), options)
    assert response.status_code == 200
    return response.content.decode().strip()


def test_the_price_follows_the_ticked_options(page: Client, listing: CompetitorAmazonUrl) -> None:
    both = {"include_keywords": "on", "include_helpful": "on"}
    in_button = '<span id="price-B09XK4T2LM" hx-swap-oob="true">≈ {}</span>'
    for options, words, cost in (
        (both, "About 9 minutes, ≈ $0.93. Never more than $2.79.", "$0.93"),
        ({}, "About 2 minutes, ≈ $0.18. Never more than $0.54.", "$0.18"),
    ):
        answer = price(page, listing, **options)
        assert answer.startswith(words)
        assert answer.endswith(in_button.format(cost))


def test_a_queued_run_and_run_again_have_the_price_of_their_own_options(page: Client, listing: CompetitorAmazonUrl) -> None:
    page.post(f"{tab(listing.competitor)}{listing.pk}/scrape/", {})
    row = queries.recent_runs("amazon_review_scrape", listing.competitor.brand_id, [str(listing.pk)])[str(listing.pk)][0]
    assert row.cost == Decimal("0.18")
    run = runs.ended(row.run)
    runs.paid(run, "0.18", "0.30")
    assert queries.run_detail(run).again == Decimal("0.30")


def test_run_job_says_what_it_will_cost(listing: CompetitorAmazonUrl, capsys: Any) -> None:
    about = f"competitor_amazon_url_id={listing.pk}"
    options = ["--brand", listing.competitor.brand.slug, "--param", about, "--param", "include_keywords=false"]
    call_command("run_job", "amazon_review_scrape", *options)
    assert "queued. About 3 minutes, ≈ $0.27. Never more than $0.81." in capsys.readouterr().out


def test_a_button_says_before_the_click_that_its_data_is_fresh(page: Client, listing: CompetitorAmazonUrl) -> None:
    row = {"brand": listing.competitor.brand, "dataset_key": "amazon_reviews", "subject": str(listing.pk)}
    status = DatasetStatus.objects.create(**row, last_status="completed", last_success_at=timezone.now() - timedelta(hours=2))
    assert "Fetched 2 hours ago, still fresh." in page.get(tab(listing.competitor)).content.decode()
    assert "Fetched 2 hours ago, still fresh." in price(page, listing), "with other options too"
    DatasetStatus.objects.filter(pk=status.pk).update(last_success_at=timezone.now() - timedelta(days=9))
    assert "still fresh." not in page.get(tab(listing.competitor)).content.decode()


def test_a_button_says_before_the_click_that_the_days_limit_would_keep_it_back(
    page: Client, listing: CompetitorAmazonUrl, settings: Any
) -> None:
    settings.PIPELINE_DAILY_SPEND_LIMIT_USD = Decimal("0.90")
    words = "Over what is left of today&#x27;s spend limit of $0.90."
    assert words in page.get(tab(listing.competitor)).content.decode()
    assert words in price(page, listing, include_keywords="on", include_helpful="on")
    assert "limit" not in price(page, listing), "the smaller scrape fits"
