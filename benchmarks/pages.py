"""Every list page with few rows and with many: its queries, and its time on the server.

DATABASE_URL=… python -m benchmarks.pages [--samples 40] [--rounds 3] [--only WORD]

500,000 reviews, 200,000 ads, 100,000 stored pictures, 50,000 runs.
The rounds take turns at all pages; of each page the table has the quietest round. CPU is how long this process and its database
session worked for one request: about the page's time on a machine that does nothing else.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from typing import Any

from benchmarks.scratch import database, percentiles

LIMIT_MS = 150  # at p95
DEEP = 10_000_000  # there is no such page: the last one is shown


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="pages whose name contains this")
    options = parser.parse_args()
    with database():
        from django.contrib.auth import get_user_model
        from django.db import connection
        from django.test import Client

        from benchmarks import contents

        client = Client(SERVER_NAME="localhost")
        client.force_login(get_user_model().objects.create_superuser("bench", password="bench"))
        few = {name: queries(client, url) for name, url in pages(contents.fill(contents.FEW), options.only)}
        import_module("controlplane.wsgi")  # garbage is collected as in the web process
        began = time.perf_counter()
        listed = list(pages(contents.fill(contents.MANY), options.only))
        print(f"Filled in {time.perf_counter() - began:.0f} s")
        many = {name: queries(client, url) for name, url in listed}
        rounds = [{name: timed(client, url, options.samples) for name, url in listed} for _ in range(options.rounds)]
        print(f"List pages on {connection.vendor}, ms (target: p95 ≤ {LIMIT_MS}, and as many queries as with few rows)")
        print(f"{'':42}{'queries':>9}{'CPU':>9}{'p50':>9}{'p95':>9}{'max':>9}")
        for name, _ in listed:
            cpu, p50, p95, longest = min((one[name] for one in rounds), key=lambda figures: figures[2])
            same = str(many[name]) if few.get(name) == many[name] else f"{few.get(name)}→{many[name]} ✗"
            print(f"{name:42}{same:>9}{cpu:9.1f}{p50:9.1f}{p95:9.1f}{longest:9.1f}{'' if p95 <= LIMIT_MS else ' ✗'}")


def pages(made: Any, only: str) -> Iterator[tuple[str, str]]:
    """Name and address of each."""
    for name, url in [*lists(made), *admin_lists()]:
        if only in name:
            yield name, url


def lists(made: Any) -> Iterator[tuple[str, str]]:
    from django.urls import reverse

    from competitors.jobs.amazon_review_scrape.views import review_filter
    from competitors.jobs.competitor_scrape.views import ad_filter
    from competitors.models import CompetitorAd

    first = made.competitors[0]
    place = [first.brand.slug, first.pk]
    yield "overview", reverse("overview")
    yield "health", reverse("health")
    yield "active", reverse("active")
    yield "runs", reverse("runs")
    yield "runs, filtered", f"{reverse('runs')}?status=failed&job_type=competitor_scrape&brand={first.brand.slug}"
    yield "runs, far back", f"{reverse('runs')}?before={made.runs // 20}"
    yield "run", reverse("run", args=[made.runs])
    yield "brands", reverse("competitors")
    yield "competitors", reverse("brand_competitors", args=place[:1])
    yield "Amazon tab", reverse("amazon", args=place)
    yield "Ads tab", reverse("ads", args=place)
    reviews = made.listings[0].reviews_url()
    yield "reviews", reviews
    for sort in review_filter.SORTS:
        yield f"reviews, by {sort}", f"{reviews}?sort={sort}"
        yield f"reviews, by {sort}, descending", f"{reviews}?sort=-{sort}"
        yield f"reviews, by {sort}, last page", f"{reviews}?sort={sort}&page={DEEP}"
    for stars in review_filter.STARS:
        yield f"reviews, stars {stars}", f"{reviews}?stars={stars}"
    for verified in review_filter.VERIFIED:
        yield f"reviews, verified {verified}", f"{reviews}?verified={verified}"
    yield "reviews, new in a run", f"{reviews}?run={made.runs}"
    yield from searches("reviews", reviews)
    ads = reverse("ad_list", args=place)
    yield "ads", ads
    for sort in ad_filter.SORTS:
        yield f"ads, by {sort}", f"{ads}?sort={sort}"
        yield f"ads, by {sort}, last page", f"{ads}?sort={sort}&page={DEEP}"
    for state in CompetitorAd.Status.values:
        yield f"ads, {state}", f"{ads}?state={state}"
    yield "ads, videos", f"{ads}?format=VIDEO"
    yield "ads, of a landing page", f"{ads}?landing={first.landing_pages.earliest('pk').pk}"
    yield "ads, seen since", f"{ads}?since=2026-01-01"
    for change in ad_filter.CHANGES:
        yield f"ads, {change}", f"{ads}?change={change}"
    yield from searches("ads", ads)
    yield from performance(made.accounts[0])


def performance(account: Any) -> Iterator[tuple[str, str]]:
    from django.urls import reverse

    from competitors.jobs.meta_sync.views.report import ad_filter

    today, page = account.last_synced_at, reverse("performance", args=[account.brand.slug])
    yield "ad performance, brands", reverse("performance_brands")
    yield "ad performance", page
    for sort in ad_filter.SORTS:
        yield f"ad performance, by {sort}, last page", f"{page}?sort={sort}&page={DEEP}"
    yield "ad performance, active, two words", f"{page}?ads=active&q=calm+7"
    for days in (30, 90, 365):
        since = today - timedelta(days=days - 1)
        yield f"ad performance, {days} days", f"{page}?since={since:%Y-%m-%d}&until={today:%Y-%m-%d}"
    yield "ad performance, one ad", reverse("performance_ad", args=[account.brand.slug, account.ads.earliest("pk").ad_id])


def searches(what: str, url: str) -> Iterator[tuple[str, str]]:
    yield f"{what}, a common word", f"{url}?q=dog"
    yield f"{what}, a rare word", f"{url}?q={'broke' if what == 'reviews' else 'chance'}"
    yield f"{what}, no such word", f"{url}?q=xylophone"
    yield f"{what}, three words", f"{url}?q=peanut+shipping+promised"


def admin_lists() -> Iterator[tuple[str, str]]:
    """The admin's list of every model, and a search where it can be searched."""
    from django.contrib import admin
    from django.urls import reverse

    for model, its in admin.site._registry.items():
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        name = f"admin, {model._meta.verbose_name_plural}"
        yield name, url
        if its.search_fields:
            yield f"{name}, a search", f"{url}?q=promised"


def timed(client: Any, url: str, samples: int, between: Callable[[], Any] = lambda: None) -> tuple[float, float, float, float]:
    """CPU time of one request, then p50, p95 and max, in ms. `between`: before each, and part of its CPU time."""
    from django.db import connection

    from benchmarks.scratch import cpu_seconds
    from controlplane.garbage import keep_what_is_loaded

    get(client, url)  # loads what is loaded once
    keep_what_is_loaded()  # as the web process does
    session = [connection.connection.info.backend_pid] if connection.vendor == "postgresql" else []
    took, spent = [], time.process_time() + cpu_seconds(session)
    for _ in range(samples):
        between()
        began = time.perf_counter()
        get(client, url)
        took.append((time.perf_counter() - began) * 1000)
    spent = time.process_time() + cpu_seconds(session) - spent
    return spent / samples * 1000, *percentiles(took)


def queries(client: Any, url: str, between: Callable[[], Any] = lambda: None) -> int:
    """How many one request takes. The second request: the first fills caches."""
    get(client, url)
    between()
    with counted() as found:
        get(client, url)
    return len(found)


@contextmanager
def counted() -> Iterator[list[str]]:
    from django.db import connection

    found: list[str] = []

    def note(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        found.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield found


def get(client: Any, url: str) -> None:
    answer = client.get(url)
    if answer.status_code != 200:
        raise SystemExit(f"{url}: HTTP {answer.status_code}")


if __name__ == "__main__":
    main()
