"""How an idle worker waits for a run. A wake-up is only a hint; the row is the truth."""

import logging
import math
import select
import time
from datetime import UTC, datetime
from typing import Any

import psycopg
from django.db import Error as DatabaseError
from django.db import connection
from inotify_simple import INotify, flags

from ...models import Run
from ...states import RunStatus
from ..database import CHANNEL, now, rows

logger = logging.getLogger(__name__)
IDLE_SECONDS = 5.0  # an idle worker claims at least this often, whatever it hears
LAPSED_LEASE_SECONDS = 0.25  # between claims while a lapsed lease may not be taken over yet
# SQLite, in seconds. Its log is written just before a commit can be seen, or long before, where it is synced to the disk first.
FIRST_LOOK, LONGEST_LOOK = 0.0005, 0.02  # between two looks whether what was heard can be seen
LOOK_FOR = 0.25
SLOW_DISK = 0.1  # after that, between two looks for what was heard and is still not to be seen
_TIMES = ", ".join(
    f"(SELECT {column} FROM {Run._meta.db_table} WHERE status = '{status}'{later} ORDER BY {column} LIMIT 1)"
    for column, status, later in (
        ("due_at", RunStatus.PENDING, " AND due_at > %s"),
        ("due_at", RunStatus.WAITING, " AND due_at > %s"),
        ("lease_expires_at", RunStatus.RUNNING, ""),
    )
)


def next_event(after: datetime) -> datetime | None:
    """When the next row falls due or the next lease lapses, if nothing else happens."""
    due_at = Run._meta.get_field("due_at")
    moment = due_at.get_db_prep_value(after, connection)
    (times,) = rows(f"SELECT {_TIMES}", [moment, moment])
    return min((time if time.tzinfo else time.replace(tzinfo=UTC) for time in times if time), default=None)


class Waiter:
    """How one idle worker waits: until a change is heard, the next row falls due, or IDLE_SECONDS. Never raises.

    `stop_fd` becomes readable when the worker is to stop. Belongs to one process and one thread.
    """

    def __init__(self, stop_fd: int):
        self.stop_fd = stop_fd
        self.listening: psycopg.Connection[Any] | None = None
        self.log: INotify | None = None
        self.deaf = False
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
        for heard in (self.listening, self.log):
            if heard is not None:
                heard.close()
        self.listening = self.log = None

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
        """SQLite notifies nobody, but the kernel tells of each write to its log. Where it does not, look again and again."""
        at = time.monotonic()
        end, look_until, pause = at + seconds, -math.inf, FIRST_LOOK
        heard = False
        while at < end:
            watched = self._watched()
            version, before = self._data_version(), self.version
            if version != before:
                self.version = version
                return
            listen: list[Any] = [watched, self.stop_fd] if watched else [self.stop_fd]
            looking = not watched or at < look_until
            most = pause if looking else SLOW_DISK if heard else end - at
            readable = select.select(listen, [], [], min(most, end - at))[0]
            if watched and watched in readable:
                watched.read(timeout=0)
                heard, look_until, pause = True, time.monotonic() + LOOK_FOR, FIRST_LOOK
            elif looking:
                pause = min(pause * 2, LONGEST_LOOK)
            elif not (readable or heard) and self._data_version() != before and not select.select(listen, [], [], 0)[0]:
                logger.warning("Changes of the database file are not heard here: this worker looks for them 50 times a second.")
                self.deaf = True
            if self.stop_fd in readable:
                return
            at = time.monotonic()

    def _watched(self) -> INotify | None:
        """What hears of each write to the log; None where that is not to be had."""
        if self.deaf:
            return None
        try:
            self.log = self.log or INotify()
            self.log.add_watch(f"{connection.settings_dict['NAME']}-wal", flags.MODIFY)  # again: it may be another file by now
        except OSError:
            return None
        return self.log

    def _data_version(self) -> int:
        connection.ensure_connection()
        with connection.wrap_database_errors:  # Django's cursor would cost ten times as much
            return int(connection.connection.execute("PRAGMA data_version").fetchone()[0])
