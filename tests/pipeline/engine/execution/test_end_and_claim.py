"""The end of a run and the next claim, sent together: what becomes of one if the other fails, or if the answer is lost."""

import threading

import psycopg
import pytest
from django.db import OperationalError, connection, transaction

from pipeline import api
from pipeline.engine.database import CLAIM_LOCK, lock
from pipeline.engine.execution import executor
from pipeline.engine.lifecycle.ends import one_go
from pipeline.engine.queue.next_run import quick_claim
from pipeline.engine.queue.next_run.quick_claim import QuickClaim
from pipeline.engine.workers.processes import register_worker
from pipeline.models import Brand, ConcurrencyLimit, Run
from tests.processes import until
from tests.sessions import held_by_another

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("postgresql")]


@pytest.fixture
def three_runs(monkeypatch):
    monkeypatch.setattr("pipeline.engine.execution.final_write.PAUSE", 0.01)
    brand = Brand.objects.create(name="Acme", slug="acme")
    return [api.queue_one_time_job(brand.pk, "marble", {"name": name}).run for name in "123"]


def execute(quick, run, lease):
    executor.execute(run, lease, stopping=lambda: False, then=quick)
    run.refresh_from_db()
    return run.status


def with_session_option(monkeypatch, option):
    connect = connection.get_new_connection
    options = f"{connection.get_connection_params().get('options', '')} -c {option}"
    monkeypatch.setattr(connection, "get_new_connection", lambda params: connect({**params, "options": options}))
    connection.close()


def test_a_claim_that_fails_does_not_fail_the_run_that_had_ended(three_runs, monkeypatch):
    quick = QuickClaim(register_worker())
    run, lease = quick.take()
    wrong = "SELECT 1/0, " + ", ".join(f"${number}::text" for number in range(1, 10))
    monkeypatch.setattr(quick_claim, "STATEMENT", wrong)
    assert execute(quick, run, lease) == "completed"
    assert quick.handed_over() is None


def test_a_run_ends_while_another_keeps_the_claims_lock(three_runs, monkeypatch):
    with_session_option(monkeypatch, "lock_timeout=100")
    ConcurrencyLimit.objects.create(max_running=5)
    quick = QuickClaim(register_worker())
    run, lease = quick.take()
    with held_by_another(lambda: lock(CLAIM_LOCK)):
        assert execute(quick, run, lease) == "completed"
    assert quick.take()[0] == three_runs[1]


def test_a_run_that_was_claimed_by_an_answer_that_was_lost_is_handed_out_next(three_runs, monkeypatch):
    quick = QuickClaim(register_worker())
    run, lease = quick.take()
    together, lost = one_go.together, list[object]()

    def commits_and_loses_the_answer(statements):
        found = together(statements)
        if lost:
            return found
        lost.append(found)
        connection.close()
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(one_go, "together", commits_and_loses_the_answer)
    assert execute(quick, run, lease) == "completed"
    assert lost
    claimed, lease = quick.take()
    assert claimed == three_runs[1]
    assert (Run.objects.get(pk=claimed.pk).lease_token, claimed.attempts.get().pk) == (lease.token, lease.attempt_id)
    assert execute(quick, claimed, lease) == "completed"
    assert quick.handed_over()[0] == three_runs[2]
    assert [one.attempts.count() for one in three_runs] == [1, 1, 1]


def test_a_worker_that_is_suspended_while_it_reads_its_claim_keeps_no_lock(three_runs, monkeypatch):
    worker, suspended, go_on = register_worker(), threading.Event(), threading.Event()
    ConcurrencyLimit.objects.create(max_running=5)
    fetchall = psycopg.RawCursor.fetchall

    def read(cursor):
        if threading.current_thread() is other:
            suspended.set()
            go_on.wait(20)
        return fetchall(cursor)

    def claim():
        quick = QuickClaim(worker)
        quick.limited = True
        quick.take()
        connection.close()

    other = threading.Thread(target=claim)
    monkeypatch.setattr(psycopg.RawCursor, "fetchall", read)
    other.start()
    try:
        assert suspended.wait(10)
        until(is_free, "the lock to be free", 10)
    finally:
        go_on.set()
        other.join()


def is_free():
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [CLAIM_LOCK])
        return cursor.fetchone()[0]
