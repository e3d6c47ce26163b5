"""Django's SQLite, with two changes: only the owner can read its file, and one writer waits for another in short pauses."""

import os
import sqlite3
import time
from contextlib import suppress
from typing import Any

from django.db.backends.sqlite3 import base

IN_MEMORY = (":memory:", "file:")
FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.0003, 0.01, 1.3  # seconds between two tries to write
USUAL_TIMEOUT = 5.0  # Python's


class DatabaseWrapper(base.DatabaseWrapper):
    transaction_mode: str | None  # the parent's, set as it connects

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        path = str(conn_params["database"])
        if not path.startswith(IN_MEMORY):
            with suppress(OSError):  # it exists; or cannot be made, which SQLite says better
                os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
        return super().get_new_connection(conn_params)

    def _start_transaction_under_autocommit(self) -> None:
        """By itself SQLite would look for the end of another transaction after 1, 2, 5, 10, … 100 ms. Most last less than one."""
        seconds = float(self.settings_dict["OPTIONS"].get("timeout", USUAL_TIMEOUT))
        end, pause = time.monotonic() + seconds, FIRST_PAUSE
        with self.wrap_database_errors:
            self.connection.execute("PRAGMA busy_timeout=0")
            try:
                while not self._begun(may_wait=time.monotonic() < end):
                    time.sleep(pause)
                    pause = min(pause * GROWTH, LONGEST_PAUSE)
            finally:
                self.connection.execute(f"PRAGMA busy_timeout={seconds * 1000:.0f}")

    def _begun(self, *, may_wait: bool) -> bool:
        """Whether the transaction has begun. False if another connection is writing and we may wait for it."""
        try:
            self.connection.execute(f"BEGIN {self.transaction_mode or ''}")
        except sqlite3.OperationalError as error:
            if may_wait and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:  # the rest says why
                return False
            raise
        return True
