"""The web command, as a process."""

import os
import socket
import subprocess
import sys
from contextlib import ExitStack

import requests

from tests.processes import until

IDLE = 150  # a browser keeps about six connections open; waitress takes 100 in all unless told otherwise


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_connections_that_browsers_keep_open_shut_nobody_out(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "DEBUG": "1", "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"}
    web = subprocess.Popen([sys.executable, "manage.py", "web", "--listen", f"127.0.0.1:{port}"], env=environment)
    try:
        until(lambda: listens(port), "the site to listen")
        with ExitStack() as idle:
            for _ in range(IDLE):
                idle.enter_context(socket.create_connection(("127.0.0.1", port)))
            assert requests.get(f"http://127.0.0.1:{port}/login/", timeout=10).status_code == 200
    finally:
        web.terminate()
        web.wait(20)
