"""People who ask for files and do not read them: others' pages stay quick."""

import contextlib
import os
import socket
import subprocess
import sys
import time

import pytest
import requests
from django.test import Client
from django.utils import timezone

from competitors.models import AmazonReview
from pipeline.engine.workers.inline import work_off
from pipeline.models import Run
from tests.factories import make_competitor, make_listing, make_person
from tests.machine import free_port
from tests.processes import database_url, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]
UNREAD = 20
QUICK = 0.5  # seconds


def answers(address):
    with contextlib.suppress(OSError), socket.create_connection(address, timeout=1):
        return True
    return False


@pytest.fixture
def site(tmp_path):
    address = ("127.0.0.1", free_port())
    command = [sys.executable, "manage.py", "web", "--listen", f"127.0.0.1:{address[1]}"]
    environment = {**os.environ, "DATABASE_URL": database_url(), "DEBUG": "1"}
    with (tmp_path / "log").open("ab") as log:
        web = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        until(lambda: answers(address), "the site to listen", 60)
        yield address
    finally:
        web.terminate()
        web.wait(20)


def listing_with(count):
    """Of so many reviews of 7 KB. 1,000 are more than the kernel's buffers hold, 3,000 more than the web server takes unread."""
    listing = make_listing(make_competitor())
    at = timezone.now()
    shared = {"asin": listing.asin, "domain_code": listing.domain_code, "body": "long " * 1400, "first_seen_at": at}
    rows = (AmazonReview(review_id=f"R{number:09}", last_seen_at=at, **shared) for number in range(count))
    AmazonReview.objects.bulk_create(rows, batch_size=500)
    return listing


def session_of(name):
    client = Client()
    client.force_login(make_person(name, "viewer"))
    return client, client.cookies["sessionid"].value


def ask_and_read_nothing(address, path, session):
    connection = socket.create_connection(address, timeout=10)
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{address[1]}\r\nCookie: sessionid={session}\r\n\r\n"
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.sendall(head.encode())
    return connection


def begun(connection):
    """Whether the answer has begun. It is not taken away."""
    connection.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        return connection.recv(12, socket.MSG_PEEK) == b"HTTP/1.1 200"
    return False


@pytest.mark.parametrize("reviews", [1000, 3000], ids=["sent at once", "made by a run"])
def test_unread_downloads_do_not_slow_another_persons_page(site, reviews):
    path = listing_with(reviews).reviews_url().replace("/reviews/", "/reviews.csv")
    reader, session = session_of("reader")
    _, other = session_of("other")
    if reviews == 3000:
        assert "Make the file" in reader.get(path).content.decode()
        reader.post(path)
        work_off()
        path = f"/exports/{Run.objects.latest('pk').pk}/"
    took = []
    with contextlib.ExitStack() as unread:
        for number in range(UNREAD):
            one = unread.enter_context(ask_and_read_nothing(site, path, session))
            until(lambda one=one: begun(one), f"download {number} to begin")
        for _ in range(10):
            before = time.monotonic()
            page = requests.get(f"http://127.0.0.1:{site[1]}/exports/", cookies={"sessionid": other}, timeout=30)
            took.append(time.monotonic() - before)
            assert page.status_code == 200
    assert sorted(took)[len(took) // 2] < QUICK, took
