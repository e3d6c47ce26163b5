"""A brand with a competitor and a listing, people with and without permissions, and the sandbox to scrape."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from competitors.models import Competitor, CompetitorAmazonUrl
from competitors.sandbox.server import Sandbox, serve
from pipeline import api
from pipeline.models import Brand, Run
from tests.factories import make_brand, make_competitor, make_listing

PERMISSIONS = [
    "view_competitor",
    "add_competitor",
    "view_competitoramazonurl",
    "add_competitoramazonurl",
    "change_competitoramazonurl",
    "delete_competitoramazonurl",
    "scrape_competitoramazonurl",
    "view_amazonreview",
    "view_run",
    "scrape_run",
    "add_brand",
]


@pytest.fixture
def brand(db: None) -> Brand:
    return make_brand("Northpaw")


@pytest.fixture
def competitor(brand: Brand) -> Competitor:
    return make_competitor(brand, "Barkwell")


@pytest.fixture
def listing(competitor: Competitor) -> CompetitorAmazonUrl:
    return make_listing(competitor, asin="B09XK4T2LM", product_title="Calming chews")


@pytest.fixture
def foreign(db: None) -> CompetitorAmazonUrl:
    """The same product, tracked by another brand's competitor."""
    return make_listing(make_competitor(make_brand("Southpaw"), "Barkwell"), asin="B09XK4T2LM")


@pytest.fixture
def sibling(brand: Brand) -> CompetitorAmazonUrl:
    """The same product, tracked as another competitor of the same brand."""
    return make_listing(make_competitor(brand, "Pawsome"), asin="B09XK4T2LM")


@pytest.fixture
def person(db: None) -> Callable[..., Any]:
    """person("name", "view_competitor", …): a user with just these permissions."""

    def make(name: str, *codenames: str) -> Any:
        user = get_user_model().objects.create_user(name, password="pass")
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        return user

    return make


@pytest.fixture
def operator(person: Callable[..., Any]) -> Any:
    """Holds what daily work needs; neither staff nor superuser."""
    return person("operator", *PERMISSIONS)


@pytest.fixture
def page(operator: Any) -> Client:
    """The operator's browser."""
    client = Client()
    client.force_login(operator)
    return client


@pytest.fixture
def sandbox(settings: Any) -> Iterator[Sandbox]:
    with serve(run_seconds=0.3, seed=7) as sandbox:
        settings.APIFY_API_URL, settings.APIFY_TOKEN = sandbox.url, "a-token-for-tests"
        settings.PIPELINE_SETTLE_SECONDS = 0
        yield sandbox


@pytest.fixture
def held(sandbox: Sandbox) -> Sandbox:
    """A sandbox whose runs last until the test ends them."""
    sandbox.account.faults.arm("never_ends")
    return sandbox


@pytest.fixture
def run(listing: CompetitorAmazonUrl) -> Run:
    parameters = {"competitor_amazon_url_id": str(listing.pk), "include_keywords": False, "include_helpful": False}
    return api.queue_one_time_job(listing.competitor.brand_id, "amazon_review_scrape", parameters).run
