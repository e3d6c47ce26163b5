"""Details that are older than the settings keep go, a little at a time, and it is said what went."""

from datetime import timedelta

import pytest
from django.utils import timezone

from pipeline.engine.workers.housekeeping import retention
from pipeline.engine.workers.housekeeping.retention import NEXT_ROUND, NEXT_TURN, remove_old
from pipeline.models import Attempt, Event, Job, RawPage, RejectedItem, Retention, Reuse, Run, RunLog, UpstreamRun
from pipeline.states import RunStatus
from tests.factories import make_brand

pytestmark = pytest.mark.django_db
KINDS = (RawPage, RunLog, Attempt, RejectedItem)


@pytest.fixture
def job(db):
    return Job.objects.create(brand=make_brand(), job_type="toy")


def a_run(job, days, *, status=RunStatus.COMPLETED, paid=None):
    """A run that ended so many days ago, with one of each detail."""
    at = timezone.now() - timedelta(days=days)
    over = status in ("completed", "failed", "cancelled")
    run = Run.objects.create(
        job=job,
        brand=job.brand,
        job_type="toy",
        status=status,
        verdict="ok" if status == "completed" else "",
        due_at=at,
        order_at=at,
        created_at=at,
        completed_at=at if over else None,
    )
    known = {"step": "start", "intent": 1, "source": "apify", "tag": f"tag {run.pk}", "upstream_id": f"id {run.pk}"}
    times = {"intent_at": at, "deadline": at, "finished_at": at}
    made = {"status": "succeeded", "read_complete": True, "cost_estimate": 1, "cost_cap": 1, "max_items": 1}
    bought = UpstreamRun.objects.create(run=run, **times, **known | made | (paid or {}))
    RawPage.objects.create(upstream_run=bought, offset=0, next_offset=1, items=1, payload=b"x")
    RejectedItem.objects.create(run=run, upstream_run=bought, reason="no id", item={})
    RunLog.objects.create(run=run, seq=1, at=at, message="Hello")
    Attempt.objects.create(run=run, number=1, lease_token="0" * 32, started_at=at, outcome="completed")
    an_event(days, run=run)
    return run


def an_event(days, **about):
    event = Event.objects.create(kind="pause", message="Paused by Ann.", **about)
    Event.objects.filter(pk=event.pk).update(at=timezone.now() - timedelta(days=days))
    return event


def left(run):
    pages = RawPage.objects.filter(upstream_run__run=run)
    return [rows.exists() for rows in (pages, run.logs.all(), run.attempts.all(), run.rejected.all(), run.events.all())]


def test_each_kind_of_detail_goes_at_its_age_and_the_run_stays(job):
    young, middle, old, oldest = (a_run(job, days) for days in (89, 91, 181, 731))
    remove_old(timezone.now())
    assert left(young) == [True, True, True, True, True]
    assert left(middle) == [False, True, True, True, True]
    assert left(old) == [False, False, False, False, True]
    assert left(oldest) == [False] * 5
    assert (Run.objects.count(), UpstreamRun.objects.count()) == (4, 4)
    said = Event.objects.get(kind="removed").message
    assert said == "Removed because of their age: 3 downloaded pages, 2 log lines, 2 attempts, 2 rejected items, 1 event."


def test_zero_keeps_everything(job, settings):
    settings.PIPELINE_KEEP_PAGES_DAYS = settings.PIPELINE_KEEP_LOGS_DAYS = settings.PIPELINE_KEEP_EVENTS_DAYS = 0
    run = a_run(job, 9999)
    remove_old(timezone.now())
    assert left(run) == [True] * 5
    assert not Event.objects.filter(kind="removed").exists()


@pytest.mark.parametrize("status", [RunStatus.PENDING, RunStatus.WAITING])
def test_nothing_of_a_live_run_goes(job, status):
    run = a_run(job, 9999, status=status)
    remove_old(timezone.now())
    assert left(run) == [True] * 5


@pytest.mark.parametrize(
    "doubt",
    [
        {"status": "intent", "upstream_id": None},
        {"status": "unknown", "upstream_id": None},
        {"status": "running"},
        {"status": "failed", "read_complete": False},
    ],
    ids=["asked for", "unknown", "still running", "items not saved"],
)
def test_nothing_goes_while_it_is_open_what_was_paid_for(job, doubt):
    run = a_run(job, 9999, status=RunStatus.FAILED, paid=doubt)
    remove_old(timezone.now())
    assert left(run) == [True] * 5
    UpstreamRun.objects.update(status="aborted", read_complete=True)
    remove_old(timezone.now() + NEXT_ROUND)
    assert left(run) == [False] * 5


def test_pages_that_a_live_run_uses_stay(job):
    run = a_run(job, 9999)
    user = a_run(job, 1, status=RunStatus.WAITING)
    Reuse.objects.create(run=user, step="start", upstream_run=run.upstream_runs.get(), joined_at=timezone.now())
    remove_old(timezone.now())
    assert left(run)[0]


def test_who_paused_a_job_is_known_for_as_long_as_it_is_paused(job):
    an_event(9999, job=job)
    Job.objects.update(status="paused")
    remove_old(timezone.now())
    assert Event.objects.filter(job=job).exists()
    Job.objects.update(status="active")
    remove_old(timezone.now() + NEXT_ROUND)
    assert not Event.objects.filter(job=job).exists()


def test_it_goes_on_in_small_parts_where_it_stopped(job, monkeypatch):
    """Each turn of nobody else begins where the last one ended, and reports when all is done."""
    monkeypatch.setattr(retention, "RUNS", 2)
    monkeypatch.setattr(retention, "ROWS", 3)
    monkeypatch.setattr(retention, "SECONDS", 0)
    runs = [a_run(job, days) for days in (799, 798, 797, 796, 795)]
    RunLog.objects.bulk_create(RunLog(run=runs[0], seq=seq, at=timezone.now(), message="More") for seq in range(2, 9))
    at, turns = timezone.now(), 0
    while not Event.objects.filter(kind="removed").exists():
        before = RunLog.objects.count()
        remove_old(at)
        assert before - RunLog.objects.count() <= 3
        at += NEXT_TURN
        turns += 1
        assert turns < 30
    assert turns > 5
    assert [left(run) for run in runs] == [[False] * 5] * 5
    assert "5 downloaded pages, 12 log lines, 5 attempts, 5 rejected items, 5 events" in Event.objects.get(kind="removed").message


def test_one_worker_at_a_time_has_the_turn(job):
    run = a_run(job, 9999)
    Retention.objects.create(pk=1, next_at=timezone.now() + timedelta(seconds=5))
    remove_old(timezone.now())
    assert left(run)[0]
    remove_old(timezone.now() + timedelta(seconds=5))
    assert not left(run)[0]
