"""A sync of an ad account with many ads: the time that is ours, and memory by the length of the window.

    DATABASE_URL=… python -m benchmarks.meta_sync [--ads 400] [--days 30]

The sandbox answers in a process of its own. The time of its answers is left out: it makes up each row when asked for it.
"""

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.scratch import ROOT, database

LIMIT_SECONDS, LIMIT_MB = 60, 40
PARTS = ["performance", "demographics", "classifications"]  # pictures and videos: see benchmarks/media.py


def only_sync(days: int, account_id: str) -> None:
    """In a new process: one run. Prints what it took."""
    import django

    django.setup()
    from competitors.models import AdAccount, AdDay
    from competitors.upstream.graph import http
    from pipeline import api
    from pipeline.engine.workers.inline import work_one
    from pipeline.models import Brand

    answers = 0.0
    once = http.Graph._once

    def timed(*args: Any, **options: Any) -> Any:
        nonlocal answers
        begin = time.perf_counter()
        try:
            return once(*args, **options)
        finally:
            answers += time.perf_counter() - begin

    http.Graph._once = timed  # type: ignore[method-assign]
    brand = Brand.objects.create(name=account_id, slug=account_id.replace("_", "-"))
    account = AdAccount.objects.create(brand=brand, account_id=account_id)
    begin = time.perf_counter()
    took = {}
    for name in ("first", "second"):
        answers, begin = 0.0, time.perf_counter()
        run = api.queue_one_time_job(brand.pk, "meta_sync", {"days_back": days, "parts": PARTS}).run
        work_one()
        run.refresh_from_db()
        assert (run.status, run.verdict) == ("completed", "ok"), f"{run.status} {run.error_message} {run.summary}"
        took[name] = {"all": time.perf_counter() - begin, "own": time.perf_counter() - begin - answers}
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
    print(json.dumps(took | {"rows": AdDay.objects.filter(ad_account=account).count(), "peak": peak}))


def measure(days: int, account_id: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.meta_sync", "--only-sync", account_id, "--days", str(days)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def only_serve(ads: int) -> None:
    """In a new process: the sandbox, until its input ends."""
    from competitors.sandbox.server import serve

    with serve(ads_per_account=ads) as sandbox:
        print(sandbox.graph_url, flush=True)
        sys.stdin.read()


@contextlib.contextmanager
def served(ads: int) -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.meta_sync", "--only-serve", "--ads", str(ads)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin and child.stdout
        yield child.stdout.readline().strip()
        child.stdin.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ads", type=int, default=400)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--only-serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--only-sync", metavar="ACCOUNT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only_sync:
        return only_sync(options.days, options.only_sync)
    if options.only_serve:
        return only_serve(options.ads)
    with database():
        from django.db import connection

        with served(options.ads) as address:
            os.environ |= {"META_GRAPH_URL": address, "META_ACCESS_TOKEN": "a-token"}
            short, long = measure(7, "act_1029"), measure(options.days, "act_2029")
        print(f"Meta sync on {connection.vendor}: {options.ads} ads, one worker, without pictures and videos")
        print("days  rows    first run: ours, in all   second run: ours, in all   peak memory")
        for days, got in ((7, short), (options.days, long)):
            first, second = got["first"], got["second"]
            print(
                f"{days:4}  {got['rows']:6,}  {first['own']:10.1f} s {first['all']:9.1f} s"
                f"  {second['own']:12.1f} s {second['all']:9.1f} s  {got['peak']:10.0f} MB"
            )
        print(
            f"ours {long['first']['own']:.1f} s (≤ {LIMIT_SECONDS}), memory {long['peak'] - short['peak']:+.1f} MB (≤ {LIMIT_MB})"
        )
    return None


if __name__ == "__main__":
    main()
