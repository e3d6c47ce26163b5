import pytest

from competitors.models import Competitor, CompetitorAmazonUrl
from competitors.sandbox.server import serve
from pipeline import api
from pipeline.models import Brand


@pytest.fixture
def sandbox(settings):
    with serve(run_seconds=0.3, seed=7) as sandbox:
        settings.APIFY_API_URL, settings.APIFY_TOKEN = sandbox.url, "a-token-for-tests"
        settings.PIPELINE_SETTLE_SECONDS = 0
        yield sandbox


@pytest.fixture
def listing():
    brand = Brand.objects.create(name="Acme", slug="acme")
    competitor = Competitor.objects.create(brand=brand, name="Barkwell")
    return CompetitorAmazonUrl.objects.create(
        competitor=competitor, amazon_url="https://www.amazon.com/dp/B09XK4T2LM", asin="B09XK4T2LM"
    )


@pytest.fixture
def run(listing):
    parameters = {"competitor_amazon_url_id": str(listing.pk), "include_keywords": False, "include_helpful": False}
    return api.queue_one_time_job(listing.competitor.brand_id, "amazon_review_scrape", parameters).run
