"""The HTTP server: loopback sockets, one thread per connection."""

import ipaddress
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from .account import Account
from .config import Config
from .dispatch import answer
from .endpoints.control import state_of
from .errors import CutConnection
from .faults import FaultBox
from .graph import GRAPH
from .http import Answer, Request
from .media.links import CDN


class Sandbox:
    """A running sandbox. ``url`` is its address; ``close()`` stops it; ``state`` is what ``GET /sandbox/state`` shows."""

    def __init__(self, server: "_Server", thread: threading.Thread):
        self._server = server
        self._thread = thread

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def cdn_url(self) -> str:
        """Below this address are pictures and videos."""
        return self.url + CDN

    @property
    def graph_url(self) -> str:
        """The Graph API's address, without a version."""
        return self.url + GRAPH

    @property
    def account(self) -> Account:
        """The state itself, for tests in the same process: ``account.faults.arm("drop_start", count=1)``."""
        return self._server.account

    @property
    def state(self) -> dict[str, Any]:
        return state_of(self.account)

    def wait(self) -> None:
        """Wait until somebody closes it."""
        self._thread.join()

    def close(self) -> None:
        self.account.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve(
    port: int = 0, host: str = "127.0.0.1", *, config: Config | None = None, faults: dict[str, Any] | None = None, **settings: Any
) -> Sandbox:
    """Start a sandbox in a thread. It is listening on return. Port 0 picks a free one; ``settings`` are Config's."""
    FaultBox().arm_all(faults or {})  # a mistake must be refused before a port is taken
    server = _Server((loopback(host), port), config or Config(**settings))
    server.account.faults.arm_all(faults or {})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, name="sandbox", daemon=True)
    thread.start()
    return Sandbox(server, thread)


def loopback(host: str) -> str:
    """The address to bind. Raises ValueError if other machines could reach it."""
    address = "127.0.0.1" if host == "localhost" else host
    try:
        if ipaddress.ip_address(address).is_loopback:
            return address
    except ValueError:
        pass
    raise ValueError(f"The sandbox listens on the loopback interface only (127.0.0.1, ::1 or localhost), not on {host}.")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a call in waitForFinish must not delay the shutdown
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], config: Config):
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)
        host, port = self.server_address[:2]
        self.url = f"http://[{host!s}]:{port}" if ":" in str(host) else f"http://{host!s}:{port}"
        self.account = Account(config, self.url)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore callers that hang up. Anything else is a bug in the sandbox and is printed."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "ApifySandbox", ""
    disable_nagle_algorithm = True  # headers and body go in two writes; delayed acknowledgements would cost 40 ms
    server: _Server

    def answer_any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        path, _, query = self.path.partition("?")
        request = Request(
            method=self.command,
            path=unquote(path).rstrip("/"),
            query_string=query,
            headers={name.lower(): value for name, value in self.headers.items()},
            raw_body=self.rfile.read(length),
            client_ip=self.client_address[0],
            base_url=self.server.url,
        )
        try:
            self._send(answer(self.server.account, request))
        except CutConnection:
            self._cut()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = answer_any

    def _send(self, found: Answer) -> None:
        self.send_response(found.status)
        self.send_header("Content-Type", found.content_type)
        length = found.stream.length if found.stream else len(found.body)
        if length is not None:
            self.send_header("Content-Length", str(length))
        else:
            self.close_connection = True
        for name, value in found.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            for chunk in found.stream.chunks if found.stream else [found.body]:
                self.wfile.write(chunk)

    def _cut(self) -> None:
        """Close the connection without an answer."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: /sandbox/state counts the requests, and a log of them would hide what matters."""
