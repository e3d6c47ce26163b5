"""One GET over a connection of its own: to the checked address, without cookies, proxies or redirects that nobody checked."""

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from urllib.parse import urljoin

from django.conf import settings
from urllib3 import HTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, ReadTimeoutError

from competitors.models import MediaReason

from .address import Place, find
from .failure import Failure, Passing

NETWORK = (OSError, HTTPError, http.client.HTTPException)
REDIRECTS, MOST_REDIRECTS = (301, 302, 303, 307, 308), 5
CONNECT_SECONDS = 10
HEADERS = {
    # CDNs refuse clients that do not look like browsers.
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Accept": "*/*",
    # Files are compressed already. One that comes compressed all the same is never unpacked: its bytes are of no known type.
    "Accept-Encoding": "identity",
}


@contextlib.contextmanager
def get(url: str, headers: Mapping[str, str], deadline: float) -> Iterator["Answer"]:
    """The answer, after redirects. It is cut off at the deadline, a time of time.monotonic()."""
    for _ in range(MOST_REDIRECTS + 1):
        place = find(url)
        connection = _connection(place)
        try:
            with _ask(connection, place, headers, deadline) as answer:
                if answer.status not in REDIRECTS or not answer.location:
                    yield answer
                    return
                url = urljoin(url, answer.location)
        finally:
            connection.close()
    raise Failure(MediaReason.SERVER_ERROR, f"The link leads to more than {MOST_REDIRECTS} other addresses in turn.")


class Answer:
    def __init__(self, response: HTTPResponse, late: threading.Event):
        self._response, self._late = response, late
        self.status, self.headers = response.status, response.headers
        self.location = response.headers.get("Location", "")
        self.length = response.length_remaining

    def pieces(self, size: int) -> Iterator[bytes]:
        """The content as it comes, without waiting for a full piece, so that a slow one is noticed."""
        while True:
            try:
                piece = self._response.read1(size, decode_content=False)
            except (TimeoutError, ReadTimeoutError) as error:
                raise Failure(MediaReason.SLOW, "The server stopped sending.") from error
            except NETWORK as error:
                self._in_time()
                raise Passing(MediaReason.SERVER_ERROR, f"The connection broke ({type(error).__name__}).") from error
            self._in_time()
            if not piece:
                return
            yield piece

    def _in_time(self) -> None:
        if self._late.is_set():
            raise too_late()


def too_late() -> Failure:
    return Failure(MediaReason.SLOW, f"The file was not complete within {settings.MEDIA_MAX_SECONDS:g} s.")


def _connection(place: Place) -> HTTPConnection:
    if place.scheme == "http":
        return HTTPConnection(place.ip, place.port, timeout=CONNECT_SECONDS)
    # The certificate has to be the name's, though the connection goes to the address.
    return HTTPSConnection(place.ip, place.port, timeout=CONNECT_SECONDS, server_hostname=place.host)


@contextlib.contextmanager
def _ask(connection: HTTPConnection, place: Place, headers: Mapping[str, str], deadline: float) -> Iterator[Answer]:
    patience = min(settings.MEDIA_LEAST_SPEED_SECONDS, deadline - time.monotonic())
    if patience <= 0:
        raise too_late()
    try:
        connection.connect()
        assert connection.sock is not None
        connection.timeout = patience
        with _cut_off(connection.sock, patience):
            wanted = {**HEADERS, **headers, "Host": place.name}
            connection.request("GET", place.target, headers=wanted, preload_content=False, decode_content=False)
            sock = connection.sock
            response = connection.getresponse()
    except NETWORK as error:
        raise Passing(MediaReason.SERVER_ERROR, f"{place.name} gave no answer ({type(error).__name__}).") from error
    with contextlib.closing(response), _cut_off(sock, deadline - time.monotonic()) as late:
        yield Answer(response, late)


@contextlib.contextmanager
def _cut_off(sock: socket.socket, seconds: float) -> Iterator[threading.Event]:
    """Ends the connection after this time. The socket's own time limit starts anew with each byte that comes."""
    late = threading.Event()

    def cut() -> None:
        late.set()
        with contextlib.suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)  # not SSLSocket's own, which forgets the encryption

    timer = threading.Timer(max(seconds, 0), cut)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
