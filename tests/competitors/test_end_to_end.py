"""From click to rows, through a real django-q2 cluster and real HTTP."""

import pytest
from django.utils import timezone

from competitors.models import Competitor, CompetitorAmazonUrl
from competitors.sandbox.server import serve
from pipeline import api
from pipeline.models import Brand, Run, SourceState
from pipeline.states import RunStatus
from tests.processes import cluster, reached, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def sandbox():
    with serve(run_seconds=60, seed=7) as sandbox:  # long enough for all five to run at once; the test then finishes them
        yield sandbox


@pytest.fixture
def listings():
    brand = Brand.objects.create(name="Acme", slug="acme")
    competitor = Competitor.objects.create(brand=brand, name="Barkwell")
    return [
        CompetitorAmazonUrl.objects.create(
            competitor=competitor, amazon_url=f"https://www.amazon.com/dp/B00000000{n}", asin=f"B00000000{n}"
        )
        for n in range(5)
    ]


def test_five_clicks_become_reviews_with_two_workers(sandbox, listings, tmp_path):
    """More runs wait than there are workers: a waiting run holds none. Each continues soon after its upstream run ended."""
    environment = {"APIFY_API_URL": sandbox.url, "APIFY_TOKEN": "a-token-for-tests", "PIPELINE_POLL_SECONDS": "0.3"}
    with cluster(tmp_path / "log", **environment):
        queued = [
            api.queue_one_time_job(
                listing.competitor.brand_id, "amazon_review_scrape", {"competitor_amazon_url_id": str(listing.pk)}
            ).run
            for listing in listings
        ]
        until(lambda: Run.objects.filter(status=RunStatus.WAITING).count() == 5, "all five to wait upstream at once")
        until(
            lambda: any("done" in run.progress for run in Run.objects.filter(status=RunStatus.WAITING)),
            "progress while they wait",
        )
        for run in queued:
            sandbox.account.finish(run.upstream_runs.get().upstream_id)
            until(reached(run, RunStatus.COMPLETED), "each to complete")
    assert sandbox.state["runs_started"] == 5
    for run, listing in zip(queued, listings, strict=True):
        run.refresh_from_db()
        listing.refresh_from_db()
        assert (run.status, run.verdict, run.attempt) == (RunStatus.COMPLETED, "ok", 0), run.error_message
        assert listing.reviews().count() == run.counts["new"] > 100
        assert listing.last_scraped_at == run.completed_at
        assert listing.total_reviews_scraped == run.counts["new"]
        upstream = run.upstream_runs.get()
        woken = run.attempts.order_by("number").last().started_at
        assert (woken - upstream.finished_at).total_seconds() < 3
        assert run.completed_at <= timezone.now()
    assert SourceState.objects.get(source="apify").polled_at
