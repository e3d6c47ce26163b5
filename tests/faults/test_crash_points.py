"""A scrape is killed at every commit, write and HTTP exchange in turn: it always ends the same, and is paid for once."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from competitors.models import Competitor, CompetitorAmazonUrl
from competitors.sandbox.server import serve
from pipeline import api
from pipeline.models import Brand, Run, UpstreamRun
from tests.processes import database_url

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]
FEWEST = {"commit": 8, "write": 2, "exchange": 6}  # if the upstream run has ended by the first check, as on a busy machine


@pytest.fixture
def sandbox():
    with serve(run_seconds=0.05, seed=7) as sandbox:
        yield sandbox


def queue(number):
    brand, _ = Brand.objects.get_or_create(slug="acme", defaults={"name": "Acme"})
    competitor, _ = Competitor.objects.get_or_create(brand=brand, name=f"Competitor {number}")
    listing = CompetitorAmazonUrl.objects.create(
        competitor=competitor, amazon_url="https://www.amazon.com/dp/B09XK4T2LM", asin="B09XK4T2LM"
    )
    parameters = {"competitor_amazon_url_id": str(listing.pk), "include_keywords": False, "include_helpful": False}
    return api.queue_one_time_job(brand.pk, "amazon_review_scrape", parameters).run, listing


def work(sandbox, run, kind, number, moment):
    """Run a worker that dies at that event. Returns its exit code and output."""
    result = subprocess.run(
        [sys.executable, "-m", "tests.faults.crash_worker", str(run.pk), kind, str(number), moment],
        cwd=settings.BASE_DIR,
        timeout=60,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "DATABASE_URL": database_url(),
            "APIFY_API_URL": sandbox.url,
            "APIFY_TOKEN": "a-token-for-tests",
            "PIPELINE_SETTLE_SECONDS": "0",
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
    )
    assert result.returncode in (0, 99), result.stderr
    return result.returncode, result.stdout


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("kind", ["commit", "write", "exchange"])
def test_killed_at_every_point_the_end_is_the_same(sandbox, kind, moment):
    """F14: it resumes after the last commit."""
    undisturbed, listing = queue(0)
    code, output = work(sandbox, undisturbed, kind, 0, moment)
    undisturbed.refresh_from_db()
    events = int(output)
    assert (code, undisturbed.status, undisturbed.verdict) == (0, "completed", "ok")
    assert events >= FEWEST[kind]
    reviews = sorted(listing.reviews().values_list("review_id", "title", "body", "rating"))
    hit = 0
    for number in range(1, events + 10):  # the number of upstream checks varies, and so does the number of events
        run, listing = queue(number)
        started = sandbox.state["runs_started"]
        code, _ = work(sandbox, run, kind, number, moment)
        if code == 0:
            break
        hit += 1
        for _ in range(5):  # the lease lapses, the intent ages, and other workers go on
            Run.objects.filter(pk=run.pk, status="running").update(lease_expires_at=timezone.now() - timedelta(seconds=1))
            UpstreamRun.objects.filter(run=run, status="intent").update(intent_at=timezone.now() - timedelta(seconds=60))
            if work(sandbox, run, kind, 0, moment)[0] == 0:
                run.refresh_from_db()
                if not run.is_live:
                    break
        where = f"killed {moment} {kind} {number} of {events}"
        assert (run.status, run.verdict, run.attempt) == ("completed", "ok", 0), f"{where}: {run.error_message}"
        assert sandbox.state["runs_started"] == started + 1, where
        assert sorted(listing.reviews().values_list("review_id", "title", "body", "rating")) == reviews, where
        seen = {name: run.counts.get(name, 0) for name in ("raw", "rejected")}
        assert seen == {name: undisturbed.counts.get(name, 0) for name in seen}, where
        ledger = run.upstream_runs.exclude(status="void").get()
        assert (ledger.status, ledger.cost_settled, ledger.read_complete) == ("succeeded", True, True), where
        assert not Run.objects.filter(lease_token__isnull=False).exists(), where
    assert hit >= FEWEST[kind]
