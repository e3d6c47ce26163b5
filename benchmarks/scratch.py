"""A temporary database, and the processes that a benchmark measures on it."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
DURABILITY = ("server_version", "fsync", "synchronous_commit", "full_page_writes")
MANAGE = (sys.executable, "manage.py")


@contextlib.contextmanager
def database() -> Iterator[Path]:
    """Set up Django on a new database beside the one in DATABASE_URL. Yields a folder for the benchmark's files."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.settings")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # like Ctrl-C, so that the child processes are ended
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
def process(
    *arguments: str, settings: str, log: Path, program: Sequence[str] = MANAGE, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `manage.py …`, or another program, in its own session, and end it with everything below it."""
    with log.open("ab") as output:
        child = subprocess.Popen(
            [*program, *arguments],
            cwd=ROOT,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": settings, "PYTHONPATH": str(ROOT), **environment},
        )
        try:
            yield child
        finally:
            below = tree(child.pid)
            child.terminate()
            try:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(10)
            finally:
                _kill(child.pid, below)
                child.wait()


def _kill(session: int, pids: list[int]) -> None:
    """Kill the rest: a stock cluster whose workers were killed never ends by itself, and ours is another process group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(session, signal.SIGKILL)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            if os.getsid(pid) == session:  # the pid may belong to another process by now
                os.kill(pid, signal.SIGKILL)


def tree(pid: int) -> list[int]:
    """The process and all below it, top down."""
    from tests.processes import children_of  # needs Django to be set up

    found = [pid]
    for one in found:
        found += children_of(one)
    return found


def server() -> str:
    """The database's version, and what it does for a commit to survive a power cut."""
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT " + ", ".join(f"current_setting('{name}')" for name in DURABILITY))
            version, *values = cursor.fetchone()
            return f"PostgreSQL {version}, " + ", ".join(
                f"{name} {value}" for name, value in zip(DURABILITY[1:], values, strict=True)
            )
        cursor.execute("SELECT sqlite_version(), journal_mode, synchronous FROM pragma_journal_mode, pragma_synchronous")
        version, journal, synchronous = cursor.fetchone()
        return f"SQLite {version}, journal_mode {journal}, synchronous {synchronous}"


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def percentiles(values: list[float]) -> tuple[float, float, float]:
    """p50, p95, max."""
    return percentile(values, 0.5), percentile(values, 0.95), max(values)


def cpu_seconds(pids: list[int]) -> float:
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")
