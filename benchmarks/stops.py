"""Times a claim while 100,000 runs of one brand wait in front and may not start, by each kind of stop, and with no stop.

    DATABASE_URL=… python -m benchmarks.stops [--backlog 100000] [--samples 100]

Each run that is claimed is put back before the next claim: after a rollback, psycopg would prepare its statements anew. The stops
take turns, so that compared figures are close in time.
"""

import argparse
import time
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

from benchmarks.scratch import database

ROUNDS = 3
OTHER_BRANDS = 100  # each has one run behind the backlog
TARGET = 2.0  # × the time with no stop
WARM = 6  # claims until their queries are prepared


@dataclass(frozen=True)
class Stopped:
    label: str
    job: bool = False  # paused
    brand: bool = False  # paused
    limits: tuple[tuple[int, bool, str], ...] = ()  # how many, whether of the brand, type


ROWS = [
    Stopped("no stop"),
    Stopped("brand paused", brand=True),
    Stopped("brand limited to 0", limits=((0, True, ""),)),
    Stopped("job type limited to 0 for the brand", limits=((0, True, "mark"),)),
    Stopped("brand paused, three limits", brand=True, limits=((0, True, ""), (50, False, ""), (9, False, "mark"))),
    Stopped("job paused", job=True),
    Stopped("job and brand paused", job=True, brand=True),
    Stopped("job and brand paused, three limits", True, True, ((0, True, ""), (50, False, ""), (9, False, "mark"))),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backlog", type=int, default=100_000)
    parser.add_argument("--samples", type=int, default=100)
    options = parser.parse_args()
    with database():
        from django.db import connection

        took = measure(options.backlog, options.samples)
        print(f"| a claim past {options.backlog:,} runs, {connection.vendor} | p50, ms | × no stop, ≤ {TARGET:g} |")
        print("| --- | --- | --- |")
        for row, times in took.items():
            ratio = median(times) / median(took[ROWS[0]])
            print(f"| {row.label} | {median(times):.2f} | {ratio:.2f} {'✓' if ratio <= TARGET else '✗'} |", flush=True)


def measure(backlog: int, samples: int) -> dict[Stopped, list[float]]:
    """The times of the claims under each stop, in ms."""
    from django.utils import timezone

    from benchmarks import load
    from pipeline import api
    from pipeline.engine.workers.processes import register_worker
    from pipeline.models import Brand, Run

    brand = Brand.objects.create(name="Stopped", slug="stopped")
    at = timezone.now() - timedelta(hours=1)
    load.runs(backlog, "pending", job_type="mark", brand=brand, due_at=at, order_at=at)
    for number in range(OTHER_BRANDS):
        other = Brand.objects.create(name=f"Other {number}", slug=f"other-{number}")
        api.queue_one_time_job(other.pk, "mark", {"name": "mark"})
    Run.objects.exclude(brand=brand).update(order_at=at + timedelta(minutes=30))
    worker = register_worker()
    took: dict[Stopped, list[float]] = {row: [] for row in ROWS}
    for _ in range(ROUNDS):
        for row in ROWS:
            make(row, brand)
            took[row] += claims(worker, samples // ROUNDS)
    return took


def make(row: Stopped, brand: Any) -> None:
    from benchmarks import load
    from pipeline import api
    from pipeline.models import ConcurrencyLimit, Job, Pause

    Pause.objects.all().delete()
    ConcurrencyLimit.objects.all().delete()
    if row.brand:
        Pause.objects.create(brand=brand)
    for most, its, job_type in row.limits:
        ConcurrencyLimit.objects.create(max_running=most, brand=brand if its else None, job_type=job_type)
    job = Job.objects.get(brand=brand)
    if row.job != (job.status == "paused"):
        (api.pause if row.job else api.resume)(job, None)
        load.settle()


def claims(worker: Any, samples: int) -> list[float]:
    from benchmarks import load
    from pipeline.engine.queue.claim import claim
    from pipeline.models import Attempt, Run

    as_before = {"status": "pending", "worker": None, "lease_token": None, "lease_expires_at": None, "started_at": None}
    times = []
    for number in range(WARM + samples):
        began = time.perf_counter()
        claimed = claim(worker)
        if number >= WARM:
            times.append((time.perf_counter() - began) * 1000)
        if claimed is None:
            raise SystemExit("Nothing was claimed.")
        Attempt.objects.filter(run=claimed[0].pk).delete()
        Run.objects.filter(pk=claimed[0].pk).update(**as_before)
    load.settle()
    return times


if __name__ == "__main__":
    main()
