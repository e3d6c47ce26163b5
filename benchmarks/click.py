"""Times the Scrape button: from the POST to its answer, through waitress, signed in, at the Amazon tab's own address.

DATABASE_URL=… python -m benchmarks.click [--samples 200]
"""

import argparse
import contextlib
import socket
import time

import requests

from benchmarks.scratch import database, percentiles, process
from tests.machine import free_port


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=200)
    samples = parser.parse_args().samples
    with database() as folder:
        from django.contrib.auth import get_user_model
        from django.db import connection

        from competitors.models import Competitor, CompetitorAmazonUrl
        from pipeline.models import Brand, Run

        brand = Brand.objects.create(name="Bench", slug="bench")
        competitor = Competitor.objects.create(brand=brand, name="Bench")
        listings = [
            CompetitorAmazonUrl.objects.create(competitor=competitor, amazon_url="https://www.amazon.com", asin=f"B{number:09}")
            for number in range(samples)
        ]
        get_user_model().objects.create_superuser("bench", password="bench")
        port = free_port()
        site = f"http://127.0.0.1:{port}"
        with process("web", "--listen", f"127.0.0.1:{port}", settings="benchmarks.settings", log=folder / "web.log", DEBUG="1"):
            wait_for(port)
            session = requests.Session()
            session.get(f"{site}/login/", timeout=30)
            form = {"username": "bench", "password": "bench", "csrfmiddlewaretoken": session.cookies["csrftoken"]}
            session.post(f"{site}/login/", data=form, timeout=30).raise_for_status()
            took = []
            for listing in listings:
                address = f"{site}/competitors/bench/{competitor.pk}/amazon/{listing.pk}/scrape/"
                data = {"csrfmiddlewaretoken": session.cookies["csrftoken"], "include_keywords": "on"}
                began = time.perf_counter()
                answer = session.post(address, data=data, allow_redirects=False, timeout=30)
                took.append((time.perf_counter() - began) * 1000)
                if answer.status_code != 303:
                    raise SystemExit(f"HTTP {answer.status_code}: {answer.text[:300]}")
        if Run.objects.count() != samples:
            raise SystemExit(f"{Run.objects.count()} runs of {samples} clicks")
        print(f"The button's POST on {connection.vendor}, {samples} clicks on as many listings, ms (target: p95 ≤ 100)")
        print(f"{'p50':>9}{'p95':>9}{'max':>9}")
        print("".join(f"{value:9.1f}" for value in percentiles(took)))


def wait_for(port, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise SystemExit("The web server did not start.")


if __name__ == "__main__":
    main()
