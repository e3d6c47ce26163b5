"""Legacy and direct runs work in this process, under the same rules."""

import pytest
from django.db import connection

from pipeline import api
from pipeline.contract.errors import NotAllowed
from pipeline.models import Brand, ConcurrencyLimit, Run, Step
from pipeline.states import RunStatus
from tests.processes import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def brand():
    return Brand.objects.create(name="Acme", slug="acme")


def ended(run):
    def look():
        run.refresh_from_db()
        return not run.is_live

    return look


def test_the_run_is_ours_from_its_first_moment(brand):
    queued = api.start_here(brand.pk, "toy", {"works": 3}, mode="legacy")
    assert Run.objects.get(pk=queued.run.pk).status == RunStatus.RUNNING
    until(ended(queued.run), "the run to end")
    assert (queued.run.status, queued.run.mode) == (RunStatus.COMPLETED, "legacy")


def test_a_second_start_returns_the_live_run(brand):
    first = api.start_here(brand.pk, "toy", {"works": 30}, mode="legacy")
    second = api.start_here(brand.pk, "toy", {"works": 30}, mode="legacy")
    assert (second.created, second.run) == (False, first.run)


def test_a_queued_run_is_not_taken_away_from_the_workers(brand):
    queued = api.queue_one_time_job(brand.pk, "toy")
    assert not api.start_here(brand.pk, "toy", {}, mode="legacy").created
    queued.run.refresh_from_db()
    assert queued.run.status == RunStatus.PENDING


def test_limits_hold_here_too(brand):
    ConcurrencyLimit.objects.create(job_type="toy", max_running=0)
    with pytest.raises(NotAllowed, match="Queue it instead"):
        api.start_here(brand.pk, "toy", {}, mode="legacy")
    assert not Run.objects.exists()


def test_a_sleep_is_waited_out_here(brand):
    queued = api.start_here(brand.pk, "toy", {"sleeps": 0.3}, mode="direct")
    until(ended(queued.run), "the run to end")
    assert [attempt.outcome for attempt in queued.run.attempts.all()] == ["completed"]


def test_a_process_that_ends_hands_its_run_back(brand):
    queued = api.start_here(brand.pk, "toy", {"works": 30}, mode="direct")
    api.hand_back_all()
    until(lambda: Run.objects.get(pk=queued.run.pk).status == RunStatus.PENDING, "the run to be handed back")


def test_a_cancel_is_heard_here(brand):
    queued = api.start_here(brand.pk, "toy", {"sleeps": 30}, mode="legacy")
    api.cancel(queued.run, None)
    until(ended(queued.run), "the run to end", 8)
    assert queued.run.status == RunStatus.CANCELLED


def test_the_web_server_does_four_runs_at_once_and_queues_the_next(brand):
    started = [api.start_here(brand.pk, "toy", {"name": f"{n}", "works": 30}, mode="legacy") for n in range(4)]
    assert {queued.run.mode for queued in started} == {"legacy"}
    fifth = api.start_here(brand.pk, "toy", {"name": "fifth"}, mode="legacy")
    assert (fifth.created, fifth.run.mode, fifth.run.status) == (True, "worker", RunStatus.PENDING)
    command = api.start_here(brand.pk, "toy", {"name": "command"}, mode="direct")
    assert command.run.mode == "direct", "a command has a process of its own"


@pytest.mark.only_on("postgresql")
def test_a_run_that_waits_here_gives_its_pooled_connection_back(brand, monkeypatch):
    """With a pool, a connection that is closed goes back to it."""
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)

    def open_connections():
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
            return cursor.fetchone()[0]

    before = open_connections()
    for number in range(4):
        api.start_here(brand.pk, "toy", {"name": f"{number}", "sleeps": 30}, mode="legacy")
    until(lambda: Step.objects.filter(name="sleep 1").count() == 4, "all four to begin their wait")
    until(lambda: open_connections() <= before + 2, "only the heartbeat and the housekeeping to stay connected", 5)
