"""Workers that are suspended, cut off, or told to stop in every way that operators and kernels use."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from competitors.sandbox.server import serve
from pipeline import api
from pipeline.engine.execution.final_write import TRIES
from pipeline.models import Attempt, Run, Worker
from pipeline.states import Outcome, RunStatus
from tests.factories import make_competitor, make_listing
from tests.faults.swallowing import proxy_to
from tests.processes import Cluster, alive, cluster, database_url, reached, state, until
from tests.toy.job import HANGS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults, pytest.mark.alone]
postgres_only = pytest.mark.only_on("postgresql")


def test_a_worker_that_was_stopped_for_longer_than_its_lease_changes_nothing_afterwards(brand, tmp_path):
    """F1: at most one live attempt. SIGSTOP, takeover by lease, SIGCONT."""
    with cluster(tmp_path / "log", PIPELINE_LEASE_SECONDS="2") as workers:
        run = api.queue_one_time_job(brand.pk, "toy", {"works": 4}).run
        until(reached(run, RunStatus.RUNNING), "the run to begin")
        stopped = run.worker
        with transaction.atomic():  # we take SQLite's only write lock, so that it is not stopped while it has that
            os.kill(stopped.pid, signal.SIGSTOP)
            until(lambda: state(stopped.pid) == "T", "the stop")
        try:
            until(lambda: Run.objects.get(pk=run.pk).worker_id not in (None, stopped.pk), "the takeover", 15)
        finally:
            os.kill(stopped.pid, signal.SIGCONT)
        until(reached(run, RunStatus.COMPLETED), "the end", 15)
        assert alive(stopped.pid)
        other = api.queue_one_time_job(brand.pk, "toy", {"name": "other"}).run
        until(reached(other, RunStatus.COMPLETED), "the next run", 10)
        until(lambda: len(workers.workers()) == 2, "both to say that they live")
    assert [attempt.outcome for attempt in run.attempts.all()] == [Outcome.LOST, Outcome.COMPLETED]
    assert run.logs.filter(message__startswith="Completed").count() == 1


def test_a_worker_stopped_inside_a_transaction_holds_nobody_up(brand, tmp_path):
    """PostgreSQL ends its session after a lease. On SQLite the supervisor sees that the cluster is deaf and ends it."""
    with cluster(tmp_path / "log", PIPELINE_LEASE_SECONDS="2"):
        run = api.queue_one_time_job(brand.pk, "toy", {"stops": True}).run
        pid = until(run.attempts.first, "the run to begin").worker.pid
        until(lambda: state(pid) in "TX", "the stop")
        try:
            until(reached(run, RunStatus.COMPLETED), "the end", 40)
            assert connection.vendor == "sqlite" or alive(pid), "the supervisor had to end the cluster"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    assert [attempt.outcome for attempt in run.attempts.all()] == [Outcome.LOST, Outcome.COMPLETED]


def test_five_real_deaths_are_poison_with_their_story(brand, tmp_path):
    """F16: a run that keeps killing its workers fails, and its message tells how."""
    with cluster(tmp_path / "log"):
        run = api.queue_one_time_job(brand.pk, "toy", {"hangs": True}).run
        killed = set()
        for _ in range(5):

            def victim():
                run.refresh_from_db()
                return run.status == RunStatus.RUNNING and run.worker_id and run.worker.pid not in killed

            until(victim, "the run to be taken again", 15)
            until(run.steps.exists, "its first step, which is progress")
            pid = run.worker.pid
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
        until(reached(run, RunStatus.FAILED), "poison", 15)
    assert run.error_message.count("signal 9") >= 4
    assert len(killed) == 5


def test_sigterm_to_the_whole_process_group_hands_back_too(brand, tmp_path):
    """Some processes get it twice and the handler needs a moment, but it still counts as a stop, not a death."""
    with cluster(tmp_path / "log") as workers:
        run = api.queue_one_time_job(brand.pk, "toy", {"naps": 3, "works": 60}).run
        until(lambda: run.steps.exists(), "the run to begin its nap")
        pids = workers.processes()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        until(lambda: not [pid for pid in pids if alive(pid)], "all to end", 20)
    run.refresh_from_db()
    assert (run.status, run.attempt, run.recoveries) == (RunStatus.PENDING, 0, 0)
    assert {attempt.outcome for attempt in run.attempts.all()} == {Outcome.HANDED_BACK}


def test_a_stop_that_comes_before_there_is_a_sentinel_is_not_forgotten():
    """It works without the SIGKILL that the supervisor would send after the grace period."""
    here = {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "tests.settings", "PIPELINE_GRACE_SECONDS": "600"}
    command = [sys.executable, "-m", "tests.faults.early_stop"]
    with subprocess.Popen(command, cwd=settings.BASE_DIR, env=os.environ | here) as process:
        try:
            assert process.wait(60) == 0
        finally:
            process.kill()
    assert not Worker.objects.filter(stopped_at=None).exists()


@postgres_only
def test_one_sigterm_counts_once_while_the_supervisor_waits_for_the_database(brand, tmp_path):
    """The supervisor repeats the signal after its database query; that does not count as a second one."""
    with cluster(tmp_path / "log") as workers:
        run = api.queue_one_time_job(brand.pk, "toy", {"naps": 12}).run
        until(run.steps.exists, "the run to begin its nap")
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE pipeline_pause")  # every search for a claimable run reads this table

            def kept_waiting():
                cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'pipeline_pause'::regclass")
                return cursor.fetchone()[0] == 2

            until(kept_waiting, "the idle worker and the supervisor to wait for the database")
            workers.process.terminate()
            time.sleep(2)
        assert workers.process.wait(40) == 0
    run.refresh_from_db()
    assert (run.status, run.attempt, run.recoveries) == (RunStatus.PENDING, 0, 0)
    assert {attempt.outcome for attempt in run.attempts.all()} == {Outcome.HANDED_BACK}


def test_a_stop_that_the_supervisor_passes_on_late_is_one_stop(brand, tmp_path):
    with cluster(tmp_path / "log") as workers:
        run = api.queue_one_time_job(brand.pk, "toy", {"naps": 6}).run
        until(run.steps.exists, "the run to begin its nap")
        os.kill(workers.pid, signal.SIGSTOP)
        for pid in workers.processes():
            os.kill(pid, signal.SIGTERM)
        time.sleep(2)
        os.kill(workers.pid, signal.SIGCONT)
        assert workers.process.wait(40) == 0
    assert {attempt.outcome for attempt in run.attempts.all()} == {Outcome.HANDED_BACK}


def test_a_second_sigterm_exits_now(brand, tmp_path):
    with cluster(tmp_path / "log") as workers:
        run = api.queue_one_time_job(brand.pk, "toy", {"hangs": True}).run
        until(run.logs.filter(message=HANGS).exists, "the run to hang")
        workers.process.terminate()
        until(lambda: len(workers.workers()) == 1, "the idle worker to end: a handler that hangs did not hear the first signal")
        pids = workers.processes()
        assert alive(workers.pid), "a handler that hangs delays the first one"
        workers.process.terminate()
        until(lambda: not [pid for pid in pids if alive(pid)], "all to end at once", 5)


def test_a_handler_that_ignores_the_stop_is_ended_after_the_grace_and_goes_on_elsewhere(brand, tmp_path):
    with cluster(tmp_path / "log", PIPELINE_GRACE_SECONDS="0") as workers:
        run = api.queue_one_time_job(brand.pk, "toy", {"hangs": True}).run
        until(run.logs.filter(message=HANGS).exists, "the run to hang")
        began = time.monotonic()
        workers.stop()
        assert time.monotonic() - began < 12
    run.refresh_from_db()
    assert (run.status, run.attempt) == (RunStatus.PENDING, 0)


def test_a_rolling_restart_under_load_loses_and_repeats_nothing_and_pays_once(tmp_path):
    competitor = make_competitor()
    with serve(run_seconds=1, seed=7, concurrent_runs_limit=100, memory_limit_mbytes=2**20) as sandbox:
        environment = {"APIFY_API_URL": sandbox.url, "APIFY_TOKEN": "a-token-for-tests", "PIPELINE_POLL_SECONDS": "0.5"}

        def load(numbers):
            for number in numbers:
                api.queue_one_time_job(competitor.brand_id, "toy", {"name": str(number), "works": 1})
                if number % 3 == 0:
                    listing = make_listing(competitor, asin=f"B{number:09}")
                    parameters = {"competitor_amazon_url_id": str(listing.pk), "include_keywords": False}
                    api.queue_one_time_job(competitor.brand_id, "amazon_review_scrape", parameters)

        completed = Run.objects.filter(status=RunStatus.COMPLETED)
        first, second = Cluster(tmp_path / "one", **environment), Cluster(tmp_path / "two", **environment)
        try:
            load(range(15))
            until(lambda: completed.count() > 2, "some to complete")
            assert first.stop() == 0
            first = Cluster(tmp_path / "one", **environment)
            load(range(15, 30))  # queued only now: the other may have finished everything while this one started
            before = completed.count()
            until(lambda: completed.count() > before + 2, "more to complete")
            assert Run.objects.live().exists(), "the second is stopped under load as well"
            assert second.stop() == 0
            second = Cluster(tmp_path / "two", **environment)
            until(lambda: not Run.objects.live().exists(), "all to complete", 120)
        finally:
            first.end()
            second.end()
        assert sandbox.state["runs_started"] == 10
    assert completed.filter(attempt=0).count() == 40
    assert [run.attempts.filter(outcome=Outcome.COMPLETED).count() for run in Run.objects.all()] == [1] * 40
    assert not Attempt.objects.filter(outcome=Outcome.LOST).exists(), "a stop must not count as a death"


def listeners():
    """Server process ids of the connections on which workers wait for wake-ups."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()")
        return {row[0] for row in cursor.fetchall()}


def both_listen():
    found = listeners()
    return found if len(found) == 2 else None


@postgres_only
def test_a_listen_connection_that_is_cut_costs_latency_only(brand, tmp_path):
    """F9: a lost wake-up channel loses no run."""
    with cluster(tmp_path / "log"):
        before = until(both_listen, "both to listen")
        with connection.cursor() as cursor:
            for pid in before:
                cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        until(lambda: not before & listeners(), "the cut")
        run = api.queue_one_time_job(brand.pk, "toy").run
        until(reached(run, RunStatus.COMPLETED), "the run to complete anyway", 10)
        until(both_listen, "both to listen again", 15)


@postgres_only
def test_wake_ups_that_are_lost_in_silence_cost_latency_only(brand, tmp_path):
    """F9: nobody notices that wake-ups are lost, so workers must find the row by themselves."""
    there = connection.settings_dict
    with proxy_to(there["HOST"], int(there["PORT"])) as proxy:
        through = database_url().replace(f"@{there['HOST']}:{there['PORT']}/", f"@127.0.0.1:{proxy.port}/")
        assert str(proxy.port) in through
        with cluster(tmp_path / "log", DATABASE_URL=through):
            first = api.queue_one_time_job(brand.pk, "toy", {"name": "first"}).run
            until(reached(first, RunStatus.COMPLETED), "an ordinary run", 10)
            until(both_listen, "both to listen, so that a wake-up can be lost")
            proxy.lose = True
            run = api.queue_one_time_job(brand.pk, "toy").run
            until(reached(run, RunStatus.COMPLETED), "the run to complete anyway", 10)
            until(lambda: proxy.swallowed, "a wake-up to be lost")


@postgres_only
def test_every_connection_cut_at_once_is_survived_by_runs_at_work(brand, tmp_path):
    """F15: a run's end that could not be written is written again. As in a restart, the run's own connection is cut too."""
    with cluster(tmp_path / "log", PIPELINE_LEASE_SECONDS="3"):
        run = api.queue_one_time_job(brand.pk, "toy", {"works": 2}).run
        until(reached(run, RunStatus.RUNNING), "the run to begin")
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        with connection.cursor() as cursor:

            def counted(what):
                cursor.execute(f"SELECT count({what}) {others}")
                return cursor.fetchone()[0]

            until(lambda: counted("*") >= 3, "the run's connection, its heartbeat's and another worker's")
            assert counted("pg_terminate_backend(pid)") >= 3
        until(reached(run, RunStatus.COMPLETED), "the end of the run", 20)
        assert run.attempts.filter(outcome=Outcome.COMPLETED).count() == 1
    assert run.attempt == 0
    assert run.completed_at <= timezone.now()


@pytest.mark.only_on("sqlite")
def test_a_database_locked_for_longer_than_a_lease_is_nobodys_death(brand, tmp_path):
    """Even the leases of live workers have lapsed by then. They renew them before anybody takes a run over."""
    with cluster(tmp_path / "log", PIPELINE_SQLITE_TIMEOUT="1", PIPELINE_LEASE_SECONDS="3"):
        run = api.queue_one_time_job(brand.pk, "toy", {"works": 8}).run
        until(lambda: run.steps.exists(), "its step")
        other = sqlite3.connect(connection.settings_dict["NAME"], timeout=20)
        try:
            other.execute("BEGIN IMMEDIATE")
            time.sleep(5)
            assert Run.objects.get(pk=run.pk).lease_expires_at < timezone.now(), "the lease has lapsed meanwhile"
            other.rollback()
        finally:
            other.close()
        until(reached(run, RunStatus.COMPLETED), "the end of the run", 20)
    assert [attempt.outcome for attempt in run.attempts.all()] == [Outcome.COMPLETED]


@pytest.mark.only_on("sqlite")
def test_a_database_locked_for_longer_than_the_busy_timeout_is_waited_out(brand, tmp_path):
    with cluster(tmp_path / "log", PIPELINE_SQLITE_TIMEOUT="1") as workers:
        run = api.queue_one_time_job(brand.pk, "toy", {"works": 4}).run
        until(lambda: run.steps.exists(), "its step, after which only work and the last write remain")
        other = sqlite3.connect(connection.settings_dict["NAME"], timeout=20)
        try:
            other.execute("BEGIN IMMEDIATE")
            in_vain = f"The end of run {run.pk} could not be saved yet"
            until(lambda: workers.log.read_text().count(in_vain) >= TRIES, "its last write to fail as often as a bug of ours may")
            assert Run.objects.get(pk=run.pk).status == RunStatus.RUNNING
            other.rollback()
        finally:
            other.close()
        until(reached(run, RunStatus.COMPLETED), "the end of the run", 20)
    assert (run.attempt, run.attempts.count()) == (0, 1)
