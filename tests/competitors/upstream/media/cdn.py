"""A real HTTP server whose every answer a test writes, down to single bytes."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Page = Callable[[Any], None]


@dataclass
class Cdn:
    port: int = 0
    pages: dict[str, Page] = field(default_factory=dict)
    requests: list[dict[str, str]] = field(default_factory=list)  # headers, names in lower case, with "path"
    closed: threading.Event = field(default_factory=threading.Event)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def serve(self, page: Page, path: str = "/file") -> str:
        """Answer this path so. Returns the URL."""
        self.pages[path.partition("?")[0]] = page
        return f"http://{self.host}{path}"

    def ranges(self) -> list[str | None]:
        return [request.get("range") for request in self.requests]


@contextlib.contextmanager
def cdn(wrap: Callable[[Any], Any] | None = None) -> Iterator[Cdn]:
    """`wrap` makes the server's socket one with TLS."""
    one = Cdn()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            one.requests.append({name.lower(): value for name, value in self.headers.items()} | {"path": self.path})
            with contextlib.suppress(OSError):  # the client hung up
                one.pages[self.path.partition("?")[0]](self)

        def log_message(self, *args: Any) -> None: ...

    class Server(ThreadingHTTPServer):
        def handle_error(self, *args: Any) -> None: ...

    with Server(("127.0.0.1", 0), Handler) as server:
        one.port = server.server_port
        if wrap:
            server.socket = wrap(server.socket)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield one
        finally:
            one.closed.set()
            server.shutdown()
            thread.join()


def answer(status: int = 200, body: bytes = b"", **headers: Any) -> Page:
    """A whole answer; header names with _ for -. A Content_Length of "" leaves it out."""

    def page(handler: Any) -> None:
        handler.send_response_only(status)
        for name, value in {"Content_Length": len(body), **headers}.items():
            if value != "":
                handler.send_header(name.replace("_", "-"), str(value))
        handler.end_headers()
        handler.wfile.write(body)

    return page


def file(body: bytes, *, break_at: list[int] | None = None, ignores_range: bool = False, **headers: Any) -> Page:
    """The file, by Range too. Each number of `break_at` ends one answer after so many bytes of the file."""

    def page(handler: Any) -> None:
        asked = None if ignores_range else handler.headers.get("Range")
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        rest = body[start:]
        extra = {"Content_Range": f"bytes {start}-{len(body) - 1}/{len(body)}"} if asked else {}
        end = break_at.pop(0) if break_at else len(body)
        answer(206 if asked else 200, rest[: end - start], **{"Content_Length": len(rest), **extra, **headers})(handler)

    return page


def in_turn(*pages: Page) -> Page:
    """The first request gets the first, and so on; the last is repeated."""
    left = list(pages)
    return lambda handler: (left.pop(0) if len(left) > 1 else left[0])(handler)


def trickle(one: Cdn, before: bytes, byte: bytes, seconds: float) -> Page:
    """Sends `before`, then the byte for ever."""

    def page(handler: Any) -> None:
        handler.wfile.write(before)
        while not one.closed.wait(seconds):
            handler.wfile.write(byte)

    return page
