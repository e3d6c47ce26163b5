"""The claim as one statement: it takes a plain run that nothing stands before, and leaves all else to the claim with the lock."""

import threading
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.utils import timezone

from pipeline import api
from pipeline.api.enqueue import take_queued
from pipeline.engine.database import CLAIM_LOCK, lock
from pipeline.engine.queue.claim import claim
from pipeline.engine.queue.next_run.quick_claim import Answer, quick_claim
from pipeline.engine.workers.processes import register_worker
from pipeline.models import Brand, ConcurrencyLimit, Job, Pause, Run, SourceState
from tests.processes import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("postgresql")]


@pytest.fixture
def brand():
    return Brand.objects.create(name="Acme", slug="acme")


@pytest.fixture
def queue(brand):
    return lambda name="a", kind="marble": api.queue_one_time_job(brand.pk, kind, {"name": name}).run


def in_another_session(work):
    """Its result, or the exception that it raised."""
    said = []

    def do():
        try:
            said.append(work())
        finally:
            connection.close()

    thread = threading.Thread(target=do)
    thread.start()
    thread.join(10)
    return said[0] if said else "it waits"


def test_it_takes_the_first_run_as_the_claim_would(queue):
    first, second = queue("first"), queue("second")
    run, lease = quick_claim(register_worker())
    assert (run, run.status, run.lease_token) == (first, "running", lease.token)
    assert Run.objects.get(pk=run.pk).lease_expires_at > timezone.now()
    assert (run.attempts.get().pk, run.attempts.get().number) == (lease.attempt_id, 1)
    assert quick_claim(register_worker())[0] == second


def test_it_needs_no_lock(queue):
    run, worker = queue(), register_worker()
    with transaction.atomic():
        lock(CLAIM_LOCK)
        assert in_another_session(lambda: quick_claim(worker)[0]) == run


STOPS = {
    "a limit": lambda run: ConcurrencyLimit.objects.create(max_running=9),
    "a limit of a source": lambda run: ConcurrencyLimit.objects.create(source="apify", max_running=9),
    "a pause": lambda run: Pause.objects.create(job_type="toy"),
    "a source that rests": lambda run: SourceState.objects.create(
        source="apify", next_poll_at=timezone.now(), blocked_until=timezone.now()
    ),
    "a cancel": lambda run: Run.objects.filter(pk=run.pk).update(cancel_requested_at=timezone.now()),
    "a wait that is over": lambda run: Run.objects.filter(pk=run.pk).update(status="waiting"),
    "a key that is missing": lambda run: Run.objects.filter(pk=run.pk).update(scheduled_for=timezone.now(), dedupe_key=None),
    "data": lambda run: Run.objects.filter(pk=run.pk).update(job_type="toy"),
}


@pytest.mark.parametrize("stop", STOPS)
def test_it_leaves_what_needs_more_to_the_claim_under_the_lock(queue, stop):
    STOPS[stop](queue())
    assert quick_claim(register_worker()) is Answer.NOT_FOR_ME
    assert claim(register_worker())


def test_it_leaves_a_dead_workers_run_to_the_claim_under_the_lock(queue):
    run, _ = (queue(), quick_claim(register_worker()))
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert quick_claim(register_worker()) is Answer.NOT_FOR_ME


WAITS = {
    "not due": lambda run: Run.objects.filter(pk=run.pk).update(due_at=timezone.now() + timedelta(minutes=1)),
    "newer code": lambda run: Run.objects.filter(pk=run.pk).update(code_version=9),
    "no code": lambda run: Run.objects.filter(pk=run.pk).update(job_type="gone"),
    "paused job": lambda run: Job.objects.filter(pk=run.job_id).update(status="paused"),
}


@pytest.mark.parametrize("wait", WAITS)
def test_it_says_when_nothing_is_due(queue, wait):
    WAITS[wait](queue())
    assert quick_claim(register_worker()) is Answer.NOTHING_DUE
    assert claim(register_worker()) is None


def test_a_run_that_somebody_has_locked_is_not_taken_for_nothing(queue):
    """Otherwise its worker would sleep, and if the lock only was of a person who looked, the run would lie there."""
    run, worker = queue(), register_worker()
    with transaction.atomic():
        Run.objects.select_for_update().get(pk=run.pk)
        assert in_another_session(lambda: quick_claim(worker)) is Answer.NOT_FOR_ME


def test_it_locks_no_run_that_it_does_not_take(queue):
    queue("first"), queue("second"), queue("other", "toy")
    worker = register_worker()
    with transaction.atomic():
        quick_claim(worker)
        free = in_another_session(lambda: [run.pk for run in locked_by_me()])
    assert len(free) == 2


def locked_by_me():
    with transaction.atomic():
        return list(Run.objects.select_for_update(skip_locked=True).filter(status="pending"))


def test_the_first_limit_waits_for_claims_that_have_not_seen_it(queue):
    """Otherwise the next claim would not count their runs."""
    queue()
    worker, taken, go_on = register_worker(), threading.Event(), threading.Event()

    def claims_slowly():
        with transaction.atomic():
            quick_claim(worker)
            taken.set()
            go_on.wait(10)
        connection.close()

    thread = threading.Thread(target=claims_slowly)
    thread.start()
    assert taken.wait(10)
    saves = threading.Thread(target=saves_a_limit)
    saves.start()
    try:
        until(somebody_waits, "the limit to wait", 10)
    finally:
        go_on.set()
        thread.join(10)
        saves.join(10)
    assert ConcurrencyLimit.objects.get().max_running == 1


def somebody_waits():
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")
        return cursor.fetchone()[0]


def saves_a_limit():
    api.save_stop(ConcurrencyLimit(job_type="marble", max_running=1), get_user_model().objects.create_superuser("ann"))
    connection.close()


def test_another_process_does_not_take_a_run_that_is_being_claimed(queue):
    run, worker = queue(), register_worker()
    with transaction.atomic():
        assert quick_claim(worker)[0] == run
        assert in_another_session(lambda: take_queued("marble", worker)) is None
