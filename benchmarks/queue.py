"""The queue under a load of its own: bulk enqueue, drain behind a backlog and a history, idle cost, recovery, sleeps.

DATABASE_URL=… python -m benchmarks.queue [--runs 2000] [--backlog 100000] [--history 1000000] [--idle 60]
"""

import argparse
import contextlib
import os
import signal
import time
import uuid
from pathlib import Path

from benchmarks.pickup import measure
from benchmarks.scratch import database, marks, process, wait_for_mark


def tree(pid):
    """The process and all below it."""
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            found += [
                int(child) for task in Path(f"/proc/{one}/task").iterdir() for child in (task / "children").read_text().split()
            ]
    return found


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def until(condition, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.005)
    raise SystemExit("A benchmark waited in vain.")


def many(count, status, **fields):
    """Rows that are only there, written by the database itself."""
    from django.db import connection

    from pipeline.models import Job, Run

    job = Job.objects.create(job_type=fields["job_type"], subject="load")
    run = Run(job=job, status=status, created_at=job.created_at, **fields)
    names = [field for field in Run._meta.concrete_fields if not field.primary_key]
    values = [field.get_db_prep_save(getattr(run, field.attname), connection) for field in names]
    columns = ", ".join(field.column for field in names)
    row = ", ".join(["%s"] * len(names))
    numbers = (
        "generate_series(1, %s)"
        if connection.vendor == "postgresql"
        else "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s) SELECT i FROM n)"
    )
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO pipeline_run ({columns}) SELECT {row} FROM {numbers}", [*values, count])
        for statement in ("VACUUM ANALYZE pipeline_run", "CHECKPOINT") if connection.vendor == "postgresql" else ("ANALYZE",):
            cursor.execute(statement)


def clear():
    """Without what autovacuum would do later, in the middle of a measurement."""
    from django.db import connection

    with connection.cursor() as cursor:
        loaded = "SELECT id FROM pipeline_run WHERE job_type = 'load'"  # some were claimed, and failed for want of a type
        for table in ("pipeline_runlog", "pipeline_attempt"):
            cursor.execute(f"DELETE FROM {table} WHERE run_id IN ({loaded})")
        cursor.execute("DELETE FROM pipeline_run WHERE job_type = 'load'")
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE pipeline_run")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--backlog", type=int, default=100_000)
    parser.add_argument("--history", type=int, default=1_000_000)
    parser.add_argument("--idle", type=int, default=60)
    options = parser.parse_args()
    with database() as folder:
        from django.db import connection
        from django.utils import timezone

        from pipeline import api
        from pipeline.models import Attempt, Brand, ConcurrencyLimit, Run, Worker

        brand = Brand.objects.create(name="Bench", slug="bench")

        def workers(name, **environment):
            return process("worker", settings="benchmarks.settings", log=folder / f"{name}.log", **environment)

        def say(what, value):
            print(f"{what:58}{value}", flush=True)

        def drain(label):
            began = time.perf_counter()
            api.queue_many(brand.pk, "mark", [{"name": f"{label}-{number}"} for number in range(options.runs)])
            took = time.perf_counter() - began
            with workers(label):
                until(lambda: sum(name.startswith(f"{label}-") for name in marks(folder)) >= options.runs, 300)
            seen = [moment for name, moment in marks(folder).items() if name.startswith(f"{label}-")]
            return (len(seen) - 1) / ((max(seen) - min(seen)) / 1e9), options.runs / took

        def tail(label):
            """The 99th percentile of 200 single pick-ups, ms."""
            with workers(f"{label}-picks"):
                seen, _ = measure(
                    folder, f"{label}-pick", 200, lambda name: api.queue_one_time_job(brand.pk, "mark", {"name": name})
                )
            return sorted(seen)[int(len(seen) * 0.99)]

        print(f"On {connection.vendor}, 2 workers")
        alone, bulk = drain("alone")
        say("bulk enqueue, runs/s", f"{bulk:.0f}")
        say(f"drain of {options.runs}, runs/s", f"{alone:.0f}")
        at = timezone.now()
        held = {"job_type": "load", "due_at": at, "order_at": at}
        many(options.backlog, "pending", priority=20, **held)
        say(f"… before a backlog of {options.backlog:,}", f"{(speed := drain('backlog')[0]):.0f} ({speed / alone:.2f} ×)")
        ConcurrencyLimit.objects.create(job_type="load", max_running=0)
        clear()
        many(options.backlog, "pending", priority=0, **held)
        say("… behind it, its type saturated", f"{(speed := drain('saturated')[0]):.0f} ({speed / alone:.2f} ×)")
        ConcurrencyLimit.objects.all().delete()
        clear()
        many(options.history, "completed", verdict="ok", completed_at=at, **held)
        say(f"… with a history of {options.history:,}", f"{(speed := drain('history')[0]):.0f} ({speed / alone:.2f} ×)")
        if connection.vendor == "postgresql":
            before = tail("history")
            say("… its pick-up p99, ms", f"{before:.1f}")
            reader = connection.copy()
            with reader.cursor() as cursor:
                cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
                cursor.execute("SELECT count(*) FROM pipeline_worker")
                say("… and a REPEATABLE READ reader left open", f"{(speed := drain('reader')[0]):.0f} ({speed / alone:.2f} ×)")
                say("… its pick-up p99, ms", f"{(late := tail('reader')):.1f} ({late / before:.2f} ×)")
            reader.close()
        with workers("idle") as supervisor:
            until(lambda: Worker.objects.filter(stopped_at=None, kind="worker", pid__in=tree(supervisor.pid)).count() == 2)
            time.sleep(3)
            began, before = time.monotonic(), cpu_seconds(tree(supervisor.pid))
            commits = committed(connection)
            time.sleep(options.idle)
            minutes = (time.monotonic() - began) / 60
            say("idle, CPU seconds a minute", f"{(cpu_seconds(tree(supervisor.pid)) - before) / minutes:.2f}")
            if commits is not None:
                say("idle, transactions a minute", f"{(committed(connection) - commits) / minutes:.0f}")

            def killed(run):
                """Seconds from the kill of its worker to its next attempt."""
                until(lambda: Run.objects.get(pk=run.pk).worker_id)
                os.kill(Run.objects.get(pk=run.pk).worker.pid, signal.SIGKILL)
                began = time.monotonic()
                until(lambda: Attempt.objects.filter(run=run).count() > 1)
                return time.monotonic() - began

            busy = api.queue_one_time_job(brand.pk, "doze", {"name": "busy", "works": 3}).run
            say("busy worker killed, s until its run goes on", f"{killed(busy):.2f}")
            until(lambda: Run.objects.get(pk=busy.pk).completed_at)
            for worker in Worker.objects.filter(stopped_at=None, kind="worker", pid__in=tree(supervisor.pid)):
                os.kill(worker.pid, signal.SIGKILL)
            began = time.monotonic()
            api.queue_one_time_job(brand.pk, "mark", {"name": "idle-killed"})
            wait_for_mark(folder, "idle-killed")
            say("all idle workers killed, s until the next run starts", f"{time.monotonic() - began:.2f}")
            api.queue_many(brand.pk, "doze", [{"name": f"doze-{number}", "sleeps": 20} for number in range(1000)])
            began = time.monotonic()
            until(lambda: not Run.objects.live().exists())
            say("1,000 × ctx.sleep(20 s), s until all are done", f"{time.monotonic() - began:.1f}")
        with workers("dies", PIPELINE_LEASE_SECONDS="5") as supervisor:
            lost = api.queue_one_time_job(brand.pk, "doze", {"name": str(uuid.uuid4()), "works": 3}).run
            until(lambda: Run.objects.get(pk=lost.pk).worker_id)
            for pid in tree(supervisor.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            began = time.monotonic()
            with workers("other", PIPELINE_LEASE_SECONDS="5"):
                until(lambda: Attempt.objects.filter(run=lost).count() > 1)
                say("host dead, lease of 5 s, s until its run goes on", f"{time.monotonic() - began:.2f}")


def committed(connection):
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]


if __name__ == "__main__":
    main()
