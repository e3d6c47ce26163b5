"""Pages say once which data they need. Each then has the banner, with the button that fixes it and its price."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from competitors.models import Competitor, CompetitorAmazonUrl
from competitors.views import requirements
from competitors.views.requirements import REQUIREMENTS, Fix, Requirement
from pipeline import queries
from pipeline.contract import Subject
from pipeline.contract.registry import get_type
from pipeline.models import DatasetStatus, Run
from tests.competitors.addresses import of_competitor
from tests.factories import make_library, make_listing, make_person
from tests.toy.job import Toy

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(db: None) -> Client:
    client = Client()
    client.force_login(make_person("olga", "operator"))
    return client


def fetched(row: Any, dataset: str, ago: timedelta) -> None:
    DatasetStatus.objects.update_or_create(
        brand=row.brand, dataset_key=dataset, subject=str(row.pk), defaults={"last_success_at": timezone.now() - ago}
    )


def pressed(client: Client, page: str) -> Any:
    """Send the banner's form as the browser would."""
    form = re.search(r'<form method="post" action="([^"]+)">(.*?)id="banner-fix"', page, re.DOTALL)
    assert form, "the banner has no button"
    fields = dict(re.findall(r'<input type="hidden" name="(?!csrf)(\w+)" value="([^"]*)"', form[2]))
    return client.post(form[1], fields)


@pytest.mark.parametrize("name", ["amazon", "ads", "reviews", "ad_list"])
def test_every_page_of_scraped_rows_says_what_it_needs(name: str) -> None:
    assert get_resolver().url_patterns  # loaded, and so registered
    needed = REQUIREMENTS[name]
    handler = get_type(needed.job_type)
    assert (needed.label, needed.max_age) == (handler.datasets[needed.dataset], handler.max_age)


def test_lists_have_the_banner_with_its_button_and_price(person: Client, listing: CompetitorAmazonUrl) -> None:
    library = make_library(listing.competitor)
    other = make_listing(listing.competitor, asin="B0CQ7Z8M4T")  # its state is not that of the list's own listing
    pages = {
        listing.reviews_url(): (listing, "amazon_reviews", "Amazon Reviews: never refreshed."),
        of_competitor("ad_list", listing.competitor): (library, "competitor_ads", "Competitor Ads: never refreshed."),
    }
    for address, (row, dataset, words) in pages.items():
        body = person.get(address).content.decode()
        assert words in body
        assert re.search(r'id="banner-fix">Scrape (?:reviews|ads): [^<]+, ≈ \$\d', body)
        assert pressed(person, body)["Location"] == row.get_absolute_url()
        run = Run.objects.latest("pk")
        assert (run.subject, run.parameters == run.job.parameters) == (str(row.pk), True)
        busy = person.get(address).content.decode()
        assert f"See run {run.pk}" in busy
        assert "banner-fix" not in busy
        Run.objects.filter(pk=run.pk).update(status="cancelled", completed_at=timezone.now())
        fetched(row, dataset, timedelta(days=30))
        assert "30 days old" in person.get(address).content.decode()
        fetched(row, dataset, timedelta(days=1))
        assert person.get(address).context["banner"] is None
    assert other.pk  # never scraped, and no banner says so


def test_a_page_without_a_subject_says_so_and_how_to_add_one(person: Client, competitor: Competitor) -> None:
    page = person.get(of_competitor("ad_list", competitor))
    assert "Competitor Ads: no ad list yet." in page.content.decode()
    assert f'href="{of_competitor("ads", competitor)}">Add ad list</a>' in page.content.decode()
    tab = person.get(of_competitor("ads", competitor))
    assert tab.context["banner"] is None  # the page itself says it
    assert "has no Ad Library URL." in tab.content.decode()


def test_nothing_is_offered_for_what_is_archived_or_by_who_may_not(person: Client, competitor: Competitor) -> None:
    address = of_competitor("ad_list", competitor)
    viewer = Client()
    viewer.force_login(make_person("vera", "viewer"))
    assert "banner-fix" not in viewer.get(address).content.decode()
    Competitor.objects.update(archived_at=timezone.now())
    assert person.get(address).context["banner"] is None


def test_data_of_no_single_brand_has_the_same_banner_and_is_in_the_overview(monkeypatch: Any) -> None:
    monkeypatch.setattr(
        Toy, "subjects_of", lambda self, brands: [(None, Subject("search", "Dog toys"))] if None in brands else []
    )
    monkeypatch.setitem(REQUIREMENTS, "toys", Requirement("toy", "toys", "search", "Find toys", timedelta(days=1)))
    DatasetStatus.objects.create(
        brand=None, dataset_key="toys", subject="search", last_success_at=timezone.now() - timedelta(days=30)
    )
    fresh = queries.freshness("toys", None, ["search"], max_age=REQUIREMENTS["toys"].max_age)["search"]
    state = queries.SubjectState("search", "Dog toys", fresh)
    shown = requirements.shown("toys", [state], {"search": Fix("Dog toys", "/toys/")})
    assert (shown["banner"].title, shown["banner"].label) == ("Toys: 30 days old.", "Find toys: Dog toys")
    assert shown["fix"].url == "/toys/"
    limited = queries.health(make_person("ines", "viewer", make_listing().brand))
    assert [(row.subject, row.brand) for row in queries.health().stale if row.label == "Toys"] == [("Dog toys", None)]
    assert "Dog toys" not in [row.subject for row in limited.stale]
    boss = Client()
    boss.force_login(make_person("mia", "manager"))
    assert "Toys, all brands" in boss.get(reverse("overview")).content.decode()
