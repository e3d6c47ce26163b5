"""A scratch database and the processes that a benchmark measures on it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent


@contextlib.contextmanager
def database() -> Iterator[Path]:
    """Set Django up on a new database beside that of DATABASE_URL; yields a folder for the benchmark's files."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.settings")
    with TemporaryDirectory(prefix="controlplane-bench-") as folder:
        os.environ["BENCH_MARKS"] = str(Path(folder, "marks"))
        if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
            os.environ["DATABASE_URL"] = f"sqlite:///{folder}/bench.sqlite3"
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        if connection.vendor == "postgresql":
            connection.creation.create_test_db(verbosity=0, autoclobber=True)
            values = connection.settings_dict
            where = f"{values['HOST']}:{values['PORT'] or 5432}/{values['NAME']}"
            os.environ["DATABASE_URL"] = f"postgres://{values['USER']}:{quote(values['PASSWORD'] or '')}@{where}"
        else:
            call_command("migrate", verbosity=0)
        try:
            yield Path(folder)
        finally:
            if connection.vendor == "postgresql":
                connection.creation.destroy_test_db(os.environ.get("BENCH_OLD_NAME", "postgres"), verbosity=0)


@contextlib.contextmanager
def process(*arguments: str, settings: str, log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """`manage.py …` in a group of its own, ended with everything below it."""
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": settings, "PYTHONPATH": str(ROOT), **environment},
        )
        try:
            yield child
        finally:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(10)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)


def marks(folder: Path) -> dict[str, int]:
    """When each handler began, ns since the epoch."""
    path = folder / "marks"
    if not path.exists():
        return {}
    return {
        name: int(moment) for name, moment in (line.split() for line in path.read_text().splitlines() if line.count(" ") == 1)
    }


def wait_for_mark(folder: Path, name: str, seconds: float = 30) -> int:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if moment := marks(folder).get(name):
            return moment
        time.sleep(0.01)
    logs = "".join(path.read_text()[-1500:] for path in folder.glob("*.log"))
    raise SystemExit(f"{name} was not executed within {seconds} s\n{logs}")


def percentiles(values: list[float]) -> tuple[float, float, float]:
    """p50, p95, max."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)], ordered[-1]
