"""The end of a run that cannot be written: tried again, then failed with its cause. Never a death, never another try."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, OperationalError, connection
from django.utils import timezone

from pipeline import api
from pipeline.contract.registry import get_type
from pipeline.engine.execution import final_write
from pipeline.engine.lifecycle import by_worker
from pipeline.engine.lifecycle.ends import ending
from pipeline.engine.workers.inline import work_off, work_one
from pipeline.states import Outcome, RunStatus
from tests.factories import make_brand

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(final_write, "PAUSE", 0)


def refused_value(*_):
    """A real DataError of PostgreSQL; SQLite's nearest is an OverflowError of its driver."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT %s::numeric(4, 2)", [12345])
        cursor.execute("SELECT %s", [2**70])


def missing_column(*_):
    """An OperationalError in SQLite, though the database works."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT no_such_column FROM pipeline_run")


def twice(*_):
    """A real IntegrityError."""
    get_user_model().objects.create_user("same")
    get_user_model().objects.create_user("same")


def bug(*_):
    raise TypeError("a bug in its books")


WAYS = [refused_value, missing_column, twice, bug]


@pytest.mark.parametrize("trouble", WAYS)
@pytest.mark.parametrize("ends", ["ok", "transient", "blocked"])
def test_an_end_that_cannot_be_written_is_failed_with_its_cause(monkeypatch, trouble, ends):
    api.queue_one_time_job(make_brand().pk, "toy", {"ends": ends})
    called = []

    def broken(*args, **kwargs):
        called.append(1)
        trouble()

    name = {"ok": "complete", "transient": "fail", "blocked": "block"}[ends]
    real = by_worker.fail
    monkeypatch.setattr(by_worker, name, broken)
    if ends == "transient":  # the first end cannot be written, the second one can
        monkeypatch.setattr(by_worker, "fail", lambda *args, **kwargs: broken() if len(called) < 3 else real(*args, **kwargs))
    run = work_one()
    assert (run.status, run.recoveries, len(called)) == (RunStatus.FAILED, 0, final_write.TRIES)
    assert "could not be saved" in run.error_message
    attempt = run.attempts.get()
    assert (attempt.outcome, trouble.__name__ in attempt.traceback) == (Outcome.FAILED, True)
    assert work_off() == [], "no other try follows"


def test_an_end_that_can_be_written_at_the_second_try_is_the_runs_end(monkeypatch):
    api.queue_one_time_job(make_brand().pk, "toy")
    answers = iter([IntegrityError("somebody was faster"), None])

    def once(run, fetched_at):
        if error := next(answers):
            raise error

    monkeypatch.setattr(get_type("toy"), "on_completed", once)
    run = work_one()
    assert (run.status, run.attempts.get().outcome) == (RunStatus.COMPLETED, Outcome.COMPLETED)


def test_a_database_that_is_away_is_waited_for_and_spends_no_try(monkeypatch):
    api.queue_one_time_job(make_brand().pk, "toy")
    answers = iter([OperationalError("server closed the connection")] * (final_write.TRIES + 3))

    def away(*_):
        if error := next(answers, None):
            raise error

    monkeypatch.setattr(get_type("toy"), "on_completed", away)
    monkeypatch.setattr(final_write, "renew", away)
    assert work_one().status == RunStatus.COMPLETED


def test_a_run_ends_even_if_nothing_that_hangs_on_its_end_can_be_written(monkeypatch):
    """As when the next time of its schedule cannot be computed."""
    job = api.ensure_recurring_job(make_brand().pk, "toy", "0 4 * * *")
    past = timezone.now() - timedelta(hours=1)
    job.runs.update(due_at=past, order_at=past, scheduled_for=past)
    monkeypatch.setattr(ending, "follow_up", bug)
    run = work_one()
    assert (run.status, run.recoveries) == (RunStatus.FAILED, 0)
    assert "could not be saved" in run.logs.last().message


def test_people_read_a_sentence_with_a_reference_that_the_log_has_too(caplog):
    api.queue_one_time_job(make_brand().pk, "toy", {"ends": "bug"})
    run = work_one()
    reference = run.error_message.partition("reference ")[2][:6]
    assert run.error_message.startswith(f"An error in our code stopped this run (reference {reference}).")
    assert "ValueError" not in run.error_message + run.attempts.get().error + " ".join(run.logs.values_list("message", flat=True))
    assert "ValueError: a bug in the toy" in run.attempts.get().traceback
    told = next(record for record in caplog.records if reference in record.getMessage())
    assert "a bug in the toy" in str(told.exc_info[1])
