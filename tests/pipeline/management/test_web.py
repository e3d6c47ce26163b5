"""The web command, as a process, and what it asks of waitress."""

import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest
import requests
from django.core.management import call_command

from tests.machine import free_port
from tests.processes import until

IDLE = 150  # a browser keeps about six connections open; waitress takes 100 in all unless told otherwise
UNFINISHED = 200
QUICK = 0.5  # seconds, for another user's page; of five the third, as others may use the machine
HALF = b"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\nusername="


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_connections_kept_open_and_requests_never_finished_shut_nobody_out(tmp_path):
    port = free_port()
    environment = {**os.environ, "DEBUG": "1", "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"}
    web = subprocess.Popen([sys.executable, "manage.py", "web", "--listen", f"127.0.0.1:{port}"], env=environment)
    try:
        until(lambda: listens(port), "the site to listen")
        page = f"http://127.0.0.1:{port}/login/"
        assert requests.get(page, timeout=10).status_code == 200
        with ExitStack() as held:
            for number in range(IDLE + UNFINISHED):
                connection = held.enter_context(socket.create_connection(("127.0.0.1", port)))
                if number >= IDLE:
                    connection.sendall(HALF)
            took = []
            for _ in range(5):
                began = time.monotonic()
                assert requests.get(page, timeout=10).status_code == 200
                took.append(time.monotonic() - began)
            assert sorted(took)[2] < QUICK, took
    finally:
        web.terminate()
        web.wait(20)


@pytest.fixture
def asked(monkeypatch, settings):
    """What waitress is started with."""
    settings.SECRET_KEY = "kT4p-0s9Xw2_vLq8ZrB7mYc3NdE6uJfH1aGi5oQW"
    found = []
    monkeypatch.setenv("PIPELINE_DATABASE_POOL", "")  # the command sets it
    monkeypatch.setattr("os.execv", lambda _, arguments: found.extend(arguments))
    return found


def test_a_silent_connection_ends_and_a_body_has_a_limit(asked, settings):
    settings.MEDIA_MAX_VIDEO_BYTES = 7_000_000_000
    call_command("web")
    assert {"--channel-timeout=20", "--cleanup-interval=5", "--max-request-body-size=7001000000"} <= set(asked)


def test_more_connections_than_select_can_watch_are_open_at_once(asked):
    call_command("web")
    assert {"--connection-limit=1000", "--asyncore-use-poll"} <= set(asked)


def test_the_server_has_the_threads_that_are_asked_for_a_pool_and_no_name(asked):
    call_command("web", threads=5)
    assert {"--threads=5", "--ident="} <= set(asked)
    assert os.environ["PIPELINE_DATABASE_POOL"] == "1"


def test_only_a_named_proxy_is_believed(asked, settings):
    call_command("web")
    assert not [one for one in asked if one.startswith("--trusted")]
    assert "--clear-untrusted-proxy-headers" in asked
    settings.TRUSTED_PROXY = "10.0.0.7"
    call_command("web")
    assert {"--trusted-proxy=10.0.0.7", "--trusted-proxy-headers=x-forwarded-proto x-forwarded-for"} <= set(asked)
