"""Drain of no-op runs, and single pick-ups, beside stock django-q2 and (on PostgreSQL) procrastinate, in the same run.

DATABASE_URL=… python -m benchmarks.drain [--runs 1000] [--samples 100]
"""

import argparse
import os
import subprocess
import sys
import time

from benchmarks.scratch import ROOT, database, marks, percentiles, process, wait_for_mark

WORKERS = {
    "ours": ("benchmarks.settings", ["worker"]),
    "stock django-q2": ("benchmarks.stock_settings", ["qcluster"]),
    "tuned django-q2": ("benchmarks.tuned_settings", ["qcluster"]),
    "procrastinate": ("benchmarks.procrastinate_settings", ["procrastinate", "worker", "--concurrency", "2"]),
}


def drained(folder, prefix, runs, start):
    """Runs a second, from the first handler's first line to the last one's; the queue is full before a worker starts."""
    with start():
        end = time.monotonic() + 300
        while time.monotonic() < end:
            seen = [moment for name, moment in marks(folder).items() if name.startswith(f"{prefix}-")]
            if len(seen) >= runs:
                return (len(seen) - 1) / ((max(seen) - min(seen)) / 1e9)
            time.sleep(0.1)
    raise SystemExit(f"{prefix}: {len(seen)} of {runs} after five minutes")


def procrastinate(*arguments):
    """The peer in its own process; what it printed."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "benchmarks.procrastinate_settings", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(line.split() for line in done.stdout.splitlines() if line.count(" ") == 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--samples", type=int, default=100)
    options = parser.parse_args()
    rows: dict[str, tuple[float, float, tuple[float, float, float] | None]] = {}
    with database() as folder:
        from django.db import connection
        from django_q.tasks import async_task

        from pipeline import api
        from pipeline.models import Brand

        brand = Brand.objects.create(name="Bench", slug="bench")
        puts = {
            "ours": lambda name: api.queue_one_time_job(brand.pk, "mark", {"name": name}),
            "stock django-q2": lambda name: async_task("benchmarks.marks.job.note", name),
        }
        puts["tuned django-q2"] = puts["stock django-q2"]
        for label, put in puts.items():
            settings, arguments = WORKERS[label]
            began = time.perf_counter()
            for number in range(options.runs):
                put(f"drain-{label.split()[0]}-{number}")
            enqueue = (time.perf_counter() - began) / options.runs * 1000

            def start(settings=settings, arguments=arguments, label=label):
                return process(*arguments, settings=settings, log=folder / f"{label.split()[0]}.log")

            rows[label] = (drained(folder, f"drain-{label.split()[0]}", options.runs, start), enqueue, None)
        if connection.vendor == "postgresql":
            procrastinate("manage.py", "migrate", "-v0")
            began = time.perf_counter()
            procrastinate("-m", "benchmarks.peer", "drain", str(options.runs))
            enqueue = (time.perf_counter() - began) / options.runs * 1000
            settings, arguments = WORKERS["procrastinate"]

            def start():
                return process(*arguments, settings=settings, log=folder / "procrastinate.log")

            with start():
                wait_for_mark(folder, f"drain-{options.runs - 1}", 120)
                seen = [
                    moment for name, moment in marks(folder).items() if name.split("-")[1].isdigit() and name.startswith("drain-")
                ]
                speed = (len(seen) - 1) / ((max(seen) - min(seen)) / 1e9)
                committed = procrastinate("-m", "benchmarks.peer", "pickup", str(options.samples))
                wait_for_mark(folder, f"pickup-{options.samples - 1}")
            at = marks(folder)
            picked = [(at[name] - int(moment)) / 1e6 for name, moment in committed.items()]
            rows["procrastinate"] = (speed, enqueue, percentiles(picked))
        print(f"{options.runs} no-op runs on {connection.vendor}, 2 workers")
        print(f"{'':18}{'drain/s':>10}{'enqueue ms':>12}{'pick-up p50':>13}{'p95':>8}{'max':>8}")
        for label, (speed, enqueue, latencies) in rows.items():
            figures = (
                "".join(f"{value:{width}.1f}" for value, width in zip(latencies, (13, 8, 8), strict=True)) if latencies else ""
            )
            print(f"{label:18}{speed:10.0f}{enqueue:12.1f}{figures}")


if __name__ == "__main__":
    main()
