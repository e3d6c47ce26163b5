"""A hundred scrapes while random processes are killed and the upstream fails at random. CHAOS_SEED repeats a test."""

import contextlib
import os
import random
import signal
import time

import pytest
import requests
from django.utils import timezone

from competitors.models import AmazonReview, Competitor, CompetitorAmazonUrl
from competitors.sandbox.server import serve
from pipeline import api
from pipeline.models import Attempt, Brand, Run, UpstreamRun
from tests.processes import Cluster, alive

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]
SCRAPES, KILLS, SECONDS = 100, 40, 720


@pytest.fixture
def sandbox():
    with serve(run_seconds=2, seed=7, concurrent_runs_limit=10_000, memory_limit_mbytes=2**30) as sandbox:
        yield sandbox


def test_a_hundred_scrapes_survive_forty_kills(sandbox, tmp_path):
    seed = int(os.environ.get("CHAOS_SEED") or random.randrange(2**32))
    dice = random.Random(seed)
    print(f"CHAOS_SEED={seed}")
    brand = Brand.objects.create(name="Acme", slug="acme")
    competitor = Competitor.objects.create(brand=brand, name="Barkwell")
    for number in range(SCRAPES):
        listing = CompetitorAmazonUrl.objects.create(
            competitor=competitor, amazon_url="https://www.amazon.com", asin=f"B{number:09}"
        )
        parameters = {"competitor_amazon_url_id": str(listing.pk), "include_keywords": False, "include_helpful": False}
        api.queue_one_time_job(brand.pk, "amazon_review_scrape", parameters, max_retries=20)
    sandbox.account.faults.arm("drop_percent", value=5)
    sandbox.account.faults.arm("error_percent", value=5)
    environment = {
        "APIFY_API_URL": sandbox.url,
        "APIFY_TOKEN": "a-token-for-tests",
        "PIPELINE_LEASE_SECONDS": "4",
        "PIPELINE_GRACE_SECONDS": "2",
        "PIPELINE_POLL_SECONDS": "0.5",
        "PIPELINE_DAILY_SPEND_LIMIT_USD": "100000",
        "PIPELINE_RETRY_SPEND_USD": "0",
    }
    workers = Cluster(tmp_path / "log", **environment)
    kills, end = 0, time.monotonic() + SECONDS
    try:
        while Run.objects.live().exists() or kills < KILLS:
            assert time.monotonic() < end, f"{Run.objects.live().count()} runs are not over after {SECONDS} s, {kills} kills"
            if kills < KILLS:
                kills += kill_one(dice, workers)
            if not alive(workers.pid):  # as systemd would
                workers.end()
                workers = Cluster(tmp_path / "log", **environment)
            # Instead of waiting for retries, act like a person who presses Run now.
            Run.objects.filter(status="pending", due_at__gt=timezone.now()).update(due_at=timezone.now(), order_at=timezone.now())
            time.sleep(dice.uniform(0.2, 1.0))
    finally:
        workers.end()
    assert kills >= KILLS
    runs = Run.objects.all()
    assert {(run.status, run.verdict) for run in runs} == {("completed", "ok")}, [
        run.error_message for run in runs if run.status != "completed"
    ]
    assert sandbox.state["runs_started"] == SCRAPES, "each run was paid for once"
    assert UpstreamRun.objects.filter(status="succeeded").count() == SCRAPES
    assert not UpstreamRun.objects.filter(status__in=UpstreamRun.OPEN).exists()
    assert not Run.objects.filter(lease_token__isnull=False).exists()
    assert Attempt.objects.filter(outcome="lost").exists(), "no kill hit a run at work"
    assert not Attempt.objects.filter(outcome="").exists()
    sandbox.account.faults.clear()
    for upstream in UpstreamRun.objects.filter(status="succeeded"):
        assert rows_of(upstream) == sent_by(sandbox, upstream), f"run {upstream.run_id}"


def kill_one(dice, workers):
    """SIGKILL one process of the cluster, usually not the supervisor. Returns 1 if it was alive."""
    pids = workers.processes()
    pid = dice.choice(pids[1:] if len(pids) > 1 and dice.random() < 0.95 else pids[:1])
    with contextlib.suppress(ProcessLookupError):
        if alive(pid):
            os.kill(pid, signal.SIGKILL)
            return 1
    return 0


def rows_of(upstream):
    asin = upstream.run.parameters and CompetitorAmazonUrl.objects.get(pk=upstream.run.subject).asin
    return set(AmazonReview.objects.filter(asin=asin).values_list("review_id", "body"))


def sent_by(sandbox, upstream):
    items = requests.get(f"{sandbox.url}/v2/datasets/{upstream.extra['dataset']}/items", timeout=30).json()
    return {(item["reviewId"], item["text"]) for item in items if item.get("reviewId")}
