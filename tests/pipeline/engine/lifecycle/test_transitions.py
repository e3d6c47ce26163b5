"""The life of a run: outcomes, retries, fencing, deaths."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from pipeline import api
from pipeline.contract.errors import LeaseLost
from pipeline.contract.job_type import Done
from pipeline.engine.execution import final_write
from pipeline.engine.execution.context import WorkerContext
from pipeline.engine.lifecycle import by_death, by_worker
from pipeline.engine.lifecycle.lease import renew
from pipeline.engine.queue import claim as claims
from pipeline.engine.workers.housekeeping.healing import heal_schedules
from pipeline.engine.workers.inline import work_off, work_one
from pipeline.engine.workers.processes import register_worker
from pipeline.models import DatasetStatus, Run
from pipeline.queries import explain
from pipeline.states import Outcome, RunStatus

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def queue(brand):
    return lambda **parameters: api.queue_one_time_job(brand.pk, "toy", parameters).run


def claim():
    run, lease = claims.claim(register_worker())
    return run, lease


def make_due(run):
    Run.objects.filter(pk=run.pk).update(due_at=timezone.now() - timedelta(seconds=1))


def test_a_completed_run_stores_its_summary_and_makes_its_data_fresh(queue):
    queue()
    run = work_one()
    assert (run.status, run.verdict, run.summary, run.counts) == (RunStatus.COMPLETED, "ok", "1 toy.", {"new": 1})
    assert run.attempts.get().outcome == Outcome.COMPLETED
    status = DatasetStatus.objects.get()
    assert (status.last_status, status.last_success_at, status.records_affected) == ("completed", run.completed_at, 1)


def test_a_partial_result_does_not_count_as_fresh_and_says_why(queue):
    """F19: only a plausible success is fresh."""
    queue(ends="partial")
    run = work_one()
    status = DatasetStatus.objects.get()
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "partial")
    assert (status.last_success_at, status.error_message) == (None, "Half of it is missing.")


@pytest.mark.parametrize(("tries", "minutes"), [(1, 5), (2, 10), (3, 20)])
def test_a_failed_try_waits_longer_each_time(queue, tries, minutes):
    run = queue(ends="transient")
    for _ in range(tries):
        make_due(run)
        run = work_one()
    assert (run.status, run.attempt) == (RunStatus.PENDING, tries)
    assert run.due_at - timezone.now() == pytest.approx(timedelta(minutes=minutes), abs=timedelta(seconds=10))
    assert run.error_message == "The toy shop was closed."


def test_the_fourth_failed_try_is_the_last(queue):
    run = queue(ends="transient")
    for _ in range(4):
        make_due(run)
        run = work_one()
    assert (run.status, run.attempt) == (RunStatus.FAILED, 4)
    assert DatasetStatus.objects.get().last_status == "failed"


@pytest.mark.parametrize("scheduled", [False, True])
def test_a_run_whose_type_is_gone_waits_says_so_and_others_continue(brand, queue, scheduled):
    """As after a deploy that removed the type, or during one that adds it."""
    if scheduled:
        gone = api.ensure_recurring_job(brand.pk, "toy", "0 4 * * *").runs.get()
    else:
        gone = queue()
    make_due(gone)
    Run.objects.filter(pk=gone.pk).update(job_type="vanished", priority=0)
    gone.job.__class__.objects.update(job_type="vanished")
    other = queue(name="other")
    assert [run.pk for run in work_off()] == [other.pk]
    gone.refresh_from_db()
    assert gone.status == RunStatus.PENDING
    assert "Nothing here has code for the job type 'vanished'" in explain(gone, timezone.now())
    heal_schedules(timezone.now())  # has nothing to heal it with, and goes on
    api.cancel(gone, None)
    gone.refresh_from_db()
    assert gone.status == RunStatus.CANCELLED


def test_a_bug_in_on_completed_fails_the_run_and_does_not_end_the_worker(queue, monkeypatch):
    monkeypatch.setattr(final_write, "PAUSE", 0)
    queue(ends="unbooked")
    run = work_one()
    assert (run.status, run.attempt) == (RunStatus.FAILED, 1)
    assert "The end of this run could not be saved" in run.error_message
    assert "on_completed" in run.attempts.get().traceback


def test_a_downtime_of_four_days_is_one_run_and_not_four(brand):
    """F10: one run catches up, the next one is in the future."""
    job = api.ensure_recurring_job(brand.pk, "toy", "0 4 * * *")
    missed = timezone.now() - timedelta(days=4)
    job.runs.update(due_at=missed, order_at=missed, scheduled_for=missed)
    done = work_off()
    assert [run.status for run in done] == [RunStatus.COMPLETED]
    assert job.runs.live().get().scheduled_for > timezone.now()


def test_a_new_process_with_an_old_pid_is_another_worker(queue):
    """F17: host and pid do not tell who has a lease."""
    run = queue()
    claims.claim(register_worker())
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert work_one(register_worker()).status == RunStatus.COMPLETED
    assert [one.outcome for one in run.attempts.order_by("number")] == [Outcome.LOST, Outcome.COMPLETED]
    assert len({one.worker_label for one in run.attempts.all()}) == 1


def test_a_permanent_error_is_not_tried_again(queue):
    queue(ends="permanent")
    assert work_one().status == RunStatus.FAILED


def test_a_bug_in_a_handler_keeps_its_traceback_for_the_engineer(queue):
    queue(ends="bug")
    run = work_one()
    attempt = run.attempts.get()
    assert "An error in our code stopped this run (reference" in run.error_message
    assert "in run" in attempt.traceback


def test_blocked_waits_with_its_reason_and_costs_no_try(queue):
    queue(ends="blocked")
    run = work_one()
    assert (run.status, run.attempt, run.blocked_reason) == (RunStatus.PENDING, 0, "The toy shop is full.")
    assert run.due_at > timezone.now()


@pytest.mark.parametrize("ends", ["blocked", "no_column"])
def test_blocked_for_two_hours_costs_a_try(queue, ends):
    """By a full upstream, or by an error that SQLite raises both for a locked file and for a bug in a query."""
    run = queue(ends=ends)
    work_one()
    Run.objects.filter(pk=run.pk).update(blocked_since=timezone.now() - timedelta(hours=2, minutes=1))
    make_due(run)
    assert work_one().attempt == 1


def test_a_run_that_is_blocked_and_then_cancelled_ends_at_once(queue):
    queue()
    run, lease = claims.claim(register_worker())
    api.cancel(Run.objects.get(pk=run.pk), None)
    by_worker.block(lease, "full", 600)
    assert work_one().status == RunStatus.CANCELLED


def test_a_run_that_parked_meanwhile_was_not_blocked_all_the_time(queue):
    def lease():
        _, lease = claims.claim(register_worker())
        return lease

    queue()
    by_worker.block(lease(), "full", 0)
    Run.objects.update(blocked_since=timezone.now() - timedelta(hours=3))
    by_worker.park(lease(), timezone.now(), "at Apify")
    by_worker.block(lease(), "full", 5)
    assert Run.objects.get().attempt == 0


def test_a_finished_step_ends_the_time_a_run_was_blocked(queue):
    """Two short outages of the database, hours apart, in one long run that is never parked: the second costs no try either."""
    run = queue(ends="no_column")
    Run.objects.update(blocked_since=timezone.now() - timedelta(hours=3))
    first = work_one()  # commits its step, then is blocked again
    assert (first.status, first.attempt) == (RunStatus.PENDING, 0)
    assert run.steps.exists()


def test_a_sleep_parks_the_run_which_continues_after_it(queue):
    run = queue(sleeps=60)
    parked = work_one()
    assert (parked.status, parked.worker) == (RunStatus.WAITING, None)
    assert work_one() is None
    step = run.steps.get(name="sleep 1")
    step.result = (timezone.now() - timedelta(seconds=1)).isoformat()
    step.save()
    make_due(run)
    assert work_one().status == RunStatus.COMPLETED
    assert [a.outcome for a in run.attempts.all()] == [Outcome.PARKED, Outcome.COMPLETED]


@pytest.mark.parametrize("ends", ["transient", "blocked", "no_column"])
def test_a_cancel_does_not_wait_for_a_try_to_succeed(queue, ends):
    """Every try fails, and nothing of the run is upstream: it can be cancelled at once."""
    run = queue(ends=ends)
    work_one()
    make_due(run)
    _, lease = claims.claim(register_worker())
    api.cancel(run, None)
    by_worker.hand_back(lease)
    assert work_one().status == RunStatus.CANCELLED


def test_a_cancel_ends_a_sleep(queue):
    run = queue(sleeps=600)
    work_one()
    api.cancel(run, None)
    assert work_one().status == RunStatus.CANCELLED


def test_a_stopping_worker_hands_the_run_back_and_spends_no_try(queue):
    queue(works=30)
    stops = iter([False, True, True, True])
    run = work_one(stopping=lambda: next(stops, True))
    assert (run.status, run.attempt) == (RunStatus.PENDING, 0)
    assert run.attempts.get().outcome == Outcome.HANDED_BACK
    assert run.due_at <= timezone.now() + timedelta(seconds=1)


def test_a_worker_that_lost_its_lease_can_write_nothing(queue):
    queue()
    run, lease = claim()
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    again, new_lease = claim()
    assert again.pk == run.pk
    before = Run.objects.values().get(pk=run.pk)
    ctx = WorkerContext(run, lease, stopping=lambda: False)
    for write in (
        lambda: by_worker.complete(lease, Done()),
        lambda: by_worker.fail(lease, "x", permanent=True),
        lambda: by_worker.park(lease, timezone.now(), ""),
        lambda: by_worker.hand_back(lease),
        lambda: by_worker.block(lease, "x", 1),
        lambda: by_worker.finish_cancel(lease, "x"),
        lambda: ctx.step("new", lambda: 1),
        lambda: ctx.log("x"),
        lambda: ctx.progress(1),
    ):
        with pytest.raises(LeaseLost):
            write()
    assert Run.objects.values().get(pk=run.pk) == before
    assert not run.steps.exists()
    assert DatasetStatus.objects.get().last_success_at is None
    assert not renew(lease)
    by_worker.complete(new_lease, Done())


def test_an_expired_lease_counts_as_a_death_and_spends_no_try(queue):
    run = queue()
    claim()
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    run = work_one()
    assert (run.status, run.attempt, run.recoveries) == (RunStatus.COMPLETED, 0, 0)
    assert [a.outcome for a in run.attempts.all()] == [Outcome.LOST, Outcome.COMPLETED]


def test_five_deaths_without_progress_are_poison(queue):
    run = queue()
    for _ in range(5):
        assert claim()
        Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert work_one() is None
    run.refresh_from_db()
    assert run.status == RunStatus.FAILED
    assert run.error_message.count("stopped responding") == 5


def test_a_death_noticed_on_the_host_hands_the_run_back_and_stores_the_signal(queue):
    queue()
    run, _ = claim()
    assert by_death.lose_worker(run.worker, 9) == 1
    run.refresh_from_db()
    lost = run.attempts.get()
    assert (run.status, lost.outcome, lost.exit_signal) == (RunStatus.PENDING, Outcome.LOST, 9)


def test_the_workers_log_names_the_run_of_a_dead_worker_and_what_becomes_of_it(queue, caplog):
    run = queue()
    for _ in range(by_death.MAX_RECOVERIES):
        claimed, _ = claim()
        by_death.lose_worker(claimed.worker, 9)
    first, *_, last = caplog.messages
    assert first.startswith(f"Run {run.pk}: Worker ")
    assert first.endswith(" was killed (signal 9). Finished work is kept; another worker continues.")
    assert last.startswith(f"Run {run.pk} failed: 5 workers died on this run without progress, so automatic retries stopped.")


def test_a_running_run_notices_a_cancel_at_its_next_step(queue):
    run = queue(works=0)
    claimed, lease = claim()
    api.cancel(run, None)
    ctx = WorkerContext(Run.objects.get(pk=claimed.pk), lease, stopping=lambda: False)
    assert ctx.cancelled


def test_the_log_is_numbered_without_gaps(queue):
    run = queue()
    work_off()
    assert [row.seq for row in run.logs.all()] == list(range(1, run.logs.count() + 1))


@pytest.mark.parametrize(
    "broken",
    [
        {"status": "running"},
        {"status": "completed"},
        {"status": "completed", "completed_at": timezone.now()},
        {"status": "pending", "verdict": "ok"},
        {"status": "failed"},
        {"lease_token": "5a2d8a54-0000-4000-8000-000000000000"},
    ],
)
def test_the_database_refuses_impossible_states(queue, broken):
    run = queue()
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.filter(pk=run.pk).update(**broken)


def test_the_database_refuses_a_second_live_run_of_a_key(queue):
    run = queue()
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.create(
            job=run.job,
            job_type="toy",
            due_at=run.due_at,
            order_at=run.order_at,
            created_at=run.created_at,
            dedupe_key=run.dedupe_key,
        )
