"""The stock admin's list of the ads that searches found."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from competitors.models import LibraryAd
from pipeline import api
from pipeline.models import Job, Run
from tests.factories import make_person

from .conftest import NO_ADS, SEARCH

pytestmark = pytest.mark.django_db
ADDRESS = reverse("admin:competitors_libraryad_changelist")


@pytest.fixture
def manager() -> Client:
    client = Client()
    client.force_login(make_person("mia", "manager"))
    return client


def make_run(url: str, **options: Any) -> Run:
    """A search that is over."""
    run = api.queue_one_time_job(None, "template_scrape", {"search_url": url, "max_ads": 20, **options}).run
    api.cancel(run, by=None)
    return Run.objects.get(pk=run.pk)


def make_ad(number: int, run: Run | None) -> LibraryAd:
    now = timezone.now()
    return LibraryAd.objects.create(ad_archive_id=str(number), first_seen_at=now, last_seen_at=now, last_run=run)


def scrape(client: Client, *ads: LibraryAd, **more: str) -> Any:
    chosen = {"action": "scrape_selected", "_selected_action": [str(ad.pk) for ad in ads], **more}
    return client.post(ADDRESS, chosen, follow=True)


def words(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def test_each_search_that_found_the_selected_ads_is_run_again_once_with_its_options(manager: Client) -> None:
    first, second = make_run(SEARCH, images_only=False), make_run(NO_ADS)
    ads = [make_ad(1, first), make_ad(2, first), make_ad(3, second), make_ad(4, None)]
    answer = scrape(manager, *ads)
    queued = Run.objects.filter(status="pending").order_by("pk")
    assert [run.parameters for run in queued] == [second.parameters, first.parameters]
    assert [run.parameters["images_only"] for run in queued] == [True, False]
    assert {run.job.created_by.username for run in queued} == {"mia"}
    assert words(answer).startswith("2 searches queued, 0 already queued or running, 1 refused. Ad 4: The run that found it")
    assert words(scrape(manager, *ads)).startswith("0 searches queued, 2 already queued or running")


def test_what_costs_much_is_asked_about_first(manager: Client, settings: Any) -> None:
    settings.AD_LIBRARY_PRICE_USD = Decimal(20)
    ad = make_ad(1, make_run(SEARCH, max_ads=1000))
    asked = scrape(manager, ad)
    assert "Search again of 1 ad?" in asked.content.decode()
    assert asked.context["cost"] > Decimal(10)
    assert not Run.objects.filter(status="pending").exists()
    scrape(manager, ad, confirmed="yes")
    assert Run.objects.get(status="pending").job.schedule_type == Job.Schedule.ONE_TIME
