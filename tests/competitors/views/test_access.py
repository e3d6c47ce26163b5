"""Who sees what: sign-in, a permission for each thing, and a brand's objects through that brand only."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from competitors.models import CompetitorAmazonUrl
from pipeline.models import Run
from tests.competitors.addresses import of_listing
from tests.factories import make_person

pytestmark = pytest.mark.django_db

OF_COMPETITOR = {
    "competitor": "get",
    "amazon": "get",
    "amazon_live": "get",
    "amazon_add": "get",
    "amazon_legacy": "post",
}
OF_LISTING = {"amazon_edit": "get", "amazon_remove": "get", "amazon_scrape": "post", "reviews": "get", "reviews_csv": "get"}
NEEDED = {
    "competitor": "view_competitor",
    "amazon": "view_competitoramazonurl",
    "amazon_live": "view_competitoramazonurl",
    "amazon_add": "add_competitoramazonurl",
    "amazon_legacy": "scrape_competitoramazonurl",
    "amazon_edit": "change_competitoramazonurl",
    "amazon_remove": "delete_competitoramazonurl",
    "amazon_scrape": "scrape_competitoramazonurl",
    "reviews": "view_amazonreview",
    "reviews_csv": "view_amazonreview",
}
EVERYTHING = OF_COMPETITOR | OF_LISTING


def visit(client: Client, name: str, brand_slug: str, listing: CompetitorAmazonUrl, competitor_id: Any = None) -> Any:
    args = [brand_slug, competitor_id or listing.competitor_id, *([listing.pk] if name in OF_LISTING else [])]
    return getattr(client, EVERYTHING[name])(reverse(name, args=args))


@pytest.mark.parametrize("name", EVERYTHING)
def test_nobody_gets_in_without_signing_in(name: str, client: Client, listing: CompetitorAmazonUrl) -> None:
    response = visit(client, name, "northpaw", listing)
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("login"))


@pytest.mark.parametrize("name", EVERYTHING)
def test_a_signed_in_person_without_the_permission_is_refused(
    name: str, client: Client, listing: CompetitorAmazonUrl, person: Any
) -> None:
    everything_else = {*NEEDED.values()} - {NEEDED[name]}
    client.force_login(person("other", *everything_else))
    assert visit(client, name, "northpaw", listing).status_code == 403
    assert not Run.objects.exists()


@pytest.mark.parametrize("name", EVERYTHING)
def test_a_foreign_brands_listing_is_not_found(
    name: str, page: Client, listing: CompetitorAmazonUrl, foreign: CompetitorAmazonUrl
) -> None:
    assert visit(page, name, "northpaw", foreign).status_code == 404
    assert not Run.objects.exists()


@pytest.mark.parametrize("name", OF_LISTING)
def test_a_listing_is_not_found_under_another_competitor(
    name: str, page: Client, listing: CompetitorAmazonUrl, foreign: CompetitorAmazonUrl
) -> None:
    assert visit(page, name, "northpaw", foreign, competitor_id=listing.competitor_id).status_code == 404


def test_a_brand_that_is_not_there_is_not_found(page: Client) -> None:
    assert page.get(reverse("brand_competitors", args=["nobody"])).status_code == 404


def test_who_may_look_but_not_scrape_sees_no_button(client: Client, listing: CompetitorAmazonUrl, person: Any) -> None:
    client.force_login(person("reader", "view_competitoramazonurl"))
    body = client.get(listing.competitor.get_absolute_url()).content.decode()
    assert "Scrape reviews of B09XK4T2LM" not in body
    assert "You can view, but not scrape. Only operators can scrape reviews of an Amazon URL. Ask one." in body
    assert of_listing("amazon_edit", listing) not in body
    assert of_listing("amazon_remove", listing) not in body


def test_only_who_may_scrape_is_told_to(client: Client, listing: CompetitorAmazonUrl) -> None:
    pages = [reverse("overview"), reverse("runs"), listing.competitor.get_absolute_url(), of_listing("reviews", listing)]
    words = re.compile("[Pp]ress Scrape|Scrape the listing|Scrape button")
    for role, told in (("operator", True), ("viewer", False)):
        client.force_login(make_person(role, role))
        assert [bool(words.search(client.get(page, follow=True).content.decode())) for page in pages] == [told] * len(pages)


@pytest.mark.parametrize("name", ["competitors", "brand_competitors"])
def test_adding_takes_its_own_permission(name: str, client: Client, brand: Any, person: Any) -> None:
    client.force_login(person("reader", "view_competitor"))
    address = reverse(name, args=["northpaw"] if name == "brand_competitors" else [])
    assert "Add a" not in client.get(address).content.decode()
    assert client.post(address, {"name": "New"}).status_code == 403
