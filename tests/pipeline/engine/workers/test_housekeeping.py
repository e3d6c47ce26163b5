"""What every process looks after every few seconds, of which there is nearly always nothing."""

import math
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pipeline import api
from pipeline.engine.queue.asked import bulk_actions, canaries
from pipeline.engine.workers.housekeeping import thread
from pipeline.engine.workers.processes import register_worker
from pipeline.models import BulkAction, Incident, Run, SourceState, UpstreamRun
from tests.factories import make_brand

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def calls(monkeypatch):
    seen = []
    monkeypatch.setattr(thread, "watch_upstreams", lambda: seen.append("upstreams"))
    monkeypatch.setattr(canaries, "advance", lambda: seen.append("canaries"))
    monkeypatch.setattr(bulk_actions, "advance", lambda: seen.append("bulk actions"))
    return seen


@pytest.fixture
def housekeeping():
    its = thread.Housekeeping(register_worker())
    its._next_healing = math.inf
    return its


def waits_upstream():
    run = api.queue_one_time_job(make_brand().pk, "toy").run
    Run.objects.filter(pk=run.pk).update(status="waiting")
    later = timezone.now() + timedelta(hours=1)
    costs = {"cost_estimate": 0, "cost_cap": 0, "max_items": 1, "intent_at": timezone.now()}
    UpstreamRun.objects.create(
        run=run, source="apify", step="start", intent=1, tag="1", upstream_id="1", status="running", deadline=later, **costs
    )


def source_is_down():
    SourceState.objects.create(source="apify", next_poll_at=timezone.now(), blocked_until=timezone.now())


def retried_as_a_test():
    at = timezone.now()
    words = {"job_type": "toy", "source": "", "kind": "x", "cause": "x", "message": "x", "fixing": "trying"}
    Incident.objects.create(**words, first_seen=at, last_seen=at, count=1)


def bulk_action_goes_on():
    at = timezone.now()
    BulkAction.objects.create(token=uuid4(), kind="retry", query="q=a", words="", count=1, frozen_at=at, created_at=at)


@pytest.mark.parametrize(
    "there", [waits_upstream, source_is_down, retried_as_a_test, bulk_action_goes_on], ids=lambda there: there.__name__
)
def test_what_is_there_is_looked_after(housekeeping, calls, there):
    there()
    housekeeping.work()
    assert calls == ["upstreams", "canaries", "bulk actions"]


def test_where_nothing_is_there_it_asks_once(housekeeping, calls):
    with CaptureQueriesContext(connection) as asked:
        housekeeping.work()
    assert not calls
    assert len(asked) <= 1  # on PostgreSQL a prepared one, which is not captured
