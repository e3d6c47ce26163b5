"""Pictures of every page, made from the demo's data: `python -m tests.browser.screenshots FOLDER`.

The access matrix tells which pages there are: a page without a row there fails a test. Each is shown light and dark at 1280 px,
and light at 390 px. FOLDER is emptied first: no picture of a page that is gone stays.
"""

import contextlib
import io
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import django
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests import machine

ROOT = Path(__file__).resolve().parents[2]
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
LOOKS = [("light", WIDE, "light"), ("dark", WIDE, "dark"), ("390", NARROW, "light")]  # word in the file's name, size, theme
EXACT, OTHERS = 32, 96  # colors of a picture: the most frequent as they are, of the others such that come near them
PASSWORD = "of-the-demo"
DATASETS = {True: "amazon_reviews", False: "templates_scraped"}  # of a brand, of none


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ |= {
            "DEBUG": "1",
            "DATABASE_URL": f"sqlite:///{scratch}/db.sqlite3",
            "MEDIA_ROOT": f"{scratch}/media",
            "DJANGO_SETTINGS_MODULE": "controlplane.settings",
            "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
        }
        subprocess.run([sys.executable, "manage.py", "demo", "--once"], cwd=ROOT, check=True)
        django.setup()
        prepare()
        with served(Path(scratch)) as site, chromium() as browser:
            take(browser.new_page(base_url=site, reduced_motion="reduce"), folder)


def prepare() -> None:
    """A password, workers that are alive, and another name for this machine."""
    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from pipeline.engine.incidents.days import count_days
    from pipeline.models import Attempt, Worker

    user = get_user_model().objects.get()
    user.set_password(PASSWORD)
    user.save()
    at = timezone.now()
    Worker.objects.all().delete()
    for pid in (41, 42):
        alive = {"started_at": at - timedelta(hours=6), "last_seen_at": at + timedelta(hours=1)}
        Worker.objects.create(host="worker-1", pid=pid, **alive)
    Attempt.objects.update(worker_label="worker-1, pid 41")
    count_days(at)
    cancel_many(user)


def cancel_many(user: Any) -> None:
    """A weekly schedule for each subject of the demo, and a bulk action that canceled its next run."""
    from uuid import uuid4

    from django.utils import timezone

    from pipeline import api
    from pipeline.engine.queue.asked import bulk_actions
    from pipeline.models import Run

    for run in Run.objects.filter(status="completed", brand__isnull=False):
        api.ensure_recurring_job(run.brand_id, run.job_type, "0 6 * * 1", run.parameters, created_by=user)
    planned = dict(Run.objects.filter(status="pending").values_list("pk", "status"))
    asked = {"query": "status=pending", "words": "Status: Queued.", "runs": planned, "cost": None}
    api.start_bulk_action(api.Wanted(token=uuid4(), kind="cancel", at=timezone.now(), **asked), user)
    bulk_actions.advance()


@contextlib.contextmanager
def served(scratch: Path) -> Iterator[str]:
    """The site, until the block ends."""
    from competitors.management.commands.demo import free_port
    from tests.processes import until

    port = free_port(8000)
    command = [sys.executable, "manage.py", "web", "--listen", f"127.0.0.1:{port}"]
    with (scratch / "web.log").open("wb") as log, subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log) as web:
        try:
            until(lambda: answers(port), "the site", 60)
            yield f"http://127.0.0.1:{port}"
        finally:
            web.terminate()


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=machine.chromium(), args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def take(page: Page, folder: Path) -> None:
    """Sign in, and show every page that there is."""
    page.goto("/login/")
    picture(page, folder, "login")
    page.get_by_label("Username").fill("operator")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")
    for name, address in addresses():
        found = page.request.get(address, max_redirects=0)
        if found.status != 200 or "text/html" not in found.headers["content-type"] or "<html" not in found.text():
            continue  # a file, a part of a page, or nothing of that kind is in the demo
        page.goto(address)
        picture(page, folder, name)


def picture(page: Page, folder: Path, name: str) -> None:
    for word, size, scheme in LOOKS:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        save(page, folder / f"{name.replace('_', '-')}-{word}.png")


def addresses() -> Iterator[tuple[str, str]]:
    """Each page by the name of its address, of a row that the demo made."""
    from django.urls import reverse

    from tests.controlplane.doors import NEVER, PAGES
    from tests.controlplane.test_access import of_site

    given = of_site()
    for name, (who, _) in PAGES.items():
        values = {key: value_of(key, name, of_brand="brand" in given[name]) for key in given[name]}
        if who != NEVER and name != "login" and None not in values.values():
            yield name, reverse(name, kwargs=values) + query_of(name)


def query_of(name: str) -> str:
    """What the page needs besides its address."""
    queries = {"schedules": "brand=northpaw", "subject": f"subject={listing().pk}"}
    queries |= {"bulk_retry": "status=cancelled", "bulk_cancel": "status=pending", "bulk_run_now": "status=pending"}
    return f"?{queries[name]}" if name in queries else ""


def listing() -> Any:
    """The one that the demo scraped."""
    from competitors.models import CompetitorAmazonUrl

    return CompetitorAmazonUrl.objects.exclude(last_scraped_at=None).get()


def value_of(key: str, name: str, *, of_brand: bool) -> Any:
    """What stands for that parameter in the page's address; None if the demo has nothing of the kind."""
    from competitors.models import BrandAd, CompetitorAmazonUrl
    from pipeline.models import Brand, Run
    from tests.controlplane.doors import OF_ROWS
    from tests.controlplane.test_access import ROWS_OF_BRANDS

    known = {
        "brand": Brand.objects.get().slug,
        "competitor": listing().competitor_id,
        "url": listing().pk,
        "job_type": "amazon_review_scrape",
        "ad_id": BrandAd.objects.order_by("pk")[0].ad_id,
        "dataset": DATASETS[of_brand],
    }
    if key in known:
        return known[key]
    model = ROWS_OF_BRANDS.get(name.partition("_")[0], CompetitorAmazonUrl) if of_brand else OF_ROWS.get(name, Run)
    if model is CompetitorAmazonUrl:
        return listing().pk
    return model.objects.order_by("-pk").values_list("pk", flat=True).first()


def save(page: Page, path: Path) -> None:
    """What the window shows. With few colors a picture is a third as big."""
    shown = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    counted = sorted(shown.getcolors(shown.width * shown.height), reverse=True)
    exact: list[int] = [part for _, color in counted[:EXACT] for part in color]
    others = shown.quantize(OTHERS, method=Image.Quantize.FASTOCTREE).getpalette()
    palette = Image.new("P", (1, 1))
    palette.putpalette([*exact, *others])
    shown.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
