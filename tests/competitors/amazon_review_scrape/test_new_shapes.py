"""A vendor that changes its format is noticed by the first scrape."""

import json

import pytest

from competitors.sandbox.server import serve
from tests.competitors.scraping import finish

pytestmark = pytest.mark.django_db(transaction=True)
READABLE = {"rating": "4.0 out of 5 stars", "date": "Reviewed in the United States on July 4, 2025"}


def scraped(tmp_path, settings, run, items):
    file = tmp_path / "amazon_reviews.jsonl"
    file.write_text("\n".join(json.dumps(item) for item in items))
    with serve(run_seconds=0.1, data=file) as sandbox:
        settings.APIFY_API_URL, settings.APIFY_TOKEN, settings.PIPELINE_SETTLE_SECONDS = sandbox.url, "a-token-for-tests", 0
        finish(run)


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [({}, "ok"), ({"date": "week 27"}, "suspicious"), ({"rating": "excellent"}, "suspicious")],
    ids=["as ever", "dates", "ratings"],
)
def test_items_whose_dates_or_ratings_have_a_new_shape_are_to_be_checked(tmp_path, settings, listing, run, changed, verdict):
    items = [{"reviewId": f"R{n}", "asin": listing.asin, "text": "fine", **READABLE} for n in range(9)]
    scraped(tmp_path, settings, run, [item | (changed if n < 8 else {}) for n, item in enumerate(items)])
    listing.refresh_from_db()
    assert (run.status, run.verdict) == ("completed", verdict), run.error_message
    assert (listing.last_scraped_at is None) is (verdict != "ok")
    assert all(f"Most {name}s could not be read" in run.summary for name in changed)
    assert listing.reviews().count() == 9


@pytest.mark.parametrize(("unread", "verdict"), [(6, "suspicious"), (4, "ok")])
def test_most_is_of_different_reviews_however_often_each_came(tmp_path, settings, listing, run, unread, verdict):
    """The star sweeps find only reviews with a readable rating, so those come more often."""
    items = [{"reviewId": f"R{n}", "asin": listing.asin, "text": "fine", **READABLE} for n in range(9)]
    scraped(tmp_path, settings, run, [item | ({"rating": "excellent"} if n < unread else {}) for n, item in enumerate(items)])
    assert (run.counts["new"], run.counts["no_rating"], run.verdict) == (9, unread, verdict)
    assert run.counts["duplicate"] > 0
