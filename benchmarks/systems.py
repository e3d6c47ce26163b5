"""The systems that are compared."""

from pathlib import Path

from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ, Task
from django_q.tasks import async_task

from benchmarks import load
from benchmarks.scratch import tree
from benchmarks.system import System
from pipeline import api
from pipeline.models import Brand, ConcurrencyLimit, Job, SourceState, Worker
from tests.processes import alive, children_of


class Ours(System):
    label = "ours"
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

    def saturated(self, count: int) -> None:
        at = timezone.now()
        load.runs(count, "pending", job_type="load", due_at=at, order_at=at, priority=0)
        ConcurrencyLimit.objects.create(job_type="load", max_running=0)

    def history(self, count: int) -> None:
        at = timezone.now()
        over = {"verdict": "ok", "due_at": at, "order_at": at, "started_at": at, "completed_at": at}
        load.runs(count, "completed", job_type="mark", brand=self.brand, subject="load", **over)

    def empty(self) -> None:
        load.empty(Job, Worker, ConcurrencyLimit, SourceState)

    def worker_pids(self, roots: list[int]) -> list[int]:
        pids = [pid for root in roots for pid in tree(root)]
        rows = Worker.objects.filter(pid__in=pids, stopped_at=None, kind="worker")
        return [worker.pid for worker in rows if alive(worker.pid)]


class Stock(System):
    label = "stock django-q2"
    settings = "benchmarks.stock_settings"
    commands = [["qcluster"]]
    bulk = False

    def put(self, name: str) -> None:
        async_task("benchmarks.marks.job.note", name)

    def doze(self, name: str, works: float) -> None:
        async_task("benchmarks.marks.job.doze", name, works)

    def backlog(self, count: int) -> None:
        # It has no priorities: only another queue's jobs can come after ours.
        load.many(OrmQ(key="load", payload="load", lock=timezone.now()), count)

    def empty(self) -> None:
        load.empty(OrmQ, Task)

    def worker_pids(self, roots: list[int]) -> list[int]:
        # The sentinel starts them before its monitor and its pusher.
        return [pid for root in roots for sentinel in children_of(root) for pid in sorted(children_of(sentinel))[:2]]


class Tuned(Stock):
    label = "tuned django-q2"
    settings = "benchmarks.tuned_settings"


def systems(folder: Path) -> list[System]:
    """The systems that this database supports."""
    found: list[System] = [Ours(folder), Stock(folder), Tuned(folder)]
    if connection.vendor == "postgresql":
        from benchmarks.procrastinate_system import Procrastinate  # needs its Django app

        found.append(Procrastinate(folder))
    return found
