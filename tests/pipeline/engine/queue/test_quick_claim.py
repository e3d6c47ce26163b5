"""The claim as one statement: it takes a plain run that nothing stands before, and leaves all else to the claim with the lock."""

import threading
from datetime import timedelta

import psycopg
import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import api
from pipeline.api.enqueue import take_queued
from pipeline.engine.database import CLAIM_LOCK, lock
from pipeline.engine.queue.claim import claim, take_lease
from pipeline.engine.queue.next_run.candidates import next_candidate
from pipeline.engine.queue.next_run.quick_claim import Answer, QuickClaim
from pipeline.engine.queue.stops import read_stops
from pipeline.engine.workers.processes import register_worker
from pipeline.models import Brand, ConcurrencyLimit, Job, Pause, Run, SourceState
from tests.processes import until
from tests.sessions import held_by_another

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("postgresql")]


@pytest.fixture
def brand():
    return Brand.objects.create(name="Acme", slug="acme")


@pytest.fixture
def queue(brand):
    return lambda name="a", kind="marble": api.queue_one_time_job(brand.pk, kind, {"name": name}).run


def quick_claim(worker=None):
    return QuickClaim(worker or register_worker()).take()


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
    run, lease = quick_claim()
    assert (run, run.status, run.lease_token) == (first, "running", lease.token)
    assert Run.objects.get(pk=run.pk).lease_expires_at > timezone.now()
    assert (run.attempts.get().pk, run.attempts.get().number) == (lease.attempt_id, 1)
    assert quick_claim()[0] == second


def test_it_needs_no_lock(queue):
    Pause.objects.create(job_type="toy")
    run, worker = queue(), register_worker()
    with transaction.atomic():
        lock(CLAIM_LOCK)
        assert in_another_session(lambda: quick_claim(worker)[0]) == run


def test_where_there_are_limits_it_waits_for_the_claim_that_is_counting(queue):
    queue("first"), queue("second")
    ConcurrencyLimit.objects.create(max_running=1)
    worker, said = register_worker(), []
    second = threading.Thread(target=lambda: (said.append(quick_claim(worker)), connection.close()))
    with transaction.atomic():
        quick_claim()
        second.start()
        until(somebody_waits, "the other claim to wait", 10)
    second.join(10)
    assert said == [Answer.NOTHING_DUE]


def test_a_limit_is_taken_note_of_and_forgotten_with_it(queue):
    """A lock that every claim takes for nothing would slow all workers."""
    quick = QuickClaim(register_worker())
    limit = ConcurrencyLimit.objects.create(max_running=9)
    for number in range(3):
        queue(str(number))
    assert (quick.take()[0].subject, quick.limited) == ("0", True)
    limit.delete()
    assert (quick.take()[0].subject, quick.limited) == ("1", False)


def test_a_brand_that_is_stopped_is_jumped_over_and_the_others_keep_their_order(queue, brand):
    other = Brand.objects.create(name="Other", slug="other")
    for name in ("1", "2"):
        queue(name)
    late, free = api.queue_one_time_job(other.pk, "marble", {"name": "3"}).run, api.queue_one_time_job(None, "marble").run
    Run.objects.filter(pk=late.pk).update(order_at=F("order_at") + timedelta(minutes=1), priority=Run.SCHEDULED)
    Run.objects.filter(brand=brand).update(order_at=F("order_at") - timedelta(minutes=1))
    Pause.objects.create(brand=brand)
    assert [quick_claim()[0], quick_claim()[0], quick_claim()] == [free, late, Answer.NOTHING_DUE]


KINDS = st.sampled_from(["marble", "marble", "toy"])
PLACES = st.sampled_from([None, 0, 1])
SCOPES = st.tuples(st.sampled_from(["", "marble", "toy"]), PLACES)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limits=st.dictionaries(SCOPES, st.integers(0, 2), max_size=3),
    pauses=st.sets(SCOPES, max_size=2),
    runs=st.lists(
        st.tuples(
            KINDS,
            PLACES,
            st.sampled_from(["pending", "pending", "waiting", "running"]),
            st.sampled_from([Run.WOKEN, Run.MANUAL, Run.SCHEDULED]),
        ),
        max_size=6,
    ),
    last=st.integers(0, 5),
)
def test_it_takes_the_run_that_the_claims_own_queries_find(brand, limits, pauses, runs, last):
    with transaction.atomic():
        brands = [brand, Brand.objects.create(name="Other", slug="other")]
        for (job_type, place), most in limits.items():
            ConcurrencyLimit.objects.create(job_type=job_type, brand=None if place is None else brands[place], max_running=most)
        for job_type, place in pauses:
            Pause.objects.create(job_type=job_type, brand=None if place is None else brands[place])
        worker = register_worker()
        for number, (kind, place, status, priority) in enumerate(runs):
            run = api.queue_one_time_job(None if place is None else brands[place].pk, kind, {"name": str(number)}).run
            at = run.order_at - timedelta(seconds=60 if number == last else 0)
            if status == "running":
                take_lease(run.pk, worker, timezone.now())
            else:
                Run.objects.filter(pk=run.pk).update(priority=priority, order_at=at, due_at=at, status=status)
        at = timezone.now()
        expected, found = next_candidate(*read_stops(at), at), quick_claim(worker)
        if found == Answer.NOT_FOR_ME:  # a type whose runs move a clock when they are taken
            due = Run.objects.filter(job_type="toy").exclude(status="running")
            assert due.filter(status="waiting").exists() or due.filter(pk=expected.pk).exists()
        else:
            assert (None if found == Answer.NOTHING_DUE else found[0].pk) == (expected and expected.pk)
        transaction.set_rollback(True)


def rests(run):
    SourceState.objects.create(source="apify", next_poll_at=timezone.now(), blocked_until=timezone.now())


BESIDE = {
    "a limit with free slots": lambda run: ConcurrencyLimit.objects.create(max_running=9),
    "a limit of another type": lambda run: ConcurrencyLimit.objects.create(job_type="toy", max_running=0),
    "a limit of a source": lambda run: ConcurrencyLimit.objects.create(source="apify", max_running=0),
    "a pause of another type": lambda run: Pause.objects.create(job_type="toy"),
    "a pause of another brand": lambda run: Pause.objects.create(brand=Brand.objects.create(name="Other", slug="other")),
    "a pause of a source": lambda run: Pause.objects.create(source="apify"),
    "a pause that is over": lambda run: Pause.objects.create(until=timezone.now()),
    "a source that rests": rests,
    "a wait that is over": lambda run: Run.objects.filter(pk=run.pk).update(status="waiting"),
}


@pytest.mark.parametrize("beside", BESIDE)
def test_it_takes_a_run_beside_what_does_not_stop_it(queue, beside):
    run = queue()
    BESIDE[beside](run)
    assert quick_claim()[0] == run


MORE = {
    "a cancel further back": lambda run: Run.objects.filter(pk=run.pk).update(cancel_requested_at=timezone.now(), priority=99),
    "a cancel": lambda run: Run.objects.filter(pk=run.pk).update(cancel_requested_at=timezone.now()),
    "a key that is missing": lambda run: Run.objects.filter(pk=run.pk).update(scheduled_for=timezone.now(), dedupe_key=None),
    "data": lambda run: Run.objects.filter(pk=run.pk).update(job_type="toy"),
    "a wait for data that is over": lambda run: Run.objects.filter(pk=run.pk).update(status="waiting", job_type="toy"),
}


@pytest.mark.parametrize("more", MORE)
def test_it_leaves_what_needs_more_to_the_claims_own_queries(queue, more):
    MORE[more](queue())
    queue("next")
    assert quick_claim() is Answer.NOT_FOR_ME
    assert claim(register_worker())[0].subject == "a"


def test_it_leaves_a_dead_workers_run_to_the_claim_under_the_lock(queue):
    run, _ = (queue(), quick_claim())
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert quick_claim() is Answer.NOT_FOR_ME


WAITS = {
    "pause": lambda run: Pause.objects.create(brand=run.brand),
    "limit": lambda run: ConcurrencyLimit.objects.create(max_running=0),
    "not due": lambda run: Run.objects.filter(pk=run.pk).update(due_at=timezone.now() + timedelta(minutes=1)),
    "newer code": lambda run: Run.objects.filter(pk=run.pk).update(code_version=9),
    "no code": lambda run: Run.objects.filter(pk=run.pk).update(job_type="gone"),
    "paused job": lambda run: Job.objects.filter(pk=run.job_id).update(status="paused"),
}


@pytest.mark.parametrize("wait", WAITS)
def test_it_says_when_nothing_is_due(queue, wait):
    WAITS[wait](queue())
    assert quick_claim() is Answer.NOTHING_DUE
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


@pytest.mark.parametrize("was", ["", "apify"])
def test_the_first_limit_of_runs_waits_for_claims_that_have_not_seen_it(queue, was):
    """Otherwise the next claim would not count their runs. `was`: the source of a limit of an account's memory, if any."""
    queue()
    limit = ConcurrencyLimit(source=was, max_running=1)
    if was:
        limit.save()
        limit.source = ""
    worker = register_worker()
    saves = threading.Thread(target=save_limit, args=[limit])
    with held_by_another(lambda: quick_claim(worker)):
        saves.start()
        until(somebody_waits, "the limit to wait", 10)
    saves.join(10)
    assert ConcurrencyLimit.objects.get().max_running == 1


def somebody_waits():
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")
        return cursor.fetchone()[0]


def save_limit(limit):
    api.save_stop(limit, get_user_model().objects.create_superuser("ann"))
    connection.close()


def test_another_process_does_not_take_a_run_that_is_being_claimed(queue):
    run, worker = queue(), register_worker()
    with transaction.atomic():
        assert quick_claim(worker)[0] == run
        assert in_another_session(lambda: take_queued("marble", worker)) is None


def test_a_limit_can_be_changed_while_a_backup_reads_all_tables():
    limit = ConcurrencyLimit.objects.create(job_type="marble", max_running=3)
    limit.max_running = 1
    with psycopg.connect(**{**connection.get_connection_params(), "cursor_factory": None}) as backup:
        backup.execute(f"LOCK TABLE {ConcurrencyLimit._meta.db_table} IN ACCESS SHARE MODE")
        saves = threading.Thread(target=save_limit, args=[limit])
        saves.start()
        saves.join(10)
        assert ConcurrencyLimit.objects.get().max_running == 1
