"""procrastinate as a compared system. Needs PostgreSQL and settings with its app."""

from importlib.metadata import version

from procrastinate.contrib.django.models import ProcrastinateJob, ProcrastinateWorker

from benchmarks import load
from benchmarks.marks import tasks
from benchmarks.system import System


class Procrastinate(System):
    label = "procrastinate"
    version = version("procrastinate")
    setup = "its defaults, two `procrastinate worker`"
    settings = "benchmarks.procrastinate_settings"
    commands = [["procrastinate", "worker"], ["procrastinate", "worker"]]  # two processes, like the two workers of the others
    waits_without_worker = True

    def put(self, name: str) -> None:
        tasks.mark.defer(name=name)

    def put_many(self, names: list[str]) -> None:
        tasks.mark.batch_defer(*({"name": name} for name in names))

    def doze(self, name: str, works: float) -> None:
        tasks.doze.defer(name=name, works=works)

    def sleep_many(self, names: list[str], seconds: int) -> None:
        tasks.mark.configure(schedule_in={"seconds": seconds}).batch_defer(*({"name": name} for name in names))

    def backlog(self, count: int) -> None:
        load.many(_job("todo", priority=-1), count)

    def history(self, count: int) -> None:
        load.many(_job("succeeded", attempts=1), count)

    def empty(self) -> None:
        load.empty(ProcrastinateJob, ProcrastinateWorker)

    def worker_pids(self, roots: list[int]) -> list[int]:
        return roots


def _job(status: str, priority: int = 0, attempts: int = 0) -> ProcrastinateJob:
    return ProcrastinateJob(
        queue_name="default",
        task_name="load",
        priority=priority,
        args={"name": "load"},
        status=status,
        attempts=attempts,
        abort_requested=False,
    )
