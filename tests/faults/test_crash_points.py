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
from pipeline.models import Brand, Reuse, Run, UpstreamRun
from tests.competitors.reuse import click
from tests.factories import make_listing
from tests.processes import database_url

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]
DIED = 99
FEWEST = {"commit": 8, "write": 2, "exchange": 6}  # if the upstream run has ended by the first check, as on a busy machine


@pytest.fixture
def sandbox():
    with serve(run_seconds=0.05, seed=7) as sandbox:
        yield sandbox


@pytest.fixture
def work(sandbox):
    """work(run, kind, number, moment): a worker that dies at that event. Returns its exit code and how many it counted."""
    environment = {
        "DATABASE_URL": database_url(),
        "APIFY_API_URL": sandbox.url,
        "APIFY_TOKEN": "a-token-for-tests",
        "PIPELINE_SETTLE_SECONDS": "0",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.crash_worker"],
        cwd=settings.BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    ) as workers:

        def one(run, kind, number, moment):
            print(run.pk, kind, number, moment, file=workers.stdin, flush=True)
            first = int(workers.stdout.readline())
            if first == DIED:
                return DIED, 0
            code = int(workers.stdout.readline())
            assert code == 0
            return code, first

        yield one
    assert workers.returncode == 0


def queue(number, runs):
    """That many runs, each of a listing of its own; all of the same product."""
    brand, _ = Brand.objects.get_or_create(slug="acme", defaults={"name": "Acme"})
    competitors = [Competitor.objects.create(brand=brand, name=f"Competitor {number}-{each}") for each in range(runs)]
    return [click(make_listing(competitor, asin="B09XK4T2LM")) for competitor in competitors]


def ended(runs):
    return [Run.objects.get(pk=run.pk) for run in runs]


def read(run):
    """What the run says of the items that came."""
    return {name: run.counts.get(name, 0) for name in ("raw", "rejected")}


def held(run):
    """What stands under the run's listing."""
    reviews = CompetitorAmazonUrl.objects.get(pk=run.subject).reviews()
    return sorted(reviews.values_list("review_id", "title", "body", "rating"))


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("kind", ["commit", "write", "exchange"])
@pytest.mark.parametrize("together", [1, 2], ids=["alone", "joined"])
def test_killed_at_every_point_the_end_is_the_same(sandbox, work, together, kind, moment):
    """F14: it resumes after the last commit. Of two runs that need the same data, one pays and the other joins its scrape."""
    undisturbed = queue(0, together)
    code, events = work(undisturbed[-1], kind, 0, moment)
    undisturbed = ended(undisturbed)
    assert (code, {(run.status, run.verdict) for run in undisturbed}) == (0, {("completed", "ok")})
    assert events >= FEWEST[kind]
    reviews, seen = held(undisturbed[0]), read(undisturbed[0])
    hit = 0
    for number in range(1, events + 10):  # the number of upstream checks varies, and so does the number of events
        runs = queue(number, together)
        started = sandbox.state["runs_started"]
        if work(runs[-1], kind, number, moment)[0] == 0:
            break
        hit += 1
        for _ in range(5):  # the lease lapses, the intent ages, and other workers go on
            Run.objects.filter(status="running").update(lease_expires_at=timezone.now() - timedelta(seconds=1))
            UpstreamRun.objects.filter(status="intent").update(intent_at=timezone.now() - timedelta(seconds=60))
            for run in runs:
                work(run, kind, 0, moment)
            runs = ended(runs)
            if not any(run.is_live for run in runs):
                break
        where = f"killed {moment} {kind} {number} of {events}"
        for run in runs:
            assert (run.status, run.verdict, run.attempt) == ("completed", "ok", 0), f"{where}: {run.error_message}"
            assert held(run) == reviews, where
            assert read(run) == seen, where
        assert sandbox.state["runs_started"] == started + 1, where
        ledger = UpstreamRun.objects.filter(run__in=runs).exclude(status="void").get()
        assert (ledger.status, ledger.cost_settled, ledger.read_complete) == ("succeeded", True, True), where
        assert sum(run.cost_actual for run in runs) == ledger.cost_actual, where
        assert Reuse.objects.filter(run__in=runs, fetched_at__isnull=False).count() == together - 1, where
        assert not Run.objects.filter(lease_token__isnull=False).exists(), where
    assert hit >= FEWEST[kind]
