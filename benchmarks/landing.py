"""Landing: JSON pages → parsed → rows with counts, compared with bulk_create(update_conflicts) of prepared rows.

    DATABASE_URL=… python -m benchmarks.landing [--items 100000] [--rounds 3] [--no-memory]

Both take turns at writing pages of 1,000, one transaction per page, into an empty table. bulk_create is timed without the
making of its model instances; ours includes read_json, parse_item and land. Memory is the peak of a new process per size.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.scratch import ROOT, cpu_seconds, database

PAGE = 1000
ASIN = "B0BENCH001"
WORDS = "great good love amazing excellent perfect works helpful happy recommend bad terrible broke waste refund 👍 naïve".split()
KEY = ["review_id", "asin", "domain_code"]


def json_page(number: int, size: int) -> bytes:
    """A page of the upstream's dataset: about 40 words per review, and fields that are not saved."""
    dice = random.Random(number)
    items = [
        {
            "statusCode": 200,
            "statusMessage": "FOUND",
            "asin": ASIN,
            "productTitle": "Collagen Peptides, unflavored, 20 oz",
            "currentPage": 1,
            "sortStrategy": "recent",
            "countReviews": 812,
            "domainCode": "com",
            "filters": {"filterByStar": "five_star"},
            "productRating": "4.5 out of 5",
            "reviewId": f"R{dice.getrandbits(48):013X}",
            "title": " ".join(dice.choices(WORDS, k=5)),
            "text": " ".join(dice.choices(WORDS, k=dice.randint(10, 70))),
            "rating": f"{dice.choice((1, 2, 3, 4, 5, 5, 5))}.0 out of 5 stars",
            "date": f"Reviewed in the United States on July {dice.randint(1, 28)}, {dice.randint(2015, 2025)}",
            "userName": f"{dice.choice(WORDS)} {dice.choice(WORDS)}",
            "numberOfHelpful": dice.choice((0, 0, 0, 1, 12)),
            "variationId": ASIN,
            "verified": dice.random() < 0.9,
            "vine": False,
        }
        for _ in range(size)
    ]
    return json.dumps(items).encode()


def pages(items: int):
    return (json_page(number, min(PAGE, items - number * PAGE)) for number in range(-(-items // PAGE)))


def parsed(page: bytes) -> list[dict]:
    from competitors.jobs.amazon_review_scrape.parse import Review, parse_item
    from pipeline.words.foreign import read_json

    reviews = (parse_item(item, ASIN, "com") for item in read_json(page))
    return [review.row for review in reviews if isinstance(review, Review)]


def land_all(pages, run, at):
    from django.db import transaction

    from competitors.models import AmazonReview
    from pipeline.contract.landing import land
    from pipeline.contract.tally import Tally

    tally = Tally()
    for page in pages:
        rows, touch = parsed(page), {"last_seen_at": at, "last_run_id": run}
        with transaction.atomic():
            landed = land(
                AmazonReview,
                rows,
                key=KEY,
                touch=touch,
                first={"first_seen_at": at, "first_run_id": run},
                age="last_seen_at",
            )
        tally.add(landed.rows)
    return tally.counts


class Spent(NamedTuple):
    """Seconds by the clock, and of CPU: of this process and of its database session."""

    clock: float
    cpu: float


@contextmanager
def measured(spent: list[Spent]) -> Iterator[None]:
    from django.db import connection

    connection.ensure_connection()
    session = [connection.connection.info.backend_pid] if connection.vendor == "postgresql" else []

    def now():
        return time.perf_counter(), time.process_time() + cpu_seconds(session)

    began = now()
    yield
    spent.append(Spent(*(end - begin for begin, end in zip(began, now(), strict=True))))


def bulk_create_all(pages, run, at):
    """What bulk_create took. The rows of a page are made beside it, so that garbage collection need not scan those of all."""
    from competitors.models import AmazonReview

    kept = ["variation", "rating", "title", "body", "author", "review_date", "verified_purchase", "helpful_votes"]
    shared = {"first_seen_at": at, "last_seen_at": at, "last_run_id": run, "first_run_id": run}
    spent: list[Spent] = []
    for page in pages:
        batch = [AmazonReview(**row, **shared) for row in parsed(page)]
        with measured(spent):
            AmazonReview.objects.bulk_create(
                batch, update_conflicts=True, unique_fields=KEY, update_fields=[*kept, "last_seen_at", "last_run"]
            )
    return Spent(*map(sum, zip(*spent, strict=True)))


def compare(items, rounds, runs):
    """What each measurement took, a median of the rounds, and the counts of its last round."""
    from competitors.models import AmazonReview

    at, stock = datetime.now(UTC), list(pages(items))
    took: dict[str, list[Spent]] = {}
    counts: dict[str, dict[str, int]] = {}
    for _ in range(rounds):
        for name, run in zip(("bulk_create, new", "bulk_create, again"), runs, strict=True):
            took.setdefault(name, []).append(bulk_create_all(stock, run, at))
        AmazonReview.objects.all()._raw_delete("default")
        for name, run in zip(("landing, new", "landing, unchanged"), runs, strict=True):
            with measured(took.setdefault(name, [])):
                counts[name] = land_all(stock, run, at)
        AmazonReview.objects.all()._raw_delete("default")
    return {name: Spent(*map(median, zip(*values, strict=True))) for name, values in took.items()}, counts


def peak_memory_mb(items, run):
    """Peak memory of a process that does nothing else, imports included."""
    command = [sys.executable, "-m", "benchmarks.landing", "--items", str(items), "--only-land", str(run)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, check=True, capture_output=True, text=True)
    return float(done.stdout)


def only_land(items, run):
    import django

    django.setup()
    land_all(pages(items), run, datetime.now(UTC))
    # Not ru_maxrss: that includes the parent's memory at the fork.
    print(int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-memory", action="store_true")
    parser.add_argument("--only-land", type=int, metavar="RUN", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only_land:
        return only_land(options.items, options.only_land)
    with database():
        from django.db import connection

        from competitors.models import AmazonReview
        from pipeline import api
        from pipeline.models import Brand

        brand = Brand.objects.create(name="Bench", slug="bench")
        runs = [api.queue_one_time_job(brand.pk, "mark", {"name": name}).run.pk for name in ("first", "second")]
        took, counts = compare(options.items, options.rounds, runs)
        print(f"Landing on {connection.vendor}, {options.items:,} items, median of {options.rounds}")
        print(f"{'':22}{'s':>9}{'rows/s':>9}{'CPU, µs a row':>15}")
        for name, spent in took.items():
            figures = f"{spent.clock:9.2f}{options.items / spent.clock:9,.0f}{spent.cpu / options.items * 1e6:15.1f}"
            print(f"{name:22}{figures}  {counts.get(name, '')}")
        for theirs, ours in (("new", "new"), ("again", "unchanged")):
            clock, cpu = (a / b for a, b in zip(took[f"bulk_create, {theirs}"], took[f"landing, {ours}"], strict=True))
            print(f"{ours}, ours ÷ bulk_create: {clock:.2f} by the clock, {cpu:.2f} of CPU")
        if not options.no_memory:
            peaks = []
            for items in (10_000, 200_000):
                AmazonReview.objects.all()._raw_delete("default")
                peaks.append(peak_memory_mb(items, runs[0]))
            print(f"peak memory, 10,000 and 200,000 items: {peaks[0]:.1f} and {peaks[1]:.1f} MB, {peaks[1] - peaks[0]:+.1f}")
    return None


if __name__ == "__main__":
    main()
