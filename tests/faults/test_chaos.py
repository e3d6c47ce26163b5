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
from competitors.reading import decoded
from competitors.sandbox.server import serve
from pipeline import api
from pipeline.models import Attempt, Brand, Run, UpstreamRun
from tests.processes import Cluster, alive

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults, pytest.mark.alone]
SCRAPES, KILLS, SECONDS = 100, 40, 720
MOST_DEATHS = 2  # of one run without progress; five would rightly fail it
BUSY_KILLS, STRIKES = 10, 20  # at least so many of the kills hit a worker that held a run; so often each fault struck


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
    kills, busy_kills, end = 0, 0, time.monotonic() + SECONDS
    try:
        while Run.objects.live().exists() or kills < KILLS:
            assert time.monotonic() < end, f"{Run.objects.live().count()} runs are not over after {SECONDS} s, {kills} kills"
            if (kills < KILLS or busy_kills < BUSY_KILLS) and not Run.objects.live().filter(recoveries__gt=MOST_DEATHS).exists():
                killed, busy = kill_one(dice, workers)
                kills, busy_kills = kills + killed, busy_kills + busy
            if not alive(workers.pid):  # as systemd would
                workers.end()
                workers = Cluster(tmp_path / "log", **environment)
            # Instead of waiting for retries, act like a person who presses Run now.
            Run.objects.filter(status="pending", due_at__gt=timezone.now()).update(due_at=timezone.now(), order_at=timezone.now())
            time.sleep(dice.uniform(0.2, 1.0))
    finally:
        workers.end()
    struck, lost = sandbox.state["struck"], Attempt.objects.filter(outcome="lost").count()
    print(f"{kills} kills, {busy_kills} of busy workers; {lost} attempts lost; faults struck: {struck}")
    assert busy_kills >= BUSY_KILLS, "the kills missed the workers that held a run"
    assert lost >= BUSY_KILLS, "a killed worker's run was not seen as lost"
    assert min(struck.get(name, 0) for name in ("drop_percent", "error_percent")) >= STRIKES, struck
    runs = Run.objects.all()
    assert {(run.status, run.verdict) for run in runs} == {("completed", "ok")}, [
        run.error_message for run in runs if run.status != "completed"
    ]
    assert sandbox.state["runs_started"] == SCRAPES, "each run was paid for once"
    assert UpstreamRun.objects.filter(status="succeeded").count() == SCRAPES
    assert not UpstreamRun.objects.filter(status__in=UpstreamRun.OPEN).exists()
    assert not Run.objects.filter(lease_token__isnull=False).exists()
    assert not Attempt.objects.filter(outcome="").exists()
    sandbox.account.faults.clear()
    for upstream in UpstreamRun.objects.filter(status="succeeded"):
        assert rows_of(upstream) == sent_by(sandbox, upstream), f"run {upstream.run_id}"


def kill_one(dice, workers):
    """SIGKILL one process of the cluster: half the time a worker that holds a run, seldom the supervisor.

    Returns whether it lived, and whether it held a run.
    """
    pids = workers.processes()
    busy = held_by(pids)
    below = busy if busy and dice.random() < 0.5 else pids[1:]
    pid = dice.choice(below if below and dice.random() < 0.95 else pids[:1])
    with contextlib.suppress(ProcessLookupError):
        if alive(pid):
            os.kill(pid, signal.SIGSTOP)  # so that it still holds, when it is killed, what it is seen to hold
            busy = held_by([pid])
            os.kill(pid, signal.SIGKILL)
            return True, bool(busy)
    return False, False


def held_by(pids):
    """Those of the processes that hold a run, one entry for each run."""
    return list(Run.objects.filter(status="running", worker__pid__in=pids).values_list("worker__pid", flat=True))


def rows_of(upstream):
    asin = upstream.run.parameters and CompetitorAmazonUrl.objects.get(pk=upstream.run.subject).asin
    return set(AmazonReview.objects.filter(asin=asin).values_list("review_id", "body"))


def sent_by(sandbox, upstream):
    items = requests.get(f"{sandbox.url}/v2/datasets/{upstream.extra['dataset']}/items", timeout=30).json()
    return {(item["reviewId"], decoded(item["text"])) for item in items if item.get("reviewId")}
