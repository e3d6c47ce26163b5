"""Runs a scrape while its disk is full, then frees the disk. A mount namespace makes that possible without privileges:

    unshare --map-root-user --mount python -m tests.faults.full_disk FOLDER

Prints one JSON object with the results.
"""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

folder = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(folder)], check=True)
os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3"}

import django  # noqa: E402  the settings are named above

django.setup()

from django.db import OperationalError, connection  # noqa: E402  Django must be set up first
from django.utils import timezone  # noqa: E402

from competitors.models import AmazonReview  # noqa: E402
from pipeline import api  # noqa: E402
from pipeline.models import Run, UpstreamRun  # noqa: E402
from tests.factories import make_brand, make_competitor, make_listing  # noqa: E402
from tests.processes import cluster, make_tables, until  # noqa: E402

filler = folder / "filler"


def fill() -> None:
    """Fill the disk to the last byte, so that SQLite's files cannot grow either."""
    with filler.open("ab", buffering=0) as file:
        for size in (65536, 512, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue


def main() -> None:
    make_tables(os.environ["DATABASE_URL"])
    listing = make_listing(make_competitor(make_brand("Acme")))
    parameters = {"competitor_amazon_url_id": str(listing.pk), "include_keywords": False, "include_helpful": False}
    run = api.queue_one_time_job(listing.competitor.brand_id, "amazon_review_scrape", parameters).run
    Run.objects.filter(pk=run.pk).update(due_at=timezone.now() + timedelta(hours=1))
    seen: dict[str, object] = {}
    log = Path(sys.argv[2])
    with cluster(log):
        Run.objects.filter(pk=run.pk).update(due_at=timezone.now() + timedelta(seconds=4))  # a full disk would refuse this update
        fill()
        assert not UpstreamRun.objects.exists(), "the disk has to be full before the run is due"
        try:
            api.queue_one_time_job(listing.competitor.brand_id, "toy")
        except OperationalError as error:
            seen["hit"] = str(error)
        command = [sys.executable, "manage.py", "run_job", "toy", "--brand", "acme"]
        clicked = subprocess.run(command, capture_output=True, text=True, check=False)
        seen["command"] = [clicked.returncode, clicked.stderr.strip().splitlines()[-1]]
        until(lambda: "disk is full" in log.read_text(), f"the workers to meet it; log: {log.read_text()}")
        until(lambda: Run.objects.get(pk=run.pk).due_at < timezone.now() - timedelta(seconds=2), "the run to be due for a while")
        seen["started_while_full"] = UpstreamRun.objects.count()
        filler.unlink()
        until(lambda: Run.objects.get(pk=run.pk).completed_at, "the scrape to end once there is room", 40)
    connection.close()
    run.refresh_from_db()
    seen |= {"status": run.status, "started": UpstreamRun.objects.count(), "reviews": AmazonReview.objects.count()}
    with connection.cursor() as cursor:
        seen["integrity"] = cursor.execute("PRAGMA integrity_check").fetchone()[0]
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
