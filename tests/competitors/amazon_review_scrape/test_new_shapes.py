"""A vendor that changes its format is noticed by the first scrape."""

import json

import pytest

from competitors.sandbox.server import serve
from tests.competitors.scraping import finish

pytestmark = pytest.mark.django_db(transaction=True)
READABLE = {"rating": "4.0 out of 5 stars", "date": "Reviewed in the United States on July 4, 2025"}


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [({}, "ok"), ({"date": "week 27"}, "suspicious"), ({"rating": "excellent"}, "suspicious")],
    ids=["as ever", "dates", "ratings"],
)
def test_items_whose_dates_or_ratings_have_a_new_shape_are_to_be_checked(tmp_path, settings, listing, run, changed, verdict):
    file = tmp_path / "amazon_reviews.jsonl"
    items = [{"reviewId": f"R{n}", "asin": listing.asin, "text": "fine", **READABLE} for n in range(9)]
    file.write_text("\n".join(json.dumps(item | (changed if n < 8 else {})) for n, item in enumerate(items)))
    with serve(run_seconds=0.1, data=file) as sandbox:
        settings.APIFY_API_URL, settings.APIFY_TOKEN, settings.PIPELINE_SETTLE_SECONDS = sandbox.url, "a-token-for-tests", 0
        finish(run)
    listing.refresh_from_db()
    assert (run.status, run.verdict) == ("completed", verdict), run.error_message
    assert (listing.last_scraped_at is None) is (verdict != "ok")
    assert all(f"Most {name}s could not be read" in run.summary for name in changed)
    assert listing.reviews().count() == 9
