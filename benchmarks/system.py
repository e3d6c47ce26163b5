"""A compared system: how to queue work in it, and which processes are its workers."""

import contextlib
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks.marks import seen
from benchmarks.rows import Row
from benchmarks.scratch import MANAGE, process
from tests.processes import until


class Lacks(Exception):
    """This system does not have that feature."""


class System(ABC):
    label: str
    version: str
    setup: str  # its settings, in words
    settings: str
    program: Sequence[str] = MANAGE
    commands: list[list[str]]
    bulk = True  # whether put_many is more than a loop
    share = 1.0  # of the drained jobs, for a slow system
    leases = False  # whether another host takes over a dead host's jobs
    waits_without_worker = False  # and whether that is measured

    def __init__(self, folder: Path):
        self.log = folder / f"{self.label}.log"

    @abstractmethod
    def put(self, name: str) -> None:
        """Queue a job."""

    def put_timed(self, name: str) -> tuple[int, int]:
        """Queue a job. Returns when that began and when it was committed, in ns since the epoch."""
        began = time.time_ns()
        self.put(name)
        return began, time.time_ns()

    def put_many(self, names: list[str]) -> None:
        for name in names:
            self.put(name)

    @abstractmethod
    def doze(self, name: str, works: float) -> None:
        """Queue a job that keeps its worker busy for so many seconds."""

    def sleep_many(self, names: list[str], seconds: int) -> None:
        """Queue jobs that go on after so many seconds and need no worker until then."""
        raise Lacks

    def backlog(self, count: int) -> None:
        """Insert due jobs that come after whatever is queued later."""
        raise Lacks

    def stopped(self, count: int) -> Iterable[Row]:
        """Insert jobs that come before whatever is queued later. Then set one stop after the other that keeps them from starting,
        and yield its row while it is set.
        """
        raise Lacks

    def history(self, count: int) -> None:
        """Insert completed jobs."""
        raise Lacks

    def pending(self, count: int) -> None:
        """Insert due jobs of which each may start."""
        raise Lacks

    def claim_cost(self) -> float:
        """How long one claim takes, in ms."""
        raise Lacks

    @abstractmethod
    def empty(self) -> None:
        """Delete all jobs, and end all stops."""

    def close(self) -> None:  # noqa: B027 - most have nothing
        """End what it needs besides its workers."""

    @abstractmethod
    def worker_pids(self, roots: list[int]) -> list[int]:
        """The processes that do the work, of the commands with these pids."""

    @contextlib.contextmanager
    def workers(self, **environment: str) -> Iterator[list[int]]:
        """Run two workers. Yields the pids of the commands."""
        with contextlib.ExitStack() as stack:
            started: list[subprocess.Popen[bytes]] = [
                stack.enter_context(process(*command, settings=self.settings, log=self.log, program=self.program, **environment))
                for command in self.commands
            ]
            yield [child.pid for child in started]

    @contextlib.contextmanager
    def idle_workers(self) -> Iterator[list[int]]:
        """The same, after both workers are there and the system has worked."""
        seen.forget()
        with self.workers() as roots:
            for number in range(1, 5):
                self.put(f"warm-{number}")
                seen.wait_for(number)
            until(lambda: len(self.worker_pids(roots)) == 2, "two workers")
            yield roots
