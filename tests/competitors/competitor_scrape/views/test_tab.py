"""The Ads tab of a competitor: its ad lists, adding and removing one, and the button."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from competitors.models import Competitor, CompetitorAdLibrary
from pipeline.contract import get_type
from pipeline.models import Run
from tests.factories import AD_PAGE, make_brand, make_competitor, make_library, make_listing, make_person

from ..conftest import queue

pytestmark = pytest.mark.django_db


@pytest.fixture
def page():
    client = Client()
    client.force_login(make_person("olga", "operator"))
    return client


def at(name, library, *args):
    return reverse(name, args=[library.competitor.brand.slug, library.competitor_id, *args])


def test_the_tab_shows_each_ad_list_with_its_price_and_both_tabs(page, library):
    make_listing(library.competitor)
    body = page.get(at("ads", library)).content.decode()
    assert "Page 248734494998159" in body
    assert "≈ $0.15" in body
    assert 'Ads <span class="count">1</span>' in body
    assert 'Amazon <span class="count">1</span>' in body
    amazon = page.get(at("amazon", library)).content.decode()
    assert at("ads", library) in amazon


def test_a_click_queues_one_scrape_with_the_chosen_number(page, library):
    for _ in range(2):
        response = page.post(at("ads_scrape", library, library.pk), {"max_ads": "50"})
    assert response["Location"] == library.get_absolute_url()
    run = Run.objects.get()
    assert run.parameters == {
        "competitor_id": str(library.competitor_id),
        "ad_library_url": AD_PAGE,
        "max_ads": 50,
        "max_media": 100,
    }
    assert (run.subject, run.subject_url) == (str(library.pk), library.get_absolute_url())


def test_an_address_is_added_in_its_one_form(page, library):
    CompetitorAdLibrary.objects.all().delete()
    response = page.post(at("ads_add", library), {"url": "facebook.com/ads/library?view_all_page_id=248734494998159&fbclid=1"})
    added = CompetitorAdLibrary.objects.get()
    assert (added.url, response["Location"]) == (AD_PAGE, added.get_absolute_url())


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("https://www.facebook.com/barkwell", "This is not an Ad Library address."),
        (AD_PAGE, "Barkwell already has this address."),
        ("", "This field is required."),
    ],
)
def test_a_wrong_address_is_refused_beside_the_field(page, library, typed, words):
    response = page.post(at("ads_add", library), {"url": typed})
    assert response.status_code == 422
    assert words in response.content.decode()
    assert CompetitorAdLibrary.objects.count() == 1


def test_an_address_is_not_removed_under_a_live_run(library):
    manager = Client()
    manager.force_login(make_person("mia", "manager"))
    run = queue(library)
    refused = manager.post(at("ads_remove", library, library.pk))
    assert refused.status_code == 409
    assert f"while run {run.pk} works on it" in refused.content.decode()
    Run.objects.all().delete()
    assert "Will be kept" in manager.get(at("ads_remove", library, library.pk)).content.decode()
    assert manager.post(at("ads_remove", library, library.pk)).status_code == 303
    assert not CompetitorAdLibrary.objects.exists()


@pytest.mark.parametrize("name", ["ads", "ad_list", "ad_list_csv", "ads_add"])
def test_another_brands_competitor_is_not_found(page, library, name):
    other = make_library(make_competitor(make_brand("Southpaw"), "Barkwell"))
    assert page.get(reverse(name, args=[library.competitor.brand.slug, other.competitor_id])).status_code == 404


@pytest.mark.parametrize("name", ["ads", "ad_list", "ad_list_csv"])
def test_who_is_limited_to_another_brand_does_not_find_the_pages(library, name):
    client = Client()
    client.force_login(make_person("vera", "viewer", make_brand("Southpaw")))
    assert client.get(at(name, library)).status_code == 404


@pytest.mark.parametrize("name", ["ads_scrape", "ads_remove"])
def test_another_competitors_ad_list_is_not_found(library, name):
    client = Client()
    client.force_login(make_person("mia", "manager"))
    other = make_library(make_competitor(make_brand("Southpaw"), "Barkwell"))
    assert client.post(at(name, library, other.pk)).status_code == 404
    assert not Run.objects.exists()


def test_who_may_look_but_not_scrape_has_no_button(library):
    client = Client()
    client.force_login(make_person("vera", "viewer"))
    assert "Scrape ads of" not in client.get(at("ads", library)).content.decode()
    assert client.post(at("ads_scrape", library, library.pk)).status_code == 403
    assert client.post(at("ads_add", library), {"url": AD_PAGE}).status_code == 403
    assert client.post(at("ads_remove", library, library.pk)).status_code == 403


def test_the_admin_scrapes_the_selected_and_lists_the_ads(library):
    client = Client()
    client.force_login(make_person("mia", "manager"))
    chosen = {"action": "scrape_selected", "_selected_action": [str(library.pk)]}
    client.post(reverse("admin:competitors_competitoradlibrary_changelist"), chosen)
    assert Run.objects.get().subject == str(library.pk)
    assert client.get(reverse("admin:competitors_competitorad_changelist")).status_code == 200
    assert client.get(reverse("admin:competitors_competitoradlibrary_change", args=[library.pk])).status_code == 200


def test_an_archived_competitor_is_neither_scraped_nor_given_another_address(page, library):
    Competitor.objects.filter(pk=library.competitor_id).update(archived_at=timezone.now())
    body = page.get(at("ads", library)).content.decode()
    assert "Scrape ads of" not in body
    assert "Add ad list" not in body
    page.post(at("ads_scrape", library, library.pk), {"max_ads": "50"})
    assert not Run.objects.exists()
    refused = page.post(at("ads_add", library), {"url": AD_PAGE.replace("ALL", "US")})
    assert (refused.status_code, "Barkwell is archived. Restore it first." in refused.content.decode()) == (422, True)
    assert get_type("competitor_scrape").subjects(library.brand) == []
