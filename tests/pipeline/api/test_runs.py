"""What a person does to one run, through the write door."""

from datetime import timedelta

import pytest
from django.utils import timezone

from pipeline import api
from pipeline.contract.errors import NotAllowed
from pipeline.engine.queue.claim import claim
from pipeline.engine.workers.inline import work_off, work_one
from pipeline.engine.workers.processes import register_worker
from pipeline.models import Brand, DatasetStatus, Run
from pipeline.states import JobStatus, RunStatus

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def brand():
    return Brand.objects.create(name="Acme", slug="acme")


def test_a_run_that_completed_ok_archives_its_manual_job(brand):
    queued = api.queue_one_time_job(brand.pk, "toy")
    work_off()
    queued.job.refresh_from_db()
    assert (queued.job.status, queued.job.runs_completed) == (JobStatus.ARCHIVED, 1)


def test_a_failed_job_stays_with_its_error(brand):
    queued = api.queue_one_time_job(brand.pk, "toy", {"ends": "permanent"})
    work_off()
    queued.job.refresh_from_db()
    assert queued.job.status == JobStatus.ACTIVE
    assert "no such toy" in queued.job.last_error


def test_retry_reopens_the_same_run_with_a_new_budget(brand):
    run = api.queue_one_time_job(brand.pk, "toy", {"ends": "permanent"}).run
    work_off()
    run.refresh_from_db()
    api.retry(run, None)
    run.refresh_from_db()
    assert (run.status, run.attempt, run.completed_at) == (RunStatus.PENDING, 0, None)
    assert work_one().status == RunStatus.FAILED
    assert run.attempts.count() == 2
    assert run.steps.count() == 1


def test_retry_is_refused_while_another_run_holds_the_key(brand):
    run = api.queue_one_time_job(brand.pk, "toy", {"ends": "permanent"}).run
    work_off()
    other = api.queue_one_time_job(brand.pk, "toy", {"ends": "permanent"}).run
    run.refresh_from_db()
    with pytest.raises(NotAllowed, match=f"run {other.pk} is doing the same"):
        api.retry(run, None)


def test_a_completed_run_cannot_be_retried(brand):
    run = api.queue_one_time_job(brand.pk, "toy").run
    (run,) = work_off()
    with pytest.raises(NotAllowed, match="completed"):
        api.retry(run, None)


def test_run_again_makes_a_new_run_with_the_same_parameters(brand):
    api.queue_one_time_job(brand.pk, "toy", {"name": "owl"})
    (run,) = work_off()
    again = api.run_again(run, None)
    assert again.created
    assert again.run.parameters == run.parameters


def test_cancel_ends_a_pending_run_at_once(brand):
    queued = api.queue_one_time_job(brand.pk, "toy")
    api.cancel(queued.run, None)
    queued.run.refresh_from_db()
    assert queued.run.status == RunStatus.CANCELLED
    assert work_off() == []


def test_an_ended_run_cannot_be_cancelled(brand):
    api.queue_one_time_job(brand.pk, "toy")
    (run,) = work_off()
    with pytest.raises(NotAllowed, match="is completed, so it cannot be cancelled"):
        api.cancel(run, None)


def test_run_now_brings_a_waiting_retry_forward(brand):
    run = api.queue_one_time_job(brand.pk, "toy", {"ends": "transient"}).run
    work_off()
    assert work_off() == []
    api.run_now(run, None)
    assert work_one().attempt == 2


def test_run_now_leaves_a_run_that_is_due_its_place(brand):
    """For example when the admin action is applied to due and later runs together."""
    first, second = [api.queue_one_time_job(brand.pk, "toy", {"name": name}).run for name in ("owl", "fox")]
    api.run_now(first, None)
    assert work_off() == [first, second]


def test_accepting_a_partial_result_moves_the_freshness_clock(brand):
    api.queue_one_time_job(brand.pk, "toy", {"ends": "partial"})
    (run,) = work_off()
    status = brand.datasets.get()
    assert (run.verdict, status.last_success_at) == ("partial", None)
    api.accept(run, None)
    status.refresh_from_db()
    assert status.last_success_at == run.completed_at
    with pytest.raises(NotAllowed, match="already counts as good"):
        api.accept(run, None)


def test_accepting_an_old_result_does_not_set_the_freshness_clock_back(brand):
    api.queue_one_time_job(brand.pk, "toy", {"ends": "partial"})
    old = work_one()
    Run.objects.filter(pk=old.pk).update(completed_at=timezone.now() - timedelta(days=7))
    api.queue_one_time_job(brand.pk, "toy")
    work_one()
    newest = brand.datasets.get().last_success_at
    api.accept(Run.objects.get(pk=old.pk), None)
    assert brand.datasets.get().last_success_at == newest


@pytest.mark.parametrize("ends", ["ok", "permanent"])
def test_accepting_a_result_does_not_hide_what_came_after_it(brand, ends):
    api.queue_one_time_job(brand.pk, "toy", {"ends": "partial"})
    doubted = work_one()
    api.queue_one_time_job(brand.pk, "toy", {"ends": ends})
    if ends == "ok":
        claim(register_worker())  # running
    else:
        work_one()
    known = DatasetStatus.objects.values("last_status", "last_run", "error_message")
    before = known.get()
    api.accept(doubted, None)
    assert known.get() == before
    assert brand.datasets.get().last_success_at == doubted.completed_at


def test_a_retry_that_is_cancelled_before_it_starts_leaves_freshness_unchanged(brand):
    old = api.queue_one_time_job(brand.pk, "toy", {"ends": "permanent"}).run
    work_off()
    api.queue_one_time_job(brand.pk, "toy")
    work_off()
    known = DatasetStatus.objects.values().get()
    api.retry(Run.objects.get(pk=old.pk), None)
    api.cancel(Run.objects.get(pk=old.pk), None)
    assert Run.objects.get(pk=old.pk).status == RunStatus.CANCELLED
    assert (known["last_status"], DatasetStatus.objects.values().get()) == ("completed", known)


def test_a_job_that_is_archived_while_it_runs_stays_archived(brand):
    queued = api.queue_one_time_job(brand.pk, "toy", {"sleeps": 60})
    assert work_one().status == RunStatus.WAITING
    api.archive(queued.job, None)
    api.cancel(queued.run, None)
    assert work_one().status == RunStatus.CANCELLED
    queued.job.refresh_from_db()
    assert queued.job.status == JobStatus.ARCHIVED
