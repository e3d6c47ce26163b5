"""Renaming and time zones: what changes, and what stays."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from competitors.models import Competitor, CompetitorAmazonUrl
from pipeline import api
from pipeline.models import Brand
from tests.competitors.addresses import of_competitor
from tests.factories import make_competitor

pytestmark = pytest.mark.django_db


def of_brand(name: str, brand: Brand) -> str:
    return reverse(name, args=[brand.slug])


def test_a_renamed_brand_keeps_its_address(manager: Client, brand: Brand) -> None:
    answer = manager.post(of_brand("brand_edit", brand), {"name": "North & Paw", "time_zone": ""})
    assert answer["Location"] == "/competitors/northpaw/"
    assert Brand.objects.get().name == "North & Paw"
    assert "Saved <bdi>North &amp; Paw</bdi>." in manager.get(answer["Location"]).content.decode()


def test_a_new_time_zone_moves_the_brands_schedules(manager: Client, listing: CompetitorAmazonUrl) -> None:
    brand = listing.competitor.brand
    wanted = {"competitor_amazon_url_id": str(listing.pk)}
    job = api.ensure_recurring_job(brand.pk, "amazon_review_scrape", "0 3 * * *", wanted)
    manager.post(of_brand("brand_edit", brand), {"name": "Northpaw", "time_zone": "Asia/Tokyo"})
    run = job.runs.get()
    assert run.scheduled_for is not None
    assert run.scheduled_for.hour == 18  # 3:00 in Tokyo


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "x" * 300, "America/Los_Angeles\0"])
def test_a_time_zone_that_does_not_exist_is_refused_at_its_field(manager: Client, brand: Brand, zone: str) -> None:
    answer = manager.post(of_brand("brand_edit", brand), {"name": "Northpaw", "time_zone": zone})
    assert answer.status_code == 422
    assert 'id="id_time_zone_error"' in answer.content.decode()
    assert Brand.objects.get().time_zone == ""


@pytest.mark.parametrize("name", ["", "\u200b", "SOUTHPAW", "x" * 201])
def test_a_brand_is_not_renamed_to_what_cannot_be_used(manager: Client, brand: Brand, name: str) -> None:
    Brand.objects.create(name="Southpaw")
    answer = manager.post(of_brand("brand_edit", brand), {"name": name})
    assert answer.status_code == 422
    assert "<h1><span>Edit <bdi>Northpaw</bdi></span></h1>" in answer.content.decode()
    assert Brand.objects.get(pk=brand.pk).name == "Northpaw"


def test_an_operator_renames_a_competitor(page: Client, competitor: Competitor, operator: Any) -> None:
    address = of_competitor("competitor_edit", competitor)
    assert page.get(address).status_code == 403
    operator.user_permissions.add(Permission.objects.get(codename="change_competitor"))
    assert 'value="Barkwell"' in page.get(address).content.decode()
    answer = page.post(address, {"name": " Barkwell\u200b GmbH "})
    assert answer["Location"] == competitor.get_absolute_url()
    assert Competitor.objects.get().name == "Barkwell GmbH"


def test_a_competitor_may_take_its_own_name_in_another_case_but_no_other_ones(manager: Client, competitor: Competitor) -> None:
    make_competitor(competitor.brand, "Pawsome")
    address = of_competitor("competitor_edit", competitor)
    assert manager.post(address, {"name": "BARKWELL"}).status_code == 303
    answer = manager.post(address, {"name": "pawsome"})
    assert answer.status_code == 422
    assert "Northpaw already has a competitor called Pawsome." in answer.content.decode()


def test_a_competitor_is_found_through_its_own_brand_only(manager: Client, foreign: CompetitorAmazonUrl) -> None:
    for name in ("competitor_edit", "competitor_archive"):
        assert manager.get(reverse(name, args=["northpaw", foreign.competitor_id])).status_code == 404
    assert manager.post(reverse("competitor_restore", args=["northpaw", foreign.competitor_id])).status_code == 404
