"""A worker is taken for dead in the middle of a call to the upstream: from then on it writes nothing."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from competitors.models import AmazonReview, CompetitorAmazonUrl
from pipeline import api
from pipeline.contract import get_source
from pipeline.engine.queue.claim import claim
from pipeline.engine.workers.processes import register_worker
from pipeline.models import Attempt, RawPage, Run, RunLog, Step, UpstreamRun
from tests.competitors.scraping import finish, upstream_runs, work
from tests.processes import until

pytestmark = pytest.mark.django_db(transaction=True)
WRITTEN = (Run, Attempt, Step, RunLog, UpstreamRun, RawPage, AmazonReview, CompetitorAmazonUrl)


def everything():
    """All rows that a worker writes."""
    return [list(model.objects.order_by("pk").values()) for model in WRITTEN]


@pytest.fixture
def taken_over(monkeypatch):
    """During the next call of that method of the source another worker takes the run; the list then holds what is stored."""

    def arrange(run, method):
        stored: list[Any] = []
        source = get_source("apify")
        original = getattr(source, method)

        def call(*arguments, **named):
            answer = original(*arguments, **named)
            answer = answer if method in ("start", "read_run", "abort", "has_input") else list(answer)
            if not stored:
                Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
                assert claim(register_worker())[0] == run
                stored.extend(everything())
            return answer

        monkeypatch.setattr(source, method, call)
        return stored

    return arrange


@pytest.mark.parametrize("method", ["start", "read_run", "pages", "candidates", "abort"])
def test_a_worker_that_was_taken_over_during_a_call_writes_nothing(sandbox, listing, run, taken_over, method):
    """Not the start's id, the upstream's state, a page, an adopted run or a line of the log."""
    if method == "candidates":
        sandbox.account.faults.arm("drop_start", count=1)
    if method == "abort":
        sandbox.account.faults.arm("never_ends")
        work(run)
        api.cancel(run, None)
    stored = taken_over(run, method)

    def called():
        work(run)
        return stored

    until(called, f"{method} to be called")
    assert everything() == stored
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    finish(run)
    assert (run.status, upstream_runs(sandbox)) == ("cancelled" if method == "abort" else "completed", 1)
    assert listing.reviews().count() == run.counts.get("new", 0)
