"""From an empty database to a competitor's tab."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from competitors.models import Competitor, CompetitorAmazonUrl
from pipeline.models import Brand
from tests.competitors.addresses import of_competitor
from tests.factories import make_brand, make_competitor

pytestmark = pytest.mark.django_db


def test_an_empty_database_leads_step_by_step_to_a_listing(page: Client) -> None:
    assert "No brands yet." in page.get(reverse("competitors")).content.decode()
    answer = page.post(reverse("competitors"), {"name": "North & Paw"})
    assert answer["Location"] == "/competitors/north-paw/"
    assert "has no competitors yet" in page.get(answer["Location"]).content.decode()
    answer = page.post(answer["Location"], {"name": "Barkwell"})
    assert "Barkwell has no Amazon URL." in page.get(answer["Location"]).content.decode()
    answer = page.post(of_competitor("amazon_add", Competitor.objects.get()), {"amazon_url": "amazon.com/dp/B09XK4T2LM"})
    assert "Scrape reviews of B09XK4T2LM" in page.get(answer["Location"]).content.decode()


def test_brands_and_competitors_are_counted(page: Client, listing: CompetitorAmazonUrl) -> None:
    make_competitor(listing.competitor.brand, "Other")
    brands = page.get(reverse("competitors")).context["brands"]
    assert [(brand.name, brand.competitor_count, brand.listing_count) for brand in brands] == [("Northpaw", 2, 1)]
    competitors = page.get(reverse("brand_competitors", args=["northpaw"])).context["competitors"]
    assert [(competitor.name, competitor.listing_count) for competitor in competitors] == [("Barkwell", 1), ("Other", 0)]


@pytest.mark.parametrize("name", ["", "  ", "???", "Northpaw", "NORTHPAW", "x" * 201])
def test_a_brand_name_that_cannot_be_used_is_explained(page: Client, brand: Brand, name: str) -> None:
    response = page.post(reverse("competitors"), {"name": name})
    assert response.status_code == 422
    assert "<title>Error: " in response.content.decode()
    assert Brand.objects.count() == 1


@pytest.mark.parametrize("name", ["", "Barkwell", "barkwell"])
def test_a_brand_names_a_competitor_once(page: Client, competitor: Competitor, name: str) -> None:
    response = page.post(reverse("brand_competitors", args=["northpaw"]), {"name": name})
    assert response.status_code == 422
    assert Competitor.objects.count() == 1


def test_two_brands_may_watch_the_same_competitor(page: Client, competitor: Competitor) -> None:
    make_brand("Southpaw")
    assert page.post(reverse("brand_competitors", args=["southpaw"]), {"name": "Barkwell"}).status_code == 303


def test_a_competitors_address_leads_to_its_tab(page: Client, competitor: Competitor) -> None:
    assert page.get(of_competitor("competitor", competitor))["Location"] == of_competitor("amazon", competitor)


def test_a_name_is_text(page: Client, brand: Brand) -> None:
    evil = "<script>alert(1)</script>"
    answer = page.post(reverse("brand_competitors", args=["northpaw"]), {"name": evil})
    for address in (answer["Location"], reverse("brand_competitors", args=["northpaw"])):
        assert evil not in page.get(address).content.decode()


@pytest.mark.parametrize("how_many", [1, 10])
def test_the_lists_take_the_same_number_of_queries(page: Client, how_many: int, django_assert_max_num_queries: Any) -> None:
    for number in range(how_many):
        make_competitor(make_brand(f"Brand {number}"), "Barkwell")
    with django_assert_max_num_queries(6):
        page.get(reverse("competitors"))
