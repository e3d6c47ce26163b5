"""What one person's load costs another: the other's pages before and while it lasts, through the product's own web process.

DATABASE_URL=… python -m benchmarks.outages [--seconds 10] [--only WORD]

It prints the machine's load at the start: the times are those of the pages only on a machine that does nothing else. CPU is
that of the web process, in seconds of work per second.
"""

import argparse
import contextlib
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from benchmarks.click import wait_for
from benchmarks.scratch import ROOT, cpu_seconds, database, percentiles, process
from tests.machine import free_port

LIMIT_MS = 500  # each page of the other person
REVIEWS, THREADS = 200_000, 16
PAGES = ["/", "/pipeline/", "/pipeline/runs/", "/exports/", "/competitors/bench/"]  # the other person's
PAUSE = 0.1  # seconds between two of these
WATCHED = "watch"


@dataclass
class Site:
    host: str
    port: int
    pid: int
    sessions: dict[str, str]  # of each person
    paths: dict[str, str] = field(default_factory=dict)
    answers: Counter[Any] = field(default_factory=Counter)  # to what the load asks: how many of each status
    slowest: float = 0.0

    def ask(self, path: str, method: str = "GET", person: str = "busy", **options: Any) -> requests.Response:
        cookies = {"sessionid": self.sessions.get(person, ""), "csrftoken": "c" * 32}
        headers = {"X-CSRFToken": "c" * 32, "Referer": f"http://{self.host}/"}
        began = time.perf_counter()
        url = f"http://{self.host}{path}"
        answer = requests.request(method, url, cookies=cookies, headers=headers, allow_redirects=False, timeout=120, **options)
        self.slowest = max(self.slowest, time.perf_counter() - began)
        self.answers[answer.status_code] += 1
        return answer


def searches(words: str) -> Callable[[Site, float], None]:
    def load(site: Site, until: float) -> None:
        at_once(10, lambda _: repeated(until, lambda: site.ask(f"{site.paths['reviews']}?q={words}")))

    return load


def legacy_clicks(site: Site, until: float) -> None:
    site.ask(f"{site.paths['tab']}legacy/", "POST", data={"legacy": "on"})
    buttons = re.findall(r'action="([^"]+/scrape/)"', site.ask(site.paths["tab"]).text)[:30]
    at_once(len(buttons), lambda number: site.ask(buttons[number], "POST"))
    time.sleep(max(0.0, until - time.monotonic()))


def wrong_passwords(site: Site, until: float) -> None:
    def guess(number: int) -> None:
        repeated(until, lambda: site.ask("/login/", "POST", "", data={"username": f"somebody {number}", "password": "wrong"}))

    at_once(THREADS, guess)


def unread(name: str, count: int = 20, **headers: str) -> Callable[[Site, float], None]:
    """Asks for a file and reads nothing of it."""

    def load(site: Site, until: float) -> None:
        more = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
        request = (
            f"GET {site.paths[name]} HTTP/1.1\r\nHost: {site.host}\r\nCookie: sessionid={site.sessions['busy']}\r\n{more}\r\n"
        )
        _held(site, request, count, until)

    return load


def half_open(site: Site, until: float) -> None:
    _held(site, f"POST /login/ HTTP/1.1\r\nHost: {site.host}\r\nContent-Length: 100000\r\n\r\nusername=", 200, until)


def _held(site: Site, request: str, count: int, until: float) -> None:
    with contextlib.ExitStack() as held:
        for _ in range(count):
            one = held.enter_context(socket.create_connection(("127.0.0.1", site.port), timeout=10))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.sendall(request.encode())
        time.sleep(max(0.0, until - time.monotonic()))


OUTAGES: dict[str, Callable[[Site, float], None]] = {
    "200 half-open POSTs": half_open,
    "20 unread exports": unread("export"),
    "20 unread videos": unread("video", Range="bytes=0-"),
    "20 unread ZIP files": unread("zip"),
    "wrong passwords, 16 at once": wrong_passwords,
    "one letter, 10 at once": searches("a+a+a+a"),
    "two letters, 10 at once": searches("an"),
    "common words, 10 at once": searches("dog+week+bag"),
    "no such word, 10 at once": searches("zebra+dog"),
    "30 legacy clicks": legacy_clicks,
}


def main() -> None:
    if sys.argv[1:2] == [WATCHED]:
        return watch(*sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each lasts (default: 10)")
    parser.add_argument("--only", default="", help="outages whose name contains this")
    options = parser.parse_args()
    with database() as folder, served(folder) as site:
        print(f"The load of the machine is {os.getloadavg()[0]:.1f}. Another person's pages, ms (target: max ≤ {LIMIT_MS})")
        print(
            f"{'':30}{'pages':>7}{'p50':>7}{'p95':>7}{'max':>7}{'failed':>8}{'CPU':>6}   what the load was answered, its slowest"
        )
        show("nothing else", site, options.seconds, lambda _, until: time.sleep(max(0.0, until - time.monotonic())))
        for name, load in OUTAGES.items():
            if options.only in name:
                show(name, site, options.seconds, load)
    return None


def show(name: str, site: Site, seconds: float, load: Callable[[Site, float], None]) -> None:
    site.answers.clear()
    site.slowest = 0.0
    command = [sys.executable, "-m", "benchmarks.outages", WATCHED, site.host, site.sessions["other"]]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as watcher:
        assert watcher.stdout and watcher.stdin
        watcher.stdout.readline()  # it has begun
        began, worked = time.monotonic(), cpu_seconds([site.pid])
        load(site, began + seconds)
        used = (cpu_seconds([site.pid]) - worked) / (time.monotonic() - began)
        watcher.stdin.close()
        told = json.loads(watcher.stdout.read())
    p50, p95, longest = percentiles(told["ms"])
    answered = [f"{count} × {status}" for status, count in sorted(site.answers.items())]
    answered += [f"{site.slowest:.1f} s"] if answered else []
    verdict = "" if longest <= LIMIT_MS and not told["failed"] else " ✗"
    print(
        f"{name:30}{len(told['ms']):7}{p50:7.0f}{p95:7.0f}{longest:7.0f}{told['failed']:8}{used:6.2f}"
        f"   {', '.join(answered)}{verdict}",
        flush=True,
    )


def watch(host: str, cookie: str) -> None:
    """A process of its own, as the load's threads would delay it: asks for pages until its input ends, then tells their times."""
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    took: list[float] = []
    session, failed = requests.Session(), 0
    session.cookies["sessionid"] = cookie
    for path in PAGES:
        session.get(f"http://{host}{path}", timeout=60)
    print("begun", flush=True)
    while not ended.is_set() or not took:
        for path in PAGES:
            began = time.perf_counter()
            try:
                failed += session.get(f"http://{host}{path}", timeout=60).status_code != 200
            except requests.RequestException:
                failed += 1
            took.append((time.perf_counter() - began) * 1000)
            ended.wait(PAUSE)
    print(json.dumps({"ms": took, "failed": failed}))


def at_once(count: int, work: Callable[[int], Any]) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def repeated(until: float, ask: Callable[[], Any]) -> None:
    while time.monotonic() < until:
        ask()


@contextlib.contextmanager
def served(folder: Path) -> Iterator[Site]:
    port, upstream = free_port(), free_port()
    os.environ |= {"MEDIA_ROOT": str(folder / "media"), "APIFY_API_URL": f"http://127.0.0.1:{upstream}", "APIFY_TOKEN": "bench"}
    sessions, paths = fill()
    listen = ("--listen", f"127.0.0.1:{port}", "--threads", str(THREADS))
    sandbox = ("sandbox", "--port", str(upstream), "--run-seconds", "3")
    with (
        process(*sandbox, settings="controlplane.settings", log=folder / "sandbox.log", DEBUG="1"),
        process("web", *listen, settings="benchmarks.settings", log=folder / "web.log", DEBUG="1") as web,
    ):
        wait_for(upstream)
        wait_for(port)
        yield Site(f"127.0.0.1:{port}", port, web.pid, sessions, paths)


def fill() -> tuple[dict[str, str], dict[str, str]]:
    """Two people's sessions, and the paths of what the load asks for."""
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage
    from django.test import Client
    from django.urls import reverse
    from django.utils import timezone

    from benchmarks import contents, load
    from competitors.models import AdAccount, AdMedia, AmazonReview, BrandAd, Competitor, CompetitorAmazonUrl, Media
    from pipeline.contract.site import search_index
    from pipeline.models import Brand

    settings.MEDIA_ROOT = os.environ["MEDIA_ROOT"]
    brand = Brand.objects.create(name="Bench", slug="bench")
    competitor = Competitor.objects.create(brand=brand, name="Bench")
    asked = {"competitor": competitor, "amazon_url": "https://www.amazon.com"}
    listings = [CompetitorAmazonUrl.objects.create(asin=f"B{number:09}", **asked) for number in range(32)]
    contents.reviews(listings[0], REVIEWS, 0)
    at = timezone.now()
    long = AmazonReview(asin=listings[1].asin, domain_code="com", body="long " * 1400, first_seen_at=at, last_seen_at=at)
    load.insert(long, 1_000, review_id="'RLONG' || n")
    file = default_storage.save("bench.mp4", ContentFile(os.urandom(1_000_000) * 40))
    video = Media.objects.create(kind="video", mime="video/mp4", file=file, bytes=40_000_000, sha256="bench")
    account = AdAccount.objects.create(brand=brand, account_id="act_1")
    ad = BrandAd.objects.create(ad_account=account, ad_id="1", name="Bench", first_seen_at=at, last_seen_at=at)
    place = AdMedia.objects.create(brand_ad=ad, role="video", url="https://video.example/1.mp4", status="stored", media=video)
    for _ in range(200):  # each is a second's work, and does nothing when all is indexed
        search_index.index_queued()
    load.settle()
    sessions = {}
    for name in ("busy", "other"):
        client = Client()
        client.force_login(get_user_model().objects.create_superuser(name, password=secrets.token_hex(8)))
        sessions[name] = client.cookies["sessionid"].value
    return sessions, {
        "reviews": listings[0].reviews_url(),
        "export": listings[1].reviews_url().replace("/reviews/", "/reviews.csv"),
        "tab": reverse("amazon", args=[brand.slug, competitor.pk]),
        "video": reverse("media", args=[place.pk]),
        "zip": f"{reverse('research_zip', args=[brand.slug])}?all",
    }


if __name__ == "__main__":
    main()
