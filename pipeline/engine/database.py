"""What the engine asks of the database itself: its clock, its locks, the wake-up of idle workers, and prepared queries."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
from django.db import connection
from django.utils import timezone

CHANNEL = "pipeline_runs"
CLAIM_LOCK, MONEY_LOCK = 7_301, 7_302  # advisory locks of this application
# Statistics of a moment when nothing was pending would have each claim sort all that is: the index has the order. (Where a
# sort is forbidden but needed, the plan looks so dear that compiling it seems worth 200 ms.)
PLANNER = ", set_config('enable_sort', 'off', true), set_config('jit', 'off', true)"


def now() -> datetime:
    """The database's clock: hosts whose own clocks differ agree on leases and due times."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0].astimezone(UTC)


def lock(number: int) -> datetime:
    """Serialise the rest of this transaction with every other that takes the same lock, and tell the time.

    SQLite's IMMEDIATE already has. A statement of its own: what follows must see what the last holder committed.
    """
    if connection.vendor != "postgresql":
        return timezone.now()
    planner = PLANNER if number == CLAIM_LOCK else ""
    query = f"SELECT pg_advisory_xact_lock(%s), clock_timestamp(){planner}"
    return rows(query, [number])[0][1].astimezone(UTC)


def wake_workers() -> datetime:
    """Tell idle workers to look, when this transaction commits; and the time. SQLite's see the file change by themselves."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, ''), clock_timestamp()", [CHANNEL])
        return cursor.fetchone()[1].astimezone(UTC)


def rows(query: str, values: Sequence[Any] = ()) -> list[Any]:
    """What the query finds. On PostgreSQL prepared by psycopg itself: planning these takes longer than running them."""
    if connection.vendor == "postgresql":
        connection.ensure_connection()
        with connection.wrap_database_errors:
            return psycopg.Cursor(connection.connection).execute(query, values, prepare=True).fetchall()
    with connection.cursor() as cursor:
        return cursor.execute(query, values).fetchall()


def by_index(index: str) -> str:
    """SQLite has to be told: left alone it reads all that is pending, and sorts."""
    return f"INDEXED BY {index}" if connection.vendor == "sqlite" else ""
