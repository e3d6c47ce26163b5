"""Real workers, real signals. Each test kills only its own processes and checks that they died."""

import os
import signal

import pytest
from django.db import connection
from django.utils import timezone

from pipeline import api
from pipeline.engine.lifecycle.by_death import MAX_RECOVERIES
from pipeline.models import Job, Run, Worker
from pipeline.states import Outcome, RunStatus
from tests.processes import alive, cluster, reached, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]
# When a sentinel dies, its workers' pipe closes and the kernel kills them. They may have time to hand the run back.
INTERRUPTED = (Outcome.LOST, Outcome.HANDED_BACK)
AT_WORK = {"lingers": 45}  # its first try works long enough to be interrupted even on a busy machine


def kill(pid):
    assert alive(pid)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(pid), f"the end of process {pid}")


def test_a_worker_killed_at_work_loses_nothing(brand, tmp_path):
    with cluster(tmp_path / "log"):
        run = api.queue_one_time_job(brand.pk, "toy", AT_WORK).run
        until(reached(run, RunStatus.RUNNING), "the run to begin")
        kill(run.worker.pid)
        until(reached(run, RunStatus.COMPLETED), "another worker to finish it", 10)
    lost, completed = run.attempts.all()
    assert (lost.outcome, lost.exit_signal, completed.outcome) == (Outcome.LOST, 9, Outcome.COMPLETED)
    assert (run.attempt, run.steps.count()) == (0, 1)


def test_an_idle_worker_killed_leaves_no_deaf_cluster(brand, tmp_path):
    """F3: whichever idle worker is killed. The stock cluster never runs anything again after this."""
    with cluster(tmp_path / "log") as workers:
        for number in range(4):
            until(lambda: len(workers.workers()) == 2, "both workers")
            kill(workers.workers()[number % 2].pid)
            run = api.queue_one_time_job(brand.pk, "toy", {"name": str(number)}).run
            until(reached(run, RunStatus.COMPLETED), "the next run to complete", 10)


@pytest.mark.alone
def test_sigterm_hands_the_run_back_and_ends_quickly(brand, tmp_path):
    with cluster(tmp_path / "log") as workers:
        run = api.queue_one_time_job(brand.pk, "toy", {"works": 60}).run
        until(reached(run, RunStatus.RUNNING), "the run to begin")
        pids = workers.processes()
        began = timezone.now()
        assert workers.stop() == 0
        assert (timezone.now() - began).total_seconds() < 10
        assert not [pid for pid in pids if alive(pid)]
    run.refresh_from_db()
    assert (run.status, run.attempt) == (RunStatus.PENDING, 0)
    # If the stop interrupts the other worker's claim, it hands the run back as well.
    assert {attempt.outcome for attempt in run.attempts.all()} == {Outcome.HANDED_BACK}
    assert not Worker.objects.filter(stopped_at=None).exists()


@pytest.mark.parametrize("generation", [1, 2], ids=["parent", "sentinel"])
def test_a_cluster_whose_parent_or_sentinel_is_killed_is_replaced(brand, tmp_path, generation):
    with cluster(tmp_path / "log") as workers:
        run = api.queue_one_time_job(brand.pk, "toy", AT_WORK).run
        until(reached(run, RunStatus.RUNNING), "the run to begin")
        old = workers.processes()
        kill(old[generation])
        until(reached(run, RunStatus.COMPLETED), "a new cluster to finish it", 12)
        assert not [pid for pid in old[1:] if alive(pid)]
    interrupted, completed = run.attempts.all()
    assert (interrupted.outcome in INTERRUPTED, completed.outcome, run.attempt) == (True, Outcome.COMPLETED, 0)


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_any_child_of_the_sentinel_may_be_killed(brand, tmp_path, number):
    """F3: after any kill the cluster still runs jobs."""
    with cluster(tmp_path / "log") as workers:
        until(lambda: len(workers.processes()) == 7, "two workers, and the two stand-ins for django-q2's monitor and pusher")
        kill(workers.processes()[3 + number])
        run = api.queue_one_time_job(brand.pk, "toy").run
        until(reached(run, RunStatus.COMPLETED), "the next run to complete", 10)


def test_a_death_that_cannot_be_recorded_harms_no_other_worker(brand, tmp_path):
    """A worker's death ends its run, but the run's schedule is unreadable. The run is set aside when its lease lapses."""
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", AT_WORK)
    run = job.runs.get()
    api.run_now(run, None)
    with cluster(tmp_path / "log") as workers:
        until(reached(run, RunStatus.RUNNING), "the run to begin")
        Job.objects.update(time_zone="Mars")
        Run.objects.update(recoveries=MAX_RECOVERIES - 1)
        sentinel = workers.processes()[2]
        kill(run.worker.pid)
        until(lambda: "could not be handed back" in workers.log.read_text(), "the sentinel to say so")
        until(lambda: len(workers.workers()) == 2, "a new worker")
        other = api.queue_one_time_job(brand.pk, "toy", {"name": "other"}).run
        until(reached(other, RunStatus.COMPLETED), "the next run to complete", 10)
        assert alive(sentinel)


@pytest.mark.alone
def test_a_cancel_reaches_a_handler_at_work_within_five_seconds(brand, tmp_path):
    with cluster(tmp_path / "log"):
        run = api.queue_one_time_job(brand.pk, "toy", {"works": 60}).run
        until(reached(run, RunStatus.RUNNING), "the run to begin")
        api.cancel(run, None)
        until(reached(run, RunStatus.CANCELLED), "the cancel", 5)
    assert [attempt.outcome for attempt in run.attempts.all()] == [Outcome.CANCELLED]


def test_a_handler_that_hangs_is_ended_and_tried_again(brand, tmp_path):
    with cluster(tmp_path / "log", TOY_MAX_RUNTIME="1") as workers:
        run = api.queue_one_time_job(brand.pk, "toy", {"hangs": True}).run
        pid = until(run.attempts.first, "the run to begin").worker.pid
        until(lambda: Run.objects.get(pk=run.pk).attempt == 1, "the try to be ended", 10)
        until(lambda: not alive(pid), "the end of the worker that hung")
        other = api.queue_one_time_job(brand.pk, "toy", {"name": "other"}).run
        until(reached(other, RunStatus.COMPLETED), "the next run to complete", 10)
        assert len(workers.processes()) >= 3
    run.refresh_from_db()
    assert (run.status, run.attempts.get().outcome) == (RunStatus.PENDING, Outcome.FAILED)
    assert "longer than" in run.error_message


@pytest.mark.alone
def test_a_handler_that_hangs_inside_a_transaction_is_ended_too(brand, tmp_path):
    """It locks its own row, and on SQLite the whole database, so the try cannot be marked failed before the kill."""
    with cluster(tmp_path / "log", TOY_MAX_RUNTIME="1", PIPELINE_LEASE_SECONDS="3", PIPELINE_SQLITE_TIMEOUT="2"):
        run = api.queue_one_time_job(brand.pk, "toy", {"inside": True}).run
        pid = until(run.attempts.first, "the run to begin").worker.pid
        until(lambda: not alive(pid), "the end of the worker that hung", 15)
        other = api.queue_one_time_job(brand.pk, "toy", {"name": "other"}).run
        until(reached(other, RunStatus.COMPLETED), "the next run to complete", 10)
        if run.attempts.get(number=1).outcome == Outcome.FAILED:
            api.run_now(Run.objects.get(pk=run.pk), None)
        until(reached(run, RunStatus.COMPLETED), "the run to be tried again", 10)


@pytest.mark.alone
@pytest.mark.only_on("postgresql")
@pytest.mark.parametrize("how", ["killed", "overrun"])
def test_what_a_dead_worker_left_its_server_to_do_ends_with_it(brand, tmp_path, how):
    """Otherwise the server would finish the query first and keep the run's row locked until then."""
    runtime = "3" if how == "overrun" else "60"
    with cluster(tmp_path / "log", TOY_MAX_RUNTIME=runtime, PIPELINE_LEASE_SECONDS="3"):
        run = api.queue_one_time_job(brand.pk, "toy", {"asks": 600}).run

        def asking():
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'")
                return cursor.fetchone()

        until(asking, "its query")
        pid = run.attempts.get().worker.pid
        if how == "killed":
            kill(pid)
        until(lambda: not asking() and not alive(pid), "the end of both", 15)
        until(lambda: run.attempts.exclude(outcome="").exists(), "its death to be known", 10)


@pytest.mark.alone
def test_a_killed_supervisor_leaves_no_orphans_and_the_run_goes_on_elsewhere(brand, tmp_path):
    with cluster(tmp_path / "log", PIPELINE_LEASE_SECONDS="3") as workers:
        run = api.queue_one_time_job(brand.pk, "toy", AT_WORK).run
        until(reached(run, RunStatus.RUNNING), "the run to begin")
        pids = workers.processes()
        kill(workers.pid)
        until(lambda: not [pid for pid in pids if alive(pid)], "the children to follow", 5)
    assert Run.objects.get(pk=run.pk).status in (RunStatus.RUNNING, RunStatus.PENDING), "nobody went on with it"
    assert run.attempts.get().outcome in ("", *INTERRUPTED)
    with cluster(tmp_path / "log", PIPELINE_LEASE_SECONDS="3"):
        until(reached(run, RunStatus.COMPLETED), "the lease to lapse and the run to go on", 20)
