"""Real processes of the product on the test's own database, and ways to wait for what they do."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from pipeline.models import Run, Worker

WAIT_SECONDS = 30.0


def until(condition: Callable[[], Any], what: str, seconds: float = WAIT_SECONDS) -> Any:
    """The condition's first true value; an assertion that names what was waited for where it does not come."""
    end = time.monotonic() + seconds
    while True:
        looked = time.monotonic()  # before the look: the last one is at the end, also where this process was held up
        if value := condition():
            return value
        if looked >= end:
            raise AssertionError(f"waited {seconds:g} s in vain for: {what}")
        time.sleep(0.02)


def reached(run: Run, status: str) -> Callable[[], bool]:
    """For `until`: the run's row, read anew, has the status."""

    def look() -> bool:
        run.refresh_from_db()
        return run.status == status

    return look


def database_url() -> str:
    """The test database, for another process."""
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{values['NAME']}"
    return f"postgres://{values['USER']}:{values['PASSWORD']}@{values['HOST']}:{values['PORT']}/{values['NAME']}"


def children_of(pid: int) -> list[int]:
    """Live child processes, from /proc."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    return []


def state(pid: int) -> str:
    """The kernel's letter for it (R, S, T: stopped, Z: zombie); X where it is gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return "X"


def alive(pid: int) -> bool:
    return state(pid) not in "ZX"


class Cluster:
    """`manage.py worker` as an operator runs it."""

    def __init__(self, log: Path, *, ready: Callable[[], Any] | None = None, **environment: str):
        """Returns when it has two workers; `ready` says otherwise where they cannot be seen in the test's own database."""
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "worker"],
                cwd=settings.BASE_DIR,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "DATABASE_URL": database_url(), "DEBUG": "1", **environment},
            )
        ready = ready or (lambda: len(self.workers()) >= 2)
        until(lambda: ready() or self.process.poll() is not None, f"two workers; log: {log.read_text()}")

    @property
    def pid(self) -> int:
        return self.process.pid

    def processes(self) -> list[int]:
        """Every process below the command, the command first."""
        found = [self.pid]
        for pid in found:
            found += children_of(pid)
        return found

    def workers(self) -> list[Worker]:
        """Rows of the workers of this cluster that live."""
        pids = self.processes()
        return [worker for worker in Worker.objects.filter(pid__in=pids, stopped_at=None, kind="worker") if alive(worker.pid)]

    def stop(self, seconds: float = 40) -> int:
        """SIGTERM, and its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(seconds)

    def end(self) -> None:
        """Leave nothing behind, whatever the test did: who outlived it would write into the next test's database."""
        pids = self.processes()
        for pid in pids:  # from the top, so that nobody replaces what is killed
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
