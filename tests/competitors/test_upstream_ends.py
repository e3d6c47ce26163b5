"""However an upstream run ends, or does not: paid-for items are saved, and no run waits forever."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from pipeline import api
from pipeline.contract import get_source
from pipeline.engine.upstreams.watch import ask_account, watch_upstreams
from pipeline.models import Run, UpstreamRun
from pipeline.states import RunStatus
from tests.competitors.scraping import finish, upstream_runs, words, work
from tests.processes import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("end", ["FAILED", "TIMED-OUT", "ABORTED"])
def test_the_items_of_a_failed_upstream_run_are_saved_and_a_new_one_is_started(sandbox, listing, run, end, settings):
    settings.PIPELINE_RETRY_SPEND_USD = Decimal(5)
    sandbox.account.faults.arm("end_as", value=end, count=1)

    def tried():
        work(run)
        run.refresh_from_db()
        return run.attempt == 1

    until(tried, "the first try to fail")
    landed = listing.reviews().count()
    assert landed > 0
    finish(run)
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.COMPLETED, 2)
    assert listing.reviews().count() >= landed
    assert [row.intent for row in run.upstream_runs.all()] == [1, 2]


@pytest.mark.parametrize("action", [api.retry, api.end_upstream])
def test_an_upstream_run_of_a_failed_run_can_be_continued_or_ended(sandbox, run, action):
    """Either way nothing new is started, and nothing runs upstream when the run is over."""
    if action is api.end_upstream:
        sandbox.account.faults.arm("never_ends")
    work(run)
    over = {"status": "failed", "completed_at": timezone.now(), "lease_token": None, "lease_expires_at": None, "worker": None}
    Run.objects.filter(pk=run.pk).update(**over)
    run.refresh_from_db()
    action(run, None)
    finish(run)
    assert run.status == (RunStatus.COMPLETED if action is api.retry else RunStatus.CANCELLED)
    assert upstream_runs(sandbox) == 1
    assert run.upstream_runs.get().ended


def test_a_run_that_takes_hours_upstream_waits_and_costs_no_try(sandbox, run):
    """F13: an upstream that does not answer may still be running it. The wait holds no worker."""
    sandbox.account.faults.arm("never_ends")
    work(run)
    now = timezone.now()
    UpstreamRun.objects.update(
        started_at=now - timedelta(hours=5), intent_at=now - timedelta(hours=5), deadline=now + timedelta(hours=1)
    )
    for _ in range(3):
        assert work(run).status == RunStatus.WAITING
    run.refresh_from_db()
    assert (run.attempt, run.worker, upstream_runs(sandbox)) == (0, None, 1)
    assert "(5 h 0 min)" in words(run)


@pytest.mark.parametrize(("over", "end"), [(timedelta(minutes=1), "aborted"), (timedelta(minutes=6), "timed_out")])
def test_a_run_past_its_time_limit_is_stopped_and_started_again(sandbox, run, over, end):
    """It is asked to stop at its time limit, and given up 5 minutes later even if the upstream cannot stop it."""
    sandbox.account.faults.arm("never_ends", count=1)
    work(run)
    first = run.upstream_runs.get()
    if end == "timed_out":
        sandbox.account.faults.arm("server_error", path="/abort")
    UpstreamRun.objects.update(deadline=timezone.now() - over)
    finish(run)
    first.refresh_from_db()
    assert first.status == end
    assert "is past its time limit" in words(run)
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.COMPLETED, 2)


def test_a_run_that_vanished_upstream_costs_a_try(sandbox, run):
    work(run)
    sandbox.account.faults.arm("vanish_run")
    UpstreamRun.objects.update(started_at=timezone.now() - timedelta(minutes=5))
    work(run)
    until(lambda: UpstreamRun.objects.get().status == "gone" or (work(run) and False), "the verdict")
    run.refresh_from_db()
    assert run.attempt == 1 or run.status == RunStatus.FAILED


def test_the_fallback_polls_of_many_waiting_runs_do_not_flood_the_upstream(sandbox, run, monkeypatch):
    """10,000 runs that each ask every two minutes would make 83 requests a second."""
    sandbox.account.faults.arm("never_ends")
    work(run)
    (row,) = UpstreamRun.objects.values()
    others = [
        UpstreamRun(**row | {"id": None, "tag": f"t{number}", "upstream_id": f"u{number}", "step": f"s{number}"})
        for number in range(1000)
    ]
    UpstreamRun.objects.bulk_create(others)
    work(run)
    run.refresh_from_db()
    assert 1001 / (run.due_at - timezone.now()).total_seconds() <= 2.1


def test_a_run_that_vanished_with_its_items_is_started_again(sandbox, run):
    sandbox.account.faults.arm("never_ends", count=1)
    work(run)
    UpstreamRun.objects.update(started_at=timezone.now() - timedelta(minutes=5))
    sandbox.account.faults.arm("vanish_run", count=1)
    sandbox.account.faults.arm("dataset_gone", count=1)
    finish(run)
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.COMPLETED, 2), run.error_message
    gone = run.upstream_runs.get(intent=1)
    assert (gone.status, gone.cost_settled) == ("gone", False), "its cost is unknown: the estimate counts"
    assert "What it had found could not be read" in words(run)
    assert "had found no reviews" not in words(run)


def test_a_run_that_succeeded_but_lost_its_items_fails_and_can_be_started_again(sandbox, run, settings):
    settings.PIPELINE_RETRY_SPEND_USD = Decimal("0.001")
    sandbox.account.faults.arm("dataset_gone", count=1)
    finish(run)
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.FAILED, 1)
    assert "Its items are no longer there" in words(run)
    assert "Start again costs about $" in run.error_message
    assert run.cost_actual > 0
    api.start_again(run, None)
    finish(run)
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.COMPLETED, 2), run.error_message


@pytest.mark.parametrize("late", [False, True])
def test_a_final_cost_that_cannot_be_read_is_asked_for_again_and_else_stays_unsettled(sandbox, run, late, settings):
    """The cost that an upstream reports right after the end is too low."""
    settings.PIPELINE_SETTLE_SECONDS = 1
    sandbox.account.faults.arm("late_costs", value=0.5)

    def ended():
        work(run)
        return run.upstream_runs.get().ended

    until(ended, "the end upstream")
    sandbox.account.faults.arm("server_error", path="/actor-runs/", count=2)
    if late:
        UpstreamRun.objects.update(finished_at=timezone.now() - timedelta(hours=1))
    finish(run)
    ledger = run.upstream_runs.get()
    full = round(Decimal(run.counts["raw"]) * Decimal("0.75") / 1000, 4)
    assert run.status == RunStatus.COMPLETED
    assert (ledger.cost_settled, ledger.cost_actual == full) == (not late, not late)


@pytest.mark.parametrize("fault", ["broken_json", "server_error"])
def test_a_run_that_cannot_be_read_for_a_day_is_given_up(sandbox, run, fault):
    """An answer that our client cannot read may stay so forever. For the first day it may be an outage: the run waits."""
    sandbox.account.faults.arm("never_ends")
    work(run)
    sandbox.account.faults.arm(fault, path="/actor-runs/")
    UpstreamRun.objects.update(deadline=timezone.now() - timedelta(hours=23))
    assert work(run).status == RunStatus.WAITING
    UpstreamRun.objects.update(deadline=timezone.now() - timedelta(hours=25))
    work(run)
    run.refresh_from_db()
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.FAILED, 1)
    assert "could not be read for a day" in run.error_message
    sandbox.account.faults.clear()
    api.retry(run, None)
    finish(run)
    assert run.upstream_runs.get(intent=1).ended


def test_a_run_that_cannot_be_read_for_a_day_can_be_cancelled(sandbox, run):
    sandbox.account.faults.arm("never_ends")
    work(run)
    sandbox.account.faults.arm("broken_json", path="/actor-runs/")
    UpstreamRun.objects.update(deadline=timezone.now() - timedelta(hours=25))
    api.cancel(run, None)
    work(run)
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED


def test_any_status_message_of_an_actor_can_be_stored(sandbox, run):
    """JSON allows NUL; PostgreSQL refuses it in text and JSON."""
    sandbox.account.faults.arm("never_ends")
    work(run)
    sandbox.account.runs[run.upstream_runs.get().upstream_id].plan.unit = "Search\x00"
    watch_upstreams()
    watch_upstreams()
    assert work(run).status == RunStatus.WAITING
    run.refresh_from_db()
    assert run.attempt == 0


def test_a_run_that_is_due_already_is_not_asked_for_with_all_others(sandbox, run):
    """Else one whose code is gone would make every poll ask for all runs since its start."""
    work(run)
    Run.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    before = sandbox.account.requests.total()
    ask_account(get_source("apify"))
    assert sandbox.account.requests.total() == before
