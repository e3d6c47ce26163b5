"""Copies a SQLite database with SQLite's own backup function, while others read and write."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import connection

from . import BackupFailed
from .private_file import written_whole

BEGINS = b"SQLite format 3\0"


def save(file: Path) -> None:
    """All pages in one step: what is written meanwhile is not in it."""
    connection.ensure_connection()
    with _explained():
        _copy(connection.connection, file)


def load(file: Path) -> None:
    """The database file of the settings appears whole or not at all. BackupFailed if the backup is damaged."""
    target = Path(connection.settings_dict["NAME"])
    connection.close()
    whole = written_whole(target, overwrite=True)  # the empty file that connecting has made
    read = f"{file.resolve().as_uri()}?mode=ro"
    with _explained(), closing(sqlite3.connect(read, uri=True)) as source, whole as temporary:
        _copy(source, temporary)


def _copy(source: sqlite3.Connection, file: Path) -> None:
    with closing(sqlite3.connect(file)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, without -wal and -shm beside it
        if (found := copy.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(found)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise BackupFailed(f"SQLite says: {error}.") from error
