"""A proxy to the database that silently drops what the server sends to listening connections: wake-ups are lost."""

import contextlib
import socket
import threading
from collections.abc import Iterator


class Proxy:
    """One per test. `swallowed` counts the bytes dropped since `lose` was set."""

    def __init__(self, host: str, port: int, listen: str):
        self.server = (host, port)
        self.lose, self.swallowed = False, 0
        self.listening = socket.create_server((listen, 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.listening.getsockname()[1])

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, server, listens = self.listening.accept()[0], socket.create_connection(self.server), threading.Event()
                for sender, receiver, up in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._carry, args=(sender, receiver, up, listens), daemon=True).start()

    def _carry(self, sender: socket.socket, receiver: socket.socket, up: bool, listens: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := sender.recv(65536):
                if up and b"LISTEN" in data:
                    listens.set()
                if not up and self.lose and listens.is_set():
                    self.swallowed += len(data)
                    continue
                receiver.sendall(data)
        for end in (sender, receiver):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)  # also wakes the thread of the other direction
            end.close()


@contextlib.contextmanager
def proxy_to(host: str, port: int, listen: str = "127.0.0.1") -> Iterator[Proxy]:
    proxy = Proxy(host, port, listen)
    try:
        yield proxy
    finally:
        proxy.listening.close()
