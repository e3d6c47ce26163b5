"""How an idle worker waits for a run. A wake-up is only a hint; the row is the truth."""

import logging
import select
import time
from datetime import datetime
from typing import Any

import psycopg
from django.db import Error as DatabaseError
from django.db import connection

from ...models import Run
from ...states import RunStatus
from ..database import CHANNEL, now

logger = logging.getLogger(__name__)
IDLE_SECONDS = 5.0  # an idle worker claims at least this often, whatever it hears
LAPSED_LEASE_SECONDS = 0.25  # between claims while a lapsed lease may not be taken over yet
SQLITE_POLL_SECONDS = 0.02  # 10 ms would double the idle cost and save 6 ms per pick-up


def next_event(after: datetime) -> datetime | None:
    """When the next row falls due or the next lease lapses, if nothing else happens."""
    times = [
        Run.objects.filter(status=RunStatus.PENDING, due_at__gt=after)
        .order_by("due_at")
        .values_list("due_at", flat=True)
        .first(),
        Run.objects.filter(status=RunStatus.WAITING, due_at__gt=after)
        .order_by("due_at")
        .values_list("due_at", flat=True)
        .first(),
        Run.objects.filter(status=RunStatus.RUNNING)
        .order_by("lease_expires_at")
        .values_list("lease_expires_at", flat=True)
        .first(),
    ]
    return min((time for time in times if time), default=None)


class Waiter:
    """How one idle worker waits: until a change is heard, the next row falls due, or IDLE_SECONDS. Never raises.

    `stop_fd` becomes readable when the worker is to stop. Belongs to one process and one thread.
    """

    def __init__(self, stop_fd: int):
        self.stop_fd = stop_fd
        self.listening: psycopg.Connection[Any] | None = None
        self.version = -1
        self.trouble = 0

    def wait(self) -> None:
        try:
            seconds = self._seconds()
            if connection.vendor == "postgresql":
                self._wait_for_notify(seconds)
            else:
                self._wait_for_change(seconds)
            self.trouble = 0
        except (DatabaseError, psycopg.Error, OSError) as error:
            self.recover(error)

    def recover(self, error: Exception) -> None:
        """The database is away: log it once, drop the broken connections, back off."""
        if not self.trouble:
            logger.warning("The database does not answer (%s). This worker waits and tries again.", str(error).strip())
        self.trouble = min(self.trouble + 1, 6)
        self.close()
        try:
            connection.close()
        except DatabaseError:
            connection.connection = None
        select.select([self.stop_fd], [], [], min(0.1 * 2**self.trouble, IDLE_SECONDS))

    def close(self) -> None:
        if self.listening is not None:
            self.listening.close()
            self.listening = None

    def _seconds(self) -> float:
        at = now()
        event = next_event(at)
        if event is None:
            return IDLE_SECONDS
        left = (event - at).total_seconds()  # negative: a lapsed lease that may not be taken over yet
        return min(IDLE_SECONDS, max(left, 0.01)) if left > -LAPSED_LEASE_SECONDS else LAPSED_LEASE_SECONDS

    def _wait_for_notify(self, seconds: float) -> None:
        if self.listening is None:
            params = {k: v for k, v in connection.get_connection_params().items() if k not in ("cursor_factory", "context")}
            self.listening = psycopg.connect(**params, autocommit=True)
            self.listening.execute(f"LISTEN {CHANNEL}")
            return  # claim once more: a NOTIFY may have come before LISTEN
        readable = select.select([self.listening.fileno(), self.stop_fd], [], [], seconds)[0]
        if self.listening.fileno() in readable:
            for _ in self.listening.notifies(timeout=0):
                pass

    def _wait_for_change(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            version = self._data_version()
            if version != self.version:
                self.version = version
                return
            if select.select([self.stop_fd], [], [], SQLITE_POLL_SECONDS)[0]:
                return

    def _data_version(self) -> int:
        connection.ensure_connection()
        with connection.wrap_database_errors:  # Django's cursor would cost ten times as much
            return int(connection.connection.execute("PRAGMA data_version").fetchone()[0])
