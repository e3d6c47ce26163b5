"""A way to the database that loses wake-ups: what the server says to a connection that listens never arrives, in silence."""

import contextlib
import socket
import threading
from collections.abc import Iterator


class Way:
    """One per test. `swallowed` counts the bytes that were lost since `lose` was set."""

    def __init__(self, host: str, port: int):
        self.server = (host, port)
        self.lose, self.swallowed = False, 0
        self.listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.listening.getsockname()[1])

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, server, listens = self.listening.accept()[0], socket.create_connection(self.server), threading.Event()
                for source, sink, up in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._carry, args=(source, sink, up, listens), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, up: bool, listens: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if up and b"LISTEN" in data:
                    listens.set()
                if not up and self.lose and listens.is_set():
                    self.swallowed += len(data)
                    continue
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)  # which also wakes the thread that carries the other way
            end.close()


@contextlib.contextmanager
def way_to(host: str, port: int) -> Iterator[Way]:
    way = Way(host, port)
    try:
        yield way
    finally:
        way.listening.close()
