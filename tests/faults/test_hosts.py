"""Several hosts on one PostgreSQL: one is cut off, the server restarts, and two versions of the code run side by side."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from competitors.sandbox.server import serve
from pipeline import api
from pipeline.models import Attempt, RawPage, Run, Worker
from pipeline.states import Outcome, RunStatus
from tests.competitors.reuse import click
from tests.factories import make_brand, make_listing
from tests.faults.hosts import NotPermitted, network
from tests.faults.swallowing import proxy_to
from tests.postgres import server
from tests.processes import Cluster, make_tables, reached, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults, pytest.mark.alone, pytest.mark.only_on("postgresql")]
LEASE = 3
READY = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8000/readyz', timeout=20).status, end='')"
NEWER = "pipeline/migrations/9999_novelty.py"
MIGRATION = """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("pipeline", "{last}")]
    operations = [
        migrations.AddField("run", "novelty", models.CharField(max_length=20, blank=True, default="", db_default="")),
        migrations.AddIndex("run", models.Index(fields=["novelty"], name="run_novelty")),
    ]
"""


@contextmanager
def using(url):
    """This process works on that server's database."""
    there = urlsplit(url)
    usual = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(
        HOST=there.hostname, PORT=there.port, USER=there.username, PASSWORD=there.password, NAME=there.path.strip("/")
    )
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(usual)


def state_of(run):
    """All that a stale write would change."""
    run.refresh_from_db()
    rows = sorted(run.logs.values_list("seq", "message")), sorted(run.attempts.values_list("number", "outcome", "ended_at"))
    paid = run.upstream_runs.values_list("read_offset", "read_complete", "status", "cost_actual").get()
    pages = RawPage.objects.filter(upstream_run__run=run).count()
    return run.status, run.verdict, run.counts, run.cost_actual, run.completed_at, run.summary, *rows, paid, pages


def test_a_host_that_is_cut_off_in_mid_landing_loses_nothing_and_writes_nothing_stale(tmp_path):
    """Another host takes its run over. Then the cable is back, and the server restarts: all hosts go on."""
    with ExitStack() as stack:
        try:
            hosts = stack.enter_context(network())
        except NotPermitted as reason:
            pytest.skip(str(reason))
        web, *working = hosts.hosts[0], hosts.host(), hosts.host()
        database = stack.enter_context(server(also=hosts.gateway))
        make_tables(database.url)
        sandbox = stack.enter_context(serve(run_seconds=0.3, seed=7))
        relay = stack.enter_context(proxy_to("127.0.0.1", urlsplit(sandbox.url).port, hosts.gateway))
        environment = {
            "DATABASE_URL": database.url.replace("127.0.0.1", hosts.gateway),
            "APIFY_API_URL": f"http://{hosts.gateway}:{relay.port}",
            "APIFY_TOKEN": "a-token-for-tests",
            "PIPELINE_LEASE_SECONDS": str(LEASE),
            "PIPELINE_POLL_SECONDS": "0.5",
            "PIPELINE_SETTLE_SECONDS": "0",
            "PIPELINE_PAGE_ITEMS": "20",
        }

        def on_the_web_host(*arguments):
            command = [*web.inside, sys.executable, *arguments]
            return subprocess.run(
                command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=True
            )

        serves = [*web.inside, sys.executable, "manage.py", "web", "--listen", "127.0.0.1:8000"]
        site = subprocess.Popen(serves, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stack.callback(site.wait)
        stack.callback(site.kill)
        stack.enter_context(using(database.url))
        clusters = []
        for number, host in enumerate(working):
            clusters.append(Cluster(tmp_path / f"log {number}", inside=host.inside, **environment))
            stack.callback(clusters[-1].end)
        listing = make_listing()
        sandbox.account.faults.arm("slow", value=0.4, path="/datasets")
        run = click(listing)
        pages = RawPage.objects.filter(upstream_run__run=run)
        until(lambda: pages.count() >= 2, "the first pages to be saved")
        run.refresh_from_db()
        holder = next(number for number, one in enumerate(clusters) if run.worker.pid in one.processes())
        working[holder].cut_off()
        cut_at, saved, first = timezone.now(), pages.count(), run.worker
        assert (run.status, run.upstream_runs.get().read_complete) == (RunStatus.RUNNING, False), "it is cut off in mid-landing"

        until(lambda: Run.objects.get(pk=run.pk).worker_id not in (None, first.pk), "the other host to take it over", 20)
        first.refresh_from_db()
        assert first.last_seen_at < cut_at + timedelta(seconds=1), "nothing came through from the host that is cut off"
        sandbox.account.faults.clear()
        until(reached(run, RunStatus.COMPLETED), "the other host to finish it", 20)
        before = state_of(run)
        assert pages.count() > saved

        working[holder].connect()
        until(lambda: Worker.objects.get(pk=first.pk).last_seen_at > cut_at + timedelta(seconds=LEASE), "it to be back", 40)
        brand = listing.competitor.brand
        toys = [one.run for one in api.queue_many(brand.pk, "toy", [{"name": str(n), "works": 1} for n in range(6)])]
        until(lambda: Run.objects.filter(pk__in=[toy.pk for toy in toys], status=RunStatus.COMPLETED).count() == 6, "six more")
        by = set(Attempt.objects.filter(run__in=toys).values_list("worker__pid", flat=True))
        assert by & set(clusters[holder].processes()), "the host that was cut off works again"
        assert state_of(run) == before, "it wrote nothing stale when it was back"
        outcomes = [attempt.outcome for attempt in run.attempts.exclude(outcome=Outcome.PARKED)]
        assert outcomes == [Outcome.LOST, Outcome.COMPLETED]
        assert sandbox.state["runs_started"] == 1, "nothing was paid for twice"
        assert listing.reviews().count() == run.counts["new"], "each row is counted once"
        assert sum(pages.values_list("items", flat=True)) == run.counts["raw"]

        connection.close()
        database.stop(signal.SIGINT)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(database.url)
        database.start()
        on_the_web_host("manage.py", "run_job", "toy", "--brand", brand.slug, "--param", "name=after")
        last = Run.objects.latest("pk")
        until(reached(last, RunStatus.COMPLETED), "a run after the restart", 30)
        assert on_the_web_host("-c", READY).stdout == "200", "the site finds the database, and a worker that is alive"
        assert [last.attempt, Attempt.objects.filter(outcome=Outcome.LOST).count()] == [0, 1]


def test_old_and_new_code_work_side_by_side_on_a_newer_database(tmp_path):
    """A rolling upgrade: a migration adds a column, old workers go on, new ones join, and take what the old ones hand back."""
    new = tmp_path / "new"
    for name in ("controlplane", "pipeline", "competitors", "templates", "static", "tests/toy"):
        shutil.copytree(settings.BASE_DIR / name, new / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("manage.py", "pyproject.toml", "tests/__init__.py", "tests/settings.py"):
        shutil.copy(settings.BASE_DIR / name, new / name)
    last = sorted(path.stem for path in (new / NEWER).parent.glob("[0-9]*.py"))[-1]
    (new / NEWER).write_text(MIGRATION.format(last=last))
    model = new / "pipeline/models/runs.py"
    column = '    novelty = models.CharField(max_length=20, blank=True, default="", db_default="")\n'
    anchor = "    status = models.CharField(max_length=10, choices=RunStatus, default=RunStatus.PENDING)\n"
    assert anchor in model.read_text()
    model.write_text(model.read_text().replace(anchor, anchor + column))

    with server() as database, using(database.url), ExitStack() as stack:
        environment = {"DATABASE_URL": database.url, "PIPELINE_LEASE_SECONDS": "5"}

        def manage(folder: Path, *arguments: str) -> None:
            command = [sys.executable, "manage.py", *arguments, "-v0"]
            subprocess.run(command, check=True, cwd=folder, env={**os.environ, **environment}, timeout=120)

        make_tables(database.url)
        manage(settings.BASE_DIR, "migrate", "--fake")
        old = Cluster(tmp_path / "old log", **environment, RELEASE="old")
        stack.callback(old.end)
        brand = make_brand()
        begun = api.queue_one_time_job(brand.pk, "toy", {"name": "begun", "works": 600}).run
        until(reached(begun, RunStatus.RUNNING), "old code to begin it")
        manage(new, "migrate", "pipeline")
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pipeline_run WHERE novelty = ''")
            assert cursor.fetchone() == (1,), "the database is newer than the old code"
        after = api.queue_one_time_job(brand.pk, "toy", {"name": "after"}).run
        until(reached(after, RunStatus.COMPLETED), "old code to do a run that it claimed on the newer database")
        assert after.attempts.get().worker.release == "old"

        fresh = Cluster(tmp_path / "new log", folder=new, **environment, RELEASE="new")
        stack.callback(fresh.end)
        api.queue_many(brand.pk, "toy", [{"name": str(number), "works": 1} for number in range(9)])
        done = Attempt.objects.filter(outcome=Outcome.COMPLETED)
        until(lambda: done.count() == 10, "both to work", 40)
        assert set(done.values_list("worker__release", flat=True)) == {"old", "new"}
        assert old.stop() == 0
        until(
            lambda: begun.attempts.filter(worker__release="new", outcome="").exists(),
            "new code to go on with what old code began",
        )
        begun.refresh_from_db()
        assert (begun.status, begun.recoveries, begun.attempt) == (RunStatus.RUNNING, 0, 0)
        assert not Attempt.objects.exclude(outcome__in=[Outcome.COMPLETED, Outcome.HANDED_BACK, ""]).exists()
