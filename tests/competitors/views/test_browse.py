"""From an empty database to a competitor's tab."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from competitors.models import Competitor, CompetitorAmazonUrl
from pipeline.models import Brand, DatasetStatus
from tests.competitors.addresses import of_competitor
from tests.factories import AD_PAGE, make_brand, make_competitor, make_library, make_listing

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
    make_listing(listing.competitor, asin="B0CQ7Z8M4T")
    for address in (AD_PAGE, AD_PAGE + "1", AD_PAGE + "2"):
        make_library(listing.competitor, address)
    brands = page.get(reverse("competitors")).context["brands"]["rows"]
    assert [(brand.name, brand.competitor_count, brand.listing_count, brand.ad_list_count) for brand in brands] == [
        ("Northpaw", 2, 2, 3)
    ]
    competitors = page.get(reverse("brand_competitors", args=["northpaw"])).context["competitors"]["rows"]
    shown = [(competitor.name, competitor.listing_count, competitor.ad_list_count) for competitor in competitors]
    assert shown == [("Barkwell", 2, 3), ("Other", 0, 0)]


INVISIBLE = [
    "",
    "  ",
    "\u200b",
    "\u2060\ufeff",
    "\u00ad\u200d",
    "\u00a0\u3000",
    "\x01",
    "\u202e",
    "\u3164",
    "\u2800",
    "\ufe0f",
    "???",
]


@pytest.mark.parametrize("name", ["資生堂", "Яндекс", "شركة", "बाटा", "🐶", "4711", "Müller & Söhne", "Ľuboš"])
def test_a_name_may_be_of_any_script(page: Client, name: str) -> None:
    at_brand = page.post(reverse("competitors"), {"name": name})["Location"]
    assert re.fullmatch(r"/competitors/[a-z0-9-]+/", at_brand)
    assert name in html.unescape(page.get(at_brand).content.decode())
    at_competitor = page.post(at_brand, {"name": name})["Location"]
    assert name in html.unescape(page.get(at_competitor).content.decode())
    assert (Brand.objects.get().name, Competitor.objects.get().name) == (name, name)


def test_two_names_with_the_same_letters_have_two_addresses(page: Client) -> None:
    places = [page.post(reverse("competitors"), {"name": name})["Location"] for name in ("Müller", "Muller", "花王", "資生堂")]
    assert places[:1] == ["/competitors/muller/"]
    assert len(set(places)) == 4
    assert [page.get(place).status_code for place in places] == [200] * 4


def test_a_name_is_stored_without_what_nobody_sees(page: Client, brand: Brand) -> None:
    page.post(reverse("brand_competitors", args=["northpaw"]), {"name": "\ufeff Bark\u200bwell\u00a0 \u202e GmbH\u00ad "})
    assert Competitor.objects.get().name == "Barkwell GmbH"


@pytest.mark.parametrize("again", ["barkwell", "ＢＡＲＫＷＥＬＬ", "Bark\u200dwell", " Barkwell\u00a0"])
def test_a_name_is_the_same_in_any_case_and_width(page: Client, competitor: Competitor, again: str) -> None:
    response = page.post(reverse("brand_competitors", args=["northpaw"]), {"name": again})
    assert response.status_code == 422
    assert "Northpaw already has a competitor called Barkwell." in response.content.decode()
    Brand.objects.update(name="Straße")
    assert page.post(reverse("competitors"), {"name": "STRASSE"}).status_code == 422


@pytest.mark.parametrize("name", INVISIBLE)
def test_a_name_that_nobody_sees_is_refused_on_pages_and_in_the_admin(
    page: Client, admin_client: Client, brand: Brand, name: str
) -> None:
    assert page.post(reverse("competitors"), {"name": name}).status_code == 422
    assert page.post(reverse("brand_competitors", args=["northpaw"]), {"name": name}).status_code == 422
    admin_client.post(reverse("admin:pipeline_brand_add"), {"name": name, "slug": "x", "time_zone": ""})
    admin_client.post(reverse("admin:competitors_competitor_add"), {"name": name, "brand": str(brand.pk)})
    assert (Brand.objects.count(), Competitor.objects.count()) == (1, 0)


def test_the_admins_forms_have_the_same_rules(admin_client: Client, competitor: Competitor) -> None:
    brand, at_competitor = competitor.brand, reverse("admin:competitors_competitor_add")
    admin_client.post(reverse("admin:pipeline_brand_add"), {"name": " 資生堂\u200b", "slug": "", "time_zone": ""})
    made = Brand.objects.exclude(pk=brand.pk).get()
    assert made.name == "資生堂"
    assert made.slug.startswith("brand-")
    twice = admin_client.post(at_competitor, {"name": "BARKWELL", "brand": str(brand.pk)})
    assert "already has a competitor called Barkwell" in twice.content.decode()
    assert "This field is required" in admin_client.post(at_competitor, {"name": "BARKWELL", "brand": ""}).content.decode()


def test_the_loser_of_a_race_for_a_name_is_told_so(page: Client, competitor: Competitor, monkeypatch: Any) -> None:
    monkeypatch.setattr(Competitor, "clean", lambda self: None)
    monkeypatch.setattr(Competitor, "validate_constraints", lambda self, exclude=None: None)
    response = page.post(reverse("brand_competitors", args=["northpaw"]), {"name": "Barkwell"})
    assert response.status_code == 422
    assert "Somebody added this name just now." in response.content.decode()


@pytest.mark.parametrize("name", ["Northpaw", "NORTHPAW", "x" * 201])
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
    with django_assert_max_num_queries(7):
        page.get(reverse("competitors"))


def test_the_overview_shows_the_oldest_of_all_brands_and_takes_no_more_queries_for_many(
    page: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(10):
        listing = make_listing(make_competitor(make_brand(f"Brand {number}")), product_title=f"Product {number}")
        make_library(listing.competitor)
        fetched = timezone.now() - timedelta(days=number * 3 + 1)
        status = {"dataset_key": "amazon_reviews", "subject": str(listing.pk), "last_success_at": fetched}
        DatasetStatus.objects.create(brand=listing.brand, **status)
        if number == 0:
            with CaptureQueriesContext(connection) as few:
                page.get("/")
    with django_assert_max_num_queries(len(few)):
        shown = page.get("/").context["health"]
    assert [row.subject for row in shown.stale] == [f"Product {number} (B09XK4T2LM)" for number in range(9, 1, -1)]
    assert [row.freshness.badge.key for row in shown.stale] == ["stale"] * 5 + ["late"] * 3
    assert (shown.stale_count, shown.fresh_count) == (28, 2)  # with a toy of each brand
