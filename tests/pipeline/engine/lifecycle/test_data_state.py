"""What a dataset says while its run lives and after: running only while somebody works on it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from pipeline import api
from pipeline.contract.job_type import Done
from pipeline.engine.lifecycle import by_death, by_queue, by_worker
from pipeline.engine.queue.claim import claim
from pipeline.engine.workers.inline import work_one
from pipeline.engine.workers.processes import register_worker
from pipeline.models import DatasetStatus, Job, Run
from pipeline.states import RunStatus
from tests.factories import make_brand, make_upstream

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def taken():
    """A run that a worker has just taken, and its lease."""
    queued = api.queue_one_time_job(make_brand().pk, "toy")
    run, lease = claim(register_worker())
    assert run == queued.run
    assert says() == ("running", "")
    return run, lease


def says():
    status = DatasetStatus.objects.get()
    return status.last_status, status.error_message


def in_an_hour():
    return timezone.now() + timedelta(hours=1)


def poison(run, lease):
    Run.objects.filter(pk=run.pk).update(recoveries=by_death.MAX_RECOVERIES - 1)
    by_death.lose_worker(run.worker, 9)


def set_aside(run, lease):
    by_queue.set_aside(run, timezone.now(), "It could not be started.")


def cancel_after(step):
    def do(run, lease):
        step(run, lease)
        api.cancel(Run.objects.get(pk=run.pk), None)

    return do


def block(run, lease):
    by_worker.block(lease, "The shop is full.", 60)


def fail_and_retry(run, lease):
    by_worker.fail(lease, "It broke.", permanent=True)
    api.retry(Run.objects.get(pk=run.pk), None)


def park_at_the_upstream(run, lease):
    make_upstream(run)
    by_worker.park(lease, in_an_hour(), "Waiting for Apify.")


@pytest.mark.parametrize(
    ("step", "state", "words"),
    [
        (block, "waiting", "The shop is full."),
        (lambda run, lease: by_worker.park(lease, in_an_hour(), "Waiting before its next step."), "waiting", "Waiting before"),
        (park_at_the_upstream, "running", ""),
        (lambda run, lease: by_worker.hand_back(lease), "waiting", "The worker was stopped."),
        (lambda run, lease: by_worker.fail(lease, "It broke.", permanent=False), "waiting", "It broke."),
        (lambda run, lease: by_death.lose_worker(run.worker, 9), "waiting", "was killed (signal 9)."),
        (set_aside, "waiting", "It could not be started."),
        (fail_and_retry, "waiting", "Retried by the system."),
        (poison, "failed", "workers died on this run"),
        (lambda run, lease: by_worker.fail(lease, "It broke.", permanent=True), "failed", "It broke."),
        (lambda run, lease: by_worker.finish_cancel(lease, "Cancelled."), "unknown", "Cancelled."),
        (cancel_after(block), "unknown", "Cancelled before its next try."),
        (lambda run, lease: by_worker.complete(lease, Done(verdict="partial", reason="Half.")), "unknown", "Half."),
        (lambda run, lease: by_worker.complete(lease, Done()), "completed", ""),
    ],
)
def test_data_is_running_only_while_somebody_works_on_it(taken, step, state, words):
    step(*taken)
    last_status, reason = says()
    assert last_status == state
    assert words in reason
    assert bool(words) == bool(reason)


def test_a_run_that_goes_on_after_a_wait_makes_its_data_running_again(taken):
    block(*taken)
    Run.objects.update(due_at=timezone.now())
    claim(register_worker())
    assert says() == ("running", "")


def test_the_end_of_a_run_whose_code_is_gone_leaves_nothing_running(taken):
    block(*taken)
    for model in (Run, Job):
        model.objects.update(job_type="vanished")
    api.cancel(Run.objects.get(), None)
    assert says()[0] == "unknown"


def test_a_run_that_no_worker_has_taken_says_nothing_about_the_data(taken):
    run, lease = taken
    by_worker.complete(lease, Done())
    later = api.queue_one_time_job(run.brand_id, "toy").run
    assert says() == ("completed", "")
    api.cancel(later, None)
    assert says() == ("completed", "")


def test_a_skipped_tick_leaves_the_data_of_the_run_that_is_doing_it(taken):
    job = api.ensure_recurring_job(taken[0].brand_id, "toy", "0 4 * * *")
    job.runs.update(due_at=timezone.now() - timedelta(hours=1))
    assert claim(register_worker()) is None
    assert job.runs.filter(status=RunStatus.CANCELLED).count() == 1
    assert says() == ("running", "")


def test_an_attempt_that_a_bug_ends_leaves_its_data_waiting():
    api.queue_one_time_job(make_brand().pk, "toy", {"ends": "bug"})
    work_one()
    assert says()[0] == "waiting"
    assert "An error in our code" in says()[1]


def test_a_cancelled_run_that_another_worker_takes_over_says_so(taken):
    """Its worker was away when a person cancelled: somebody works on it again, if only to end it."""
    run, _ = taken
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    api.cancel(run, None)
    again, lease = claim(register_worker())
    assert again == run
    assert says() == ("running", "")
    by_worker.finish_cancel(lease, "stopped")
    assert says()[0] == "unknown"


def ends():
    """The last runs of the data, by number, and how each ended."""
    text = DatasetStatus.objects.get().recent_ends
    return [(int(text[at : at + 10]), text[at + 10]) for at in range(0, len(text), 11)]


def in_turn(brand_id, do):
    run = api.queue_one_time_job(brand_id, "toy").run
    do(*claim(register_worker()))
    return run


def doubted(run, lease):
    by_worker.complete(lease, Done(verdict="partial", reason="Half."))


def test_data_keeps_how_its_last_runs_ended(taken):
    """A wait, a handed-back run and a try that will be repeated are no end."""
    first, lease = taken
    by_worker.fail(lease, "It broke.", permanent=False)
    assert ends() == []
    api.cancel(Run.objects.get(pk=first.pk), None)
    brand = first.brand_id
    second = in_turn(brand, lambda _, lease: by_worker.fail(lease, "It broke.", permanent=True))
    third = in_turn(brand, doubted)
    last = in_turn(brand, lambda _, lease: by_worker.complete(lease, Done()))
    assert ends() == [(first.pk, "x"), (second.pk, "f"), (third.pk, "d"), (last.pk, "c")]
    api.accept(Run.objects.get(pk=third.pk), None)
    assert ends() == [(first.pk, "x"), (second.pk, "f"), (third.pk, "c"), (last.pk, "c")]
    assert DatasetStatus.objects.get().last_run == last


def test_a_retried_run_is_told_once_and_only_the_last_fourteen_runs_are(taken):
    run, lease = taken
    by_worker.fail(lease, "It broke.", permanent=True)
    assert ends() == [(run.pk, "f")]
    api.retry(Run.objects.get(pk=run.pk), None)
    by_worker.complete(claim(register_worker())[1], Done())
    assert ends() == [(run.pk, "c")]
    later = [in_turn(run.brand_id, lambda _, lease: by_worker.complete(lease, Done())).pk for _ in range(14)]
    assert [pk for pk, _ in ends()] == later
