"""Pick-up: from the commit of the click to the handler's first line, beside stock django-q2 in the same run.

DATABASE_URL=… python -m benchmarks.pickup [--samples 200]
"""

import argparse
import time

from benchmarks.scratch import database, marks, percentiles, process, wait_for_mark


def measure(folder, name, samples, put):
    """Latencies in ms of `samples` single puts to idle workers, and how long each put took."""
    put(f"{name}-warm-0")
    wait_for_mark(folder, f"{name}-warm-0")
    for number in range(1, 6):
        put(f"{name}-warm-{number}")
        wait_for_mark(folder, f"{name}-warm-{number}")
    committed, took = {}, []
    for number in range(samples):
        began = time.time_ns()
        put(f"{name}-{number}")
        committed[f"{name}-{number}"] = time.time_ns()
        took.append((committed[f"{name}-{number}"] - began) / 1e6)
        time.sleep(0.05 + number % 7 / 100)  # not in step with anybody's polling
    wait_for_mark(folder, f"{name}-{samples - 1}")
    seen = marks(folder)
    return [(seen[key] - moment) / 1e6 for key, moment in committed.items()], took


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=200)
    samples = parser.parse_args().samples
    with database() as folder:
        from django.db import connection
        from django_q.tasks import async_task

        from pipeline import api
        from pipeline.models import Brand

        brand = Brand.objects.create(name="Bench", slug="bench")
        with process("worker", settings="benchmarks.settings", log=folder / "worker.log"):
            ours = measure(folder, "ours", samples, lambda name: api.queue_one_time_job(brand.pk, "mark", {"name": name}))
        with process("qcluster", settings="benchmarks.stock_settings", log=folder / "qcluster.log"):
            stock = measure(folder, "stock", samples, lambda name: async_task("benchmarks.marks.job.note", name))
        with process("qcluster", settings="benchmarks.tuned_settings", log=folder / "tuned.log"):
            tuned = measure(folder, "tuned", samples, lambda name: async_task("benchmarks.marks.job.note", name))
        print(f"Pick-up on {connection.vendor}, {samples} single clicks, 2 workers, ms")
        print(f"{'':22}{'p50':>9}{'p95':>9}{'max':>9}")
        for label, values in (
            ("ours", ours[0]),
            ("stock django-q2", stock[0]),
            ("tuned django-q2", tuned[0]),
            ("our enqueue", ours[1]),
            ("stock enqueue", stock[1]),
        ):
            print(f"{label:22}" + "".join(f"{value:9.1f}" for value in percentiles(values)))
        print(f"p95, stock ÷ ours: {percentiles(stock[0])[1] / percentiles(ours[0])[1]:.1f}")


if __name__ == "__main__":
    main()
