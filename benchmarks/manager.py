"""Every page of the Pipeline Manager with few rows and with many: its queries, and its time on the server. Then open dashboards.

DATABASE_URL=… python -m benchmarks.manager [--samples 20] [--only WORD] [--seconds 30]

300 brands with 5,400 schedules of 5,100 subjects, 1,000,000 ended runs, 5,000 live ones. CPU is how long this process and its
database session worked for one request: about the page's time on a machine that does nothing else.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.pages import LIMIT_MS, queries, timed
from benchmarks.scratch import database

DASHBOARDS, IDLE_PACE = 50, 15  # so many poll once in so many seconds
OF_A_CORE = 0.1  # at most that they cost together
KEPT = ("overview", "Health")  # pages whose main part is not made anew while nothing changes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--only", default="", help="pages whose name contains this")
    parser.add_argument("--seconds", type=int, default=30, help="that dashboards are open for")
    options = parser.parse_args()
    with database():
        from django.contrib.auth import get_user_model
        from django.db import connection

        from benchmarks import operations

        get_user_model().objects.create_superuser("bench", password="bench")
        operations.fill(operations.FEW)
        few = {name: queries(signed_in(), url) for name, url in pages(options.only)}
        began = time.perf_counter()
        operations.fill(operations.MANY)
        print(f"Filled in {time.perf_counter() - began:.0f} s")
        print(f"Pipeline Manager on {connection.vendor}, ms (target: p95 ≤ {LIMIT_MS}, and as many queries as with few rows)")
        print(f"{'':30}{'queries':>9}{'CPU':>9}{'p50':>9}{'p95':>9}{'max':>9}")
        for name, url in pages(options.only):
            client = signed_in()
            many = queries(client, url)
            same = str(many) if few.get(name) == many else f"{few.get(name)}→{many} ✗"
            show(name, same, timed(client, url, options.samples))
            if name in KEPT:
                show(f"{name}, after a change", str(queries(client, url, touch)), timed(client, url, options.samples, touch))
        for what, between in (("nothing changes", lambda: None), ("a run changes before each poll", touch)):
            cost = open_dashboards(options.seconds, between)
            print(f"{DASHBOARDS} open dashboards, {what}: {cost:.1%} of a core{'' if cost <= OF_A_CORE else ' ✗'}")


def show(name: str, same: str, figures: tuple[float, float, float, float]) -> None:
    met = "" if figures[2] <= LIMIT_MS else " ✗"
    print(f"{name:30}{same:>9}{''.join(f'{one:9.1f}' for one in figures)}{met}", flush=True)


def signed_in() -> Any:
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.force_login(get_user_model().objects.get(username="bench"))
    return client


def pages(only: str) -> Iterator[tuple[str, str]]:
    """Name and address of each."""
    for name, url in every_page():
        if only in name:
            yield name, url


def every_page() -> Iterator[tuple[str, str]]:
    from django.urls import reverse

    from competitors.models import CompetitorAmazonUrl
    from pipeline.models import Brand, Incident, Run

    brand, listing = Brand.objects.get(slug="brand-0"), CompetitorAmazonUrl.objects.get(asin="B000000000")
    done = Run.objects.filter(status="completed", subject=listing.pk).order_by("-pk")[:2]
    at_work = Run.objects.filter(status="running").latest("pk")
    history = reverse("runs")
    yield "overview", reverse("overview")
    yield "Health", reverse("health")
    yield "Health, live part", reverse("health_live")
    yield "an incident", reverse("incident", args=[Incident.objects.filter(state="open").earliest("pk").pk])
    yield "Schedules", reverse("schedules")
    yield "Schedules, one brand", f"{reverse('schedules')}?brand={brand.slug}"
    yield "Active", reverse("active")
    yield "Active, live part", reverse("active_live")
    yield "History", history
    yield "History, failed", f"{history}?status=failed"
    yield "History, brand and type", f"{history}?brand={brand.slug}&job_type=competitor_scrape"
    yield "History, by a person", f"{history}?person=bench"
    yield "History, days", f"{history}?ended_from=2026-01-01&ended_to=2100-01-01"
    yield "History, words", f"{history}?words=chews"
    yield "History, words in errors", f"{history}?error=slow+down"
    yield "History, far back", f"{history}?before={Run.objects.earliest('pk').pk + 200}"
    yield "Freshness", reverse("freshness")
    yield "Freshness, needs attention", f"{reverse('freshness')}?show=attention"
    yield "Freshness, live part", reverse("freshness_live")
    yield "Freshness, one cell", reverse("freshness_cell", args=[brand.slug, "amazon_reviews"])
    yield "Notifications", reverse("notifications")
    yield "Audit log", reverse("audit")
    yield "run", reverse("run", args=[done[0].pk])
    yield "run at work", reverse("run", args=[at_work.pk])
    yield "run at work, live part", reverse("run_live", args=[at_work.pk])
    subject, key = [done[0].job_type, brand.slug], f"subject={listing.pk}"
    yield "subject", f"{reverse('subject', args=subject)}?{key}"
    yield "subject, live part", f"{reverse('subject_live', args=subject)}?{key}"
    yield from of_job_types(brand, listing)
    yield "two runs compared", f"{reverse('runs_compare')}?a={done[1].pk}&b={done[0].pk}"


def of_job_types(brand: Any, listing: Any) -> Iterator[tuple[str, str]]:
    """The pages with the subjects of one brand, or of one of its competitors, and the parts of them that poll."""
    from django.urls import reverse

    of_brand, of_competitor = [brand.slug], [listing.competitor.brand.slug, listing.competitor_id]
    for name, place in (
        ("amazon", of_competitor),
        ("ads", of_competitor),
        ("performance", of_brand),
        ("research", of_brand),
        ("reddit", of_brand),
    ):
        yield f"tab {name}", reverse(name, args=place)
        yield f"tab {name}, live part", reverse(f"{name}_live", args=place)


def open_dashboards(seconds: int, between: Callable[[], Any]) -> float:
    """Cores that the polls of Health take, at the pace of open dashboards, each with what its page was sent last."""
    import re

    from django.db import connection
    from django.urls import reverse

    from benchmarks.scratch import cpu_seconds

    clients = [signed_in() for _ in range(DASHBOARDS)]
    url, seen = reverse("health_live"), [""] * DASHBOARDS
    session = [connection.connection.info.backend_pid] if connection.vendor == "postgresql" else []

    def poll(place: int) -> float:
        began = time.process_time() + cpu_seconds(session)
        answer = clients[place].get(f"{url}?seen={seen[place]}&")
        if answer.status_code == 200 and (found := re.search(r"seen=(\w+)", answer.content.decode())):
            seen[place] = found[1]
        return time.process_time() + cpu_seconds(session) - began

    for place in range(DASHBOARDS):
        poll(place)
    spent, polls, end = 0.0, 0, time.monotonic() + seconds
    while (at := time.monotonic()) < end:
        between()
        spent += poll(polls % DASHBOARDS)
        polls += 1
        time.sleep(max(IDLE_PACE / DASHBOARDS - (time.monotonic() - at), 0))
    return spent / polls * DASHBOARDS / IDLE_PACE


def touch() -> None:
    from pipeline.models import Run

    Run.objects.filter(status="running").update(progress={"done": int(time.monotonic()), "total": 12, "unit": "pages"})


if __name__ == "__main__":
    main()
