"""The compared systems: how to queue work in each, and which processes are its workers."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ, Task
from django_q.tasks import async_task

from benchmarks import load
from benchmarks.marks import seen
from benchmarks.scratch import process, tree
from pipeline import api
from pipeline.models import Brand, ConcurrencyLimit, Job, SourceState, Worker
from tests.processes import alive, children_of, until


class Lacks(Exception):
    """This system does not have that feature."""


class System:
    label: str
    settings: str
    commands: list[list[str]]
    bulk = True  # whether put_many is more than a loop
    leases = False  # whether another host takes over a dead host's jobs
    waits_without_worker = False

    def __init__(self, folder: Path):
        self.log = folder / f"{self.label}.log"

    def put(self, name: str) -> None:
        raise NotImplementedError

    def put_many(self, names: list[str]) -> None:
        for name in names:
            self.put(name)

    def doze(self, name: str, works: float) -> None:
        """Queue a job that keeps its worker busy for so many seconds."""
        raise NotImplementedError

    def sleep_many(self, names: list[str], seconds: int) -> None:
        """Queue jobs that go on after so many seconds and need no worker until then."""
        raise NotImplementedError

    def backlog(self, count: int) -> None:
        """Insert due jobs that come after whatever is queued later."""
        raise Lacks

    def saturated(self, count: int) -> None:
        """Insert jobs that come before whatever is queued later but may not start."""
        raise Lacks

    def history(self, count: int) -> None:
        """Insert completed jobs."""
        raise Lacks

    def empty(self) -> None:
        raise NotImplementedError

    def worker_pids(self, roots: list[int]) -> list[int]:
        raise NotImplementedError

    @contextlib.contextmanager
    def workers(self, **environment: str) -> Iterator[list[int]]:
        """Run two workers. Yields the pids of the commands."""
        with contextlib.ExitStack() as stack:
            started: list[subprocess.Popen[bytes]] = [
                stack.enter_context(process(*command, settings=self.settings, log=self.log, **environment))
                for command in self.commands
            ]
            yield [child.pid for child in started]

    @contextlib.contextmanager
    def idle_workers(self) -> Iterator[list[int]]:
        """The same, after both workers are there and the system has worked."""
        seen.forget()
        with self.workers() as roots:
            for number in range(1, 7):
                self.put(f"warm-{number}")
                seen.wait_for(number)
            until(lambda: len(self.worker_pids(roots)) == 2, "two workers")
            yield roots


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
