"""The systems that are compared."""

import time
from collections.abc import Iterator
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from statistics import median
from uuid import uuid4

from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ, Task
from django_q.tasks import async_task

from benchmarks import load, rows
from benchmarks.peers.remote import PEERS
from benchmarks.rows import Row
from benchmarks.scratch import tree
from benchmarks.system import System
from pipeline import api
from pipeline.engine.queue.claim import claim
from pipeline.engine.workers.processes import register_worker
from pipeline.models import Attempt, Brand, ConcurrencyLimit, Job, Pause, Run, RunLog, SourceState, Worker
from tests.processes import alive, children_of

WARM, CLAIMS = 10, 150  # claims, until their queries are prepared and after that


class Ours(System):
    label = rows.OURS
    version = ""
    setup = "`manage.py worker` with its defaults"
    settings = "benchmarks.settings"
    commands = [["worker"]]
    leases = waits_without_worker = True

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.brand = Brand.objects.create(name="Bench", slug="bench")

    def put(self, name: str) -> None:
        api.queue_one_time_job(self.brand.pk, "mark", {"name": name})

    def put_many(self, names: list[str]) -> None:
        api.queue_many(self.brand.pk, "mark", [{"name": name} for name in names])

    def doze(self, name: str, works: float) -> None:
        api.queue_one_time_job(self.brand.pk, "doze", {"name": name, "works": works})

    def sleep_many(self, names: list[str], seconds: int) -> None:
        api.queue_many(self.brand.pk, "doze", [{"name": name, "sleeps": seconds} for name in names])

    def backlog(self, count: int) -> None:
        # Like a schedule's ticks of another type: clicks go first.
        at = timezone.now()
        load.runs(count, "pending", job_type="load", due_at=at, order_at=at, priority=20)

    def stopped(self, count: int) -> Iterator[Row]:
        at = timezone.now() - timedelta(hours=1)  # and not of a woken run's priority: a pause lets these go on
        other = Brand.objects.create(name="Other", slug="other")
        load.runs(count, "pending", job_type="load", brand=other, due_at=at, order_at=at)
        for row, stop in (
            (rows.SATURATED, ConcurrencyLimit(job_type="load", max_running=0)),
            (rows.PAUSED, Pause(brand=other)),
        ):
            stop.save()
            yield row
            stop.delete()
        load.empty(Job)
        other.delete()
        for limit in (ConcurrencyLimit(job_type="mark", max_running=50), ConcurrencyLimit(brand=self.brand, max_running=50)):
            limit.save()
        yield rows.LIMITED
        ConcurrencyLimit.objects.all().delete()

    def history(self, count: int) -> None:
        """Each run with its attempt and two log lines."""
        at = timezone.now() - timedelta(days=2)
        over = {"verdict": "ok", "due_at": at, "order_at": at, "started_at": at, "completed_at": at}
        with load.unchecked():
            job = Job.objects.create(job_type="mark", brand=self.brand, subject="load")
            load.insert(Run(job=job, status="completed", created_at=at, job_type="mark", brand=self.brand, **over), count)
            attempt = Attempt(
                number=1, worker_label="box:1", lease_token=uuid4(), started_at=at, ended_at=at, outcome="completed"
            )
            load.insert(attempt, 1, of=f"{Run._meta.db_table} r", run_id="r.id")
            load.insert(RunLog(at=at, message="Done."), 1, of=f"{Run._meta.db_table} r", run_id="r.id", seq="n")
        load.settle()

    def pending(self, count: int) -> None:
        at = timezone.now()
        load.runs(count, "pending", job_type="mark", brand=self.brand, due_at=at, order_at=at)

    def claim_cost(self) -> float:
        """The median of claims in ms. They are not rolled back: after a ROLLBACK psycopg would prepare everything anew."""
        worker = register_worker()
        took = []
        for _ in range(WARM + CLAIMS):
            began = time.perf_counter()
            assert claim(worker), "nothing was claimed"
            took.append((time.perf_counter() - began) * 1000)
        return median(took[WARM:])

    def empty(self) -> None:
        load.empty(Job, Worker, ConcurrencyLimit, Pause, SourceState)

    def worker_pids(self, roots: list[int]) -> list[int]:
        pids = [pid for root in roots for pid in tree(root)]
        rows = Worker.objects.filter(pid__in=pids, stopped_at=None, kind="worker")
        return [worker.pid for worker in rows if alive(worker.pid)]


class Stock(System):
    label = rows.STOCK
    version = version("django-q2")
    setup = "ORM broker, its defaults, two workers"
    settings = "benchmarks.stock_settings"
    commands = [["qcluster"]]
    bulk = False
    share = 0.1

    def put(self, name: str) -> None:
        async_task("benchmarks.marks.notes.note", name)

    def doze(self, name: str, works: float) -> None:
        async_task("benchmarks.marks.notes.doze", name, works)

    def empty(self) -> None:
        load.empty(OrmQ, Task)

    def worker_pids(self, roots: list[int]) -> list[int]:
        # The sentinel starts them before its monitor and its pusher.
        return [pid for root in roots for sentinel in children_of(root) for pid in sorted(children_of(sentinel))[:2]]


class Tuned(Stock):
    label = "tuned django-q2"
    setup = (
        "poll 0.05, bulk 50, queue_limit 100, save_limit -1, recycle 5000, retry 70, persistent connections; a dying worker takes"
        " up to 50 tasks with it until their retry"
    )
    share = 1.0
    settings = "benchmarks.tuned_settings"


def systems(folder: Path) -> list[System]:
    """The systems that this database supports, and whose Python is here."""
    found: list[System] = [Ours(folder), Stock(folder), Tuned(folder)]
    postgresql = connection.vendor == "postgresql"
    if postgresql:
        from benchmarks.peers.procrastinate_system import Procrastinate  # needs its Django app

        found.append(Procrastinate(folder))
    return found + [peer(folder) for peer in PEERS if peer.is_here() and (postgresql or peer.on_sqlite)]
