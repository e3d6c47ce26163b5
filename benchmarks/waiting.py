"""Ten thousand runs wait upstream, at the sandbox over HTTP, with two workers: the cost and the delay of watching them.

DATABASE_URL=… python -m benchmarks.waiting [--runs 10000] [--seconds 600]

A limit stops their type, so that only the watch is measured: each run becomes due, but none is worked on.
"""

import argparse
import random
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.scratch import database, percentiles, process, tree


def memory_mb(pids):
    """Proportional set size: it counts shared pages once."""
    return (
        sum(
            int(line.split()[1])
            for pid in pids
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            if "Pss:" in line
        )
        / 1024
    )


def insert_waiting_runs(sandbox, count, seconds, began):
    """Runs that each wait for an upstream run of their own. Those end at random times within so many seconds."""
    from benchmarks import load
    from competitors.sandbox.ids import opaque_id
    from pipeline.models import Run, UpstreamRun

    (first,) = sandbox.account.runs.values()
    later = began + timedelta(hours=1)
    load.runs(count, "waiting", job_type="load", due_at=later, order_at=later)
    dice, rows = random.Random(7), []
    for run_id in Run.objects.filter(job_type="load").values_list("pk", flat=True):
        life = replace(first.life, began=began.timestamp(), ready=0, work=dice.uniform(5, seconds), timeout=1e9)
        twin = replace(first, id=opaque_id(), started=began.timestamp(), life=life)
        twin.plan = replace(first.plan, batches=[])
        sandbox.account.runs[twin.id] = twin
        started = {"status": "running", "started_at": began, "intent_at": began, "deadline": later}
        costs = {"cost_estimate": 0, "cost_cap": 0, "max_items": 1}
        rows.append(
            UpstreamRun(
                run_id=run_id, source="apify", step="start", intent=1, tag=twin.id, upstream_id=twin.id, **started, **costs
            )
        )
    UpstreamRun.objects.bulk_create(rows, batch_size=500)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=600)
    options = parser.parse_args()
    with database() as folder:
        from apify_client import ApifyClient
        from django.db import connection
        from django.utils import timezone

        from competitors.jobs.amazon_review_scrape.order import ACTOR
        from competitors.sandbox.server import serve
        from pipeline.models import ConcurrencyLimit, UpstreamRun

        ConcurrencyLimit.objects.create(job_type="load", max_running=0)
        with serve(concurrent_runs_limit=2 * options.runs, memory_limit_mbytes=2**40) as sandbox:
            environment = {"APIFY_API_URL": sandbox.url, "APIFY_TOKEN": "a-token-for-benchmarks"}
            began = timezone.now()
            client = ApifyClient(environment["APIFY_TOKEN"], api_url=sandbox.url)
            client.actor(ACTOR).start(run_input={"input": [{"asin": "B000000001", "domainCode": "com"}]})
            insert_waiting_runs(sandbox, options.runs, options.seconds, began)
            with process("worker", settings="benchmarks.settings", log=folder / "worker.log", **environment) as supervisor:
                time.sleep(15)
                asked, at, memory = sum(sandbox.account.requests.values()), time.monotonic(), memory_mb(tree(supervisor.pid))
                most = 0.0
                while time.time() < began.timestamp() + options.seconds + 20:
                    time.sleep(5)
                    most = max(most, memory_mb(tree(supervisor.pid)))
                rate = (sum(sandbox.account.requests.values()) - asked) / (time.monotonic() - at)
            ends = {run.id: run.life.ends for run in sandbox.account.runs.values()}
            late = [
                (due - datetime.fromtimestamp(ends[upstream], UTC)).total_seconds()
                for upstream, due in UpstreamRun.objects.values_list("upstream_id", "run__due_at")
            ]
            p50, p95, longest = percentiles(late)
            print(f"{options.runs:,} waiting runs on {connection.vendor}, ends spread over {options.seconds} s, 2 workers")
            print(f"made due after their upstream end, s: p50 {p50:.1f}, p95 {p95:.1f}, max {longest:.1f}")
            print(f"upstream requests a second: {rate:.2f}")
            print(f"memory of all processes, MB: {memory:.0f} at first, {most:.0f} at most")


if __name__ == "__main__":
    main()
