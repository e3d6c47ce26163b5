"""Real workers, real signals. Each test kills only processes that it started, and sees that the kill hit."""

import os
import signal

import pytest
from django.utils import timezone

from pipeline import api
from pipeline.models import Brand, Run, Worker
from pipeline.states import Outcome, RunStatus
from tests.processes import alive, cluster, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]


@pytest.fixture
def brand():
    return Brand.objects.create(name="Acme", slug="acme")


def reached(run, status):
    def look():
        run.refresh_from_db()
        return run.status == status
    return look


def kill(pid):
    assert alive(pid)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(pid), f"the end of process {pid}")


def test_a_worker_killed_at_work_loses_nothing(brand, tmp_path):
    with cluster(tmp_path / "log"):
        run = api.queue_one_time_job(brand.pk, "toy", {"works": 1.5}).run
        until(reached(run, RunStatus.RUNNING), "the run to begin")
        kill(run.worker.pid)
        until(reached(run, RunStatus.COMPLETED), "another worker to finish it", 10)
    lost, completed = run.attempts.all()
    assert (lost.outcome, lost.exit_signal, completed.outcome) == (Outcome.LOST, 9, Outcome.COMPLETED)
    assert (run.attempt, run.steps.count()) == (0, 1)


def test_an_idle_worker_killed_leaves_no_deaf_cluster(brand, tmp_path):
    """The stock cluster never runs anything again after this."""
    with cluster(tmp_path / "log") as workers:
        for number in range(4):
            until(lambda: len(workers.workers()) == 2, "both workers")
            kill(workers.workers()[number % 2].pid)
            run = api.queue_one_time_job(brand.pk, "toy", {"name": str(number)}).run
            until(reached(run, RunStatus.COMPLETED), "the next run to complete", 10)


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
    assert (run.status, run.attempt, run.attempts.get().outcome) == (RunStatus.PENDING, 0, Outcome.HANDED_BACK)
    assert not Worker.objects.filter(stopped_at=None).exists()


def test_a_killed_parent_leaves_no_orphans_and_the_run_goes_on_elsewhere(brand, tmp_path):
    with cluster(tmp_path / "log", PIPELINE_LEASE_SECONDS="3") as workers:
        run = api.queue_one_time_job(brand.pk, "toy", {"works": 2}).run
        until(reached(run, RunStatus.RUNNING), "the run to begin")
        pids = workers.processes()
        kill(workers.pid)
        until(lambda: not [pid for pid in pids if alive(pid)], "the children to follow", 5)
    assert Run.objects.get(pk=run.pk).status == RunStatus.RUNNING
    with cluster(tmp_path / "log", PIPELINE_LEASE_SECONDS="3"):
        until(reached(run, RunStatus.COMPLETED), "the lease to lapse and the run to go on", 20)
