"""A database that goes away, fills up, or serves many processes at once."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import psycopg
import pytest
import requests
from django.conf import settings

from competitors.sandbox.server import serve
from pipeline import api
from pipeline.engine.workers.processes import register_worker
from pipeline.models import Brand, ConcurrencyLimit, Run
from pipeline.states import RunStatus
from tests.machine import free_port
from tests.postgres import server
from tests.processes import cluster, database_url, make_tables, reached, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults, pytest.mark.alone]
CLAIMERS, CLAIMS, SLOTS = 8, 2000, 3


@pytest.mark.only_on("sqlite")
def test_a_full_disk_stops_everything_before_money_is_spent_and_spoils_nothing(tmp_path):
    """F5: money that cannot be recorded is not spent."""
    disk = tmp_path / "disk"
    disk.mkdir()
    with serve(run_seconds=1, seed=7) as sandbox:
        done = subprocess.run(
            ["unshare", "--map-root-user", "--mount", sys.executable, "-m", "tests.faults.full_disk", disk, tmp_path / "log"],
            cwd=settings.BASE_DIR,
            env={**os.environ, "APIFY_API_URL": sandbox.url},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        seen = json.loads(done.stdout.splitlines()[-1])
        assert "full" in seen["hit"]
        assert seen["command"][0] == 1
        assert "disk is full" in seen["command"][1]
        assert seen["started_while_full"] == 0
        assert (seen["status"], seen["started"], seen["integrity"]) == (RunStatus.COMPLETED, 1, "ok")
        assert seen["reviews"] > 0
        assert len(sandbox.state["runs"]) == 1


@pytest.mark.only_on("postgresql")
@pytest.mark.parametrize(("how", "away"), [(signal.SIGINT, 0), (signal.SIGQUIT, 0), (signal.SIGKILL, 8)])
def test_a_server_that_restarts_is_waited_for_and_work_is_not_repeated(tmp_path, how, away):
    """A fast shutdown, an immediate one, and a SIGKILL with an outage longer than a lease: no run counts as lost."""
    with server() as ours:
        environment = {"DATABASE_URL": ours.url, "PIPELINE_LEASE_SECONDS": "5"}

        def manage(*arguments):
            subprocess.run([sys.executable, "manage.py", *arguments], check=True, env={**os.environ, **environment}, timeout=60)

        def value(query):
            with psycopg.connect(ours.url) as session:
                return session.execute(query).fetchone()[0]

        make_tables(ours.url)
        manage("run_job", "toy", "--param", "works=4")
        with cluster(tmp_path / "log", ready=lambda: value("SELECT count(*) FROM pipeline_worker") >= 2, **environment):
            until(lambda: value("SELECT status FROM pipeline_run") == "running", "the run to begin")
            ours.stop(how)
            with pytest.raises(psycopg.OperationalError):
                value("SELECT 1")
            until(lambda: "does not answer" in (tmp_path / "log").read_text(), "the idle worker to notice")
            time.sleep(away)
            ours.start()
            until(lambda: value("SELECT status FROM pipeline_run") == "completed", "the end of the run", 40)
            manage("run_job", "toy", "--param", "name=next")
            until(lambda: value("SELECT count(*) FROM pipeline_run WHERE status = 'completed'") == 2, "the next one", 15)
        assert value("SELECT count(*) FROM pipeline_attempt WHERE outcome = 'completed'") == 2
        assert value("SELECT count(*) FROM pipeline_attempt WHERE outcome = 'lost'") == 0
        assert value("SELECT count(*) FROM pipeline_step") == 2
        assert value("SELECT max(attempt) FROM pipeline_run") == 0, "an outage costs no retry"


@pytest.mark.only_on("postgresql")
def test_a_lock_that_nobody_releases_is_waited_for_no_longer_than_a_lease(brand, tmp_path):
    """The run waits, without a worker, and goes on when the lock is free."""
    with cluster(tmp_path / "log", PIPELINE_LEASE_SECONDS="3"):
        with psycopg.connect(database_url()) as other:
            other.execute("LOCK TABLE pipeline_step")
            run = api.queue_one_time_job(brand.pk, "toy").run
            until(lambda: Run.objects.filter(pk=run.pk, blocked_reason__contains="lock timeout").exists(), "the wait to end", 15)
        until(reached(run, RunStatus.COMPLETED), "the run to go on", 15)
    assert run.attempt == 0


def answers(address):
    """Whether something listens there."""
    with socket.socket() as probe:
        host, port = address.split(":")
        return probe.connect_ex((host, int(port))) == 0


@pytest.mark.only_on("postgresql")
def test_a_page_after_the_server_restarted_is_no_error(tmp_path):
    """The pool's connections died with the server. Each is tried before a request gets it."""
    with server() as ours:
        environment = {**os.environ, "DATABASE_URL": ours.url, "DEBUG": "1"}
        make_tables(ours.url)
        address = f"127.0.0.1:{free_port()}"
        with (tmp_path / "log").open("wb") as log:
            web = subprocess.Popen(
                [sys.executable, "manage.py", "web", "--listen", address, "--threads", "12"],
                env=environment,
                stdout=log,
                stderr=log,
            )
        try:
            until(lambda: answers(address), "the site to answer")

            def twelve():
                """The status of twelve requests at once, each of which reads a session from the database."""
                get = partial(requests.get, f"http://{address}/login/", timeout=30, cookies={"sessionid": "a" * 32})
                with ThreadPoolExecutor(12) as pool:
                    return [answer.status_code for answer in pool.map(lambda _: get(), range(12))]

            assert twelve() == [200] * 12
            with psycopg.connect(ours.url) as session:
                open_before = session.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
                ).fetchone()[0]
            assert open_before >= 2, "the pool must have connections that die"
            ours.stop(signal.SIGINT)
            ours.start()
            assert twelve() == [200] * 12, (tmp_path / "log").read_text()[-3000:]
        finally:
            web.terminate()
            web.wait(20)


@pytest.mark.parametrize("job_type", ["toy", "marble"])
def test_eight_processes_never_exceed_a_limit_and_take_no_run_twice(job_type):
    """F2, F7: usage is the number of running rows, never a separate counter. Marbles have no limit: nothing serializes them."""
    brand = Brand.objects.create(name="Acme", slug="acme")
    if job_type == "toy":
        ConcurrencyLimit.objects.create(job_type="toy", max_running=SLOTS)
    register_worker()
    queued = [one.run.pk for one in api.queue_many(brand.pk, job_type, [{"name": str(number)} for number in range(CLAIMS)])]
    command = [sys.executable, "-m", "tests.faults.claimer"]
    environment = {**os.environ, "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    claimers = [
        subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(CLAIMERS)
    ]
    try:
        printed = [claimer.communicate(timeout=600)[0].splitlines() for claimer in claimers]
    finally:
        for claimer in claimers:
            with claimer:  # waits for its end
                claimer.kill()
    assert all(claimer.returncode == 0 for claimer in claimers)
    taken = Counter(int(line.split()[0]) for lines in printed for line in lines)
    assert sorted(taken) == sorted(queued)
    assert set(taken.values()) == {1}
    if job_type == "toy":
        assert max(int(line.split()[1]) for lines in printed for line in lines) == SLOTS
    assert sum(1 for lines in printed if lines) == CLAIMERS, "every process took part"
    assert not Run.objects.live().exists()
