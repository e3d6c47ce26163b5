"""What a compared system has to say: how it is given work, and which processes are its workers."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.marks import seen
from benchmarks.scratch import process
from tests.processes import until


class Lacks(Exception):
    """This system has no such thing."""


class System:
    label: str
    settings: str
    commands: list[list[str]]
    bulk = True  # whether put_many is more than a loop
    leases = False  # whether another host takes over what a dead one held
    parks = False  # whether a wait holds no worker

    def __init__(self, folder: Path):
        self.log = folder / f"{self.label}.log"

    def put(self, name: str) -> None:
        raise NotImplementedError

    def put_many(self, names: list[str]) -> None:
        for name in names:
            self.put(name)

    def doze(self, name: str, works: float) -> None:
        """One that keeps its worker busy for so many seconds."""
        raise NotImplementedError

    def sleep_many(self, names: list[str], seconds: int) -> None:
        """Each goes on after so many seconds, and holds no worker meanwhile."""
        raise NotImplementedError

    def backlog(self, count: int) -> None:
        """So many that are due but stand behind what is put later."""
        raise Lacks

    def saturated(self, count: int) -> None:
        """So many that stand before what is put later but may not start now."""
        raise Lacks

    def history(self, count: int) -> None:
        """So many that are over."""
        raise Lacks

    def empty(self) -> None:
        raise NotImplementedError

    def worker_pids(self, roots: list[int]) -> list[int]:
        raise NotImplementedError

    @contextlib.contextmanager
    def workers(self, **environment: str) -> Iterator[list[int]]:
        """Two workers; yields the pids of the commands."""
        with contextlib.ExitStack() as stack:
            started: list[subprocess.Popen[bytes]] = [
                stack.enter_context(process(*command, settings=self.settings, log=self.log, **environment))
                for command in self.commands
            ]
            yield [child.pid for child in started]

    @contextlib.contextmanager
    def idle_workers(self) -> Iterator[list[int]]:
        """The same, when both are there and have had something to do."""
        seen.forget()
        with self.workers() as roots:
            for number in range(1, 7):
                self.put(f"warm-{number}")
                seen.wait_for(number)
            until(lambda: len(self.worker_pids(roots)) == 2, "two workers")
            yield roots
