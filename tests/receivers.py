"""Receivers over real SMTP and HTTP, on this machine, and channels that lead to them."""

import email
import email.policy
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from pipeline.models import NotificationChannel, NotificationRule


@dataclass
class Receiver:
    """A web server. `answers`: the status of the next requests, then 200."""

    port: int = 0
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self.port}"


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    there = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            there.got.append((dict(self.headers), body))
            self.send_response(there.answers.pop(0) if there.answers else 200)
            self.send_header("Content-Length", "0")
            self.send_header("Location", f"http://{there.name}/elsewhere")
            self.end_headers()

        def log_message(self, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    there.port = server.server_port
    settings.NOTIFY_PRIVATE_HOSTS = [there.name]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield there
    server.shutdown()
    server.server_close()
    thread.join()


class Inbox:
    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.refuses = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refuses:
            self.refuses -= 1
            return "451 Try again later"
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append((envelope.rcpt_tos, mail))
        return "250 OK"


@pytest.fixture
def inbox(settings: Any) -> Iterator[Inbox]:
    there = Inbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(there, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_URL = "smtp://127.0.0.1"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    yield there
    controller.stop()


def make_channel(kind: str = "webhook", address: str = "", **fields: Any) -> NotificationChannel:
    return NotificationChannel.objects.create(name=f"The {kind}", kind=kind, address=address, shown="…", **fields)


def make_rule(event: str, channel: NotificationChannel | None, **fields: Any) -> NotificationRule:
    return NotificationRule.objects.create(event=event, channel=channel, **fields)
