"""Runs real processes of the product on the test's database, and waits for what they do."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from pipeline.models import Run, Worker

WAIT_SECONDS = 30.0
START_SECONDS = 120.0  # on a busy machine Python starts slowly


def until(condition: Callable[[], Any], what: str, seconds: float = WAIT_SECONDS) -> Any:
    """Wait for the condition and return its first true value. An assertion names `what` if it does not come."""
    end = time.monotonic() + seconds
    while True:
        checked = time.monotonic()  # read before the check, so that one check always comes after `end`
        if value := condition():
            return value
        if checked >= end:
            raise AssertionError(f"waited {seconds:g} s in vain for: {what}")
        time.sleep(0.02)


def reached(run: Run, status: str) -> Callable[[], bool]:
    """A condition for `until`: reads the run again and compares its status."""

    def check() -> bool:
        run.refresh_from_db()
        return run.status == status

    return check


def database_url() -> str:
    """The test database's URL, for another process."""
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{values['NAME']}"
    return f"postgres://{values['USER']}:{values['PASSWORD']}@{values['HOST']}:{values['PORT']}/{values['NAME']}"


def make_tables(url: str) -> None:
    """From the models, in the empty database there."""
    environment = {**os.environ, "DATABASE_URL": url, "TESTS_TABLES": "models"}
    subprocess.run([sys.executable, "manage.py", "migrate", "--run-syncdb", "-v0"], check=True, env=environment, timeout=60)


def children_of(pid: int) -> list[int]:
    """Child processes, from /proc."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    return []


def state(pid: int) -> str:
    """The kernel's letter for the process's state (R, S, T: stopped, Z: zombie); X if it is gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return "X"


def alive(pid: int) -> bool:
    return state(pid) not in "ZX"


class Cluster:
    """A `manage.py worker` process, with everything below it."""

    def __init__(
        self,
        log: Path,
        *,
        ready: Callable[[], Any] | None = None,
        inside: Sequence[str] = (),
        folder: Path | None = None,
        **environment: str,
    ):
        """Returns when it has two workers. Pass `ready` if the test's database does not show them.

        `inside`: what the command begins with. `folder`: of other code.
        """
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [*inside, sys.executable, "manage.py", "worker"],
                cwd=folder or settings.BASE_DIR,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "DATABASE_URL": database_url(), "DEBUG": "1", **environment},
            )
        ready = ready or (lambda: len(self.workers()) >= 2)
        try:
            until(lambda: ready() or self.process.poll() is not None, "two workers", START_SECONDS)
        except BaseException as error:
            self.end()
            error.add_note(log.read_text())
            raise

    @property
    def pid(self) -> int:
        return self.process.pid

    def processes(self) -> list[int]:
        """The command's process and all below it, the command first."""
        found = [self.pid]
        for pid in found:
            found += children_of(pid)
        return found

    def workers(self) -> list[Worker]:
        """Rows of this cluster's live workers."""
        pids = self.processes()
        return [worker for worker in Worker.objects.filter(pid__in=pids, stopped_at=None, kind="worker") if alive(worker.pid)]

    def stop(self, seconds: float = 40) -> int:
        """Send SIGTERM, wait, and return the exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(seconds)

    def end(self) -> None:
        """Kill every process: a survivor would write into the next test's database."""
        pids = self.processes()
        for pid in pids:  # top down, so that no parent replaces a killed child
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(WAIT_SECONDS)
        until(lambda: not [pid for pid in pids if alive(pid)], "the end of the whole cluster")


@contextlib.contextmanager
def cluster(log: Path, *, ready: Callable[[], Any] | None = None, **environment: str) -> Iterator[Cluster]:
    one = Cluster(log, ready=ready, **environment)
    try:
        yield one
    finally:
        one.end()
