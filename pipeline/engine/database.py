"""The engine's use of the database itself: its clock, its locks, the wake-up of idle workers, queries that are prepared or
composed once, and a stamp that changes with every table.
"""

import json
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache, lru_cache
from itertools import count
from typing import Any
from uuid import UUID

import psycopg
from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections
from django.db.models import BooleanField, Expression, Field, Func, QuerySet
from django.utils import timezone

logger = logging.getLogger(__name__)
Statement = tuple[str, Sequence[Any]]  # with its values
CHANNEL = "pipeline_runs"
CLAIM_LOCK, MONEY_LOCK, CHANGES_LOCK, LIMITS_LOCK = 7_301, 7_302, 7_303, 7_304  # advisory locks of this application
# Sorts off: with statistics from when nothing was pending, PostgreSQL would sort all pending runs instead of using the
# index.
CLAIM_PLAN_SETTINGS = "".join(f", set_config('{name}', 'off', true)" for name in ("enable_sort", "enable_incremental_sort"))
# Planned once for all values: planning it takes many times as long as running it. No table is read from its first row on, though
# it was empty when that was planned.
QUICK_CLAIM_SETTINGS = ", set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true)"
CHANGES = "pipeline_changes"  # a sequence with PostgreSQL, a table with SQLite, and the triggers that count there
# Workers write here every few seconds. What pages tell of it depends on the clock too.
UPDATED_BY_THE_CLOCK = {f"pipeline_{name}" for name in ("worker", "sourcestate", "schedulerule", "retention", "notificationrule")}
_HINT = re.compile(r"\bINDEXED BY \w+")
_OTHER_INDEXES = re.compile("no such index|no query solution")  # SQLite's words


def now() -> datetime:
    """The database's clock, so that hosts whose clocks differ agree on leases and due times."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0].astimezone(UTC)


def lock(number: int) -> datetime:
    """Take the lock until the end of this transaction; returns the time. SQLite's IMMEDIATE transaction is already a lock.

    It is a statement of its own, so that the next one sees what the lock's last owner committed.
    """
    if connection.vendor != "postgresql":
        return timezone.now()
    planner = CLAIM_PLAN_SETTINGS if number == CLAIM_LOCK else ""
    query = f"SELECT pg_advisory_xact_lock(%s), clock_timestamp(){planner}"
    return rows(query, [number])[0][1].astimezone(UTC)


def begin_claim(*, locked: bool) -> Statement:
    """What the quick claim is sent together with, on PostgreSQL: takes the claim's lock, or says that limits are looked for."""
    lock, number = ("pg_advisory_xact_lock", CLAIM_LOCK) if locked else ("pg_advisory_xact_lock_shared", LIMITS_LOCK)
    return f"SELECT {lock}(%s){CLAIM_PLAN_SETTINGS}{QUICK_CLAIM_SETTINGS}", [number]


def wait_for_claims() -> None:
    """In a transaction that saves a limit: whoever looked and found none has committed by then."""
    if connection.vendor == "postgresql":
        lock(LIMITS_LOCK)


@contextmanager
def durable() -> Iterator[None]:
    """What commits inside survives a power cut. For commits that must come before something that cannot be taken back.

    SQLite otherwise syncs its log only now and then (`synchronous=NORMAL`), since a sync slows each commit. PostgreSQL syncs
    every commit. It must surround the transaction: SQLite refuses the change inside one.
    """
    if connection.vendor != "sqlite":
        yield
        return
    ((usual,),) = rows("PRAGMA synchronous")
    rows("PRAGMA synchronous=FULL")
    try:
        yield
    finally:
        if connection.connection is not None:  # a new connection begins with the usual level
            rows(f"PRAGMA synchronous={usual}")


def wake_workers() -> datetime:
    """Wake idle workers when this transaction commits; returns the time. On SQLite they notice that the file changed."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, ''), clock_timestamp()", [CHANNEL])
        return cursor.fetchone()[1].astimezone(UTC)


def rows(query: str, values: Sequence[Any] = ()) -> list[Any]:
    """The query's rows. On PostgreSQL psycopg prepares it, since planning these queries takes longer than running them."""
    if connection.vendor == "postgresql":
        connection.ensure_connection()
        with connection.wrap_database_errors:
            try:
                return _prepared(connection.connection, query, values).fetchall()
            except psycopg.errors.FeatureNotSupported:  # a migration changed a column after it was prepared
                if connection.in_atomic_block:  # rolled back, the driver forgets what is prepared
                    raise
                connection.connection.execute("DEALLOCATE ALL")
                return _prepared(connection.connection, query, values).fetchall()
    try:
        return _sqlite_rows(query, values)
    except OperationalError as error:
        if not _OTHER_INDEXES.search(str(error)):
            raise
        _say_once(f"This process is older than the database ({error}): it goes on, but finds runs slowly. Restart it.")
        return _sqlite_rows(_HINT.sub("", query), values)


def _sqlite_rows(query: str, values: Sequence[Any]) -> list[Any]:
    here = connections[DEFAULT_DB_ALIAS]
    if here.execute_wrappers or here.queries_logged:  # the time limit of a page; somebody who counts queries
        with here.cursor() as cursor:
            return cursor.execute(query, values).fetchall()
    here.ensure_connection()
    with here.wrap_database_errors:  # Django's cursor costs a worker more than most of these queries
        found: list[Any] = here.connection.execute(_marked(query, "?"), values).fetchall()
    return found


def together(*transactions: Sequence[Statement]) -> list[list[Any]]:
    """The rows of each statement, on PostgreSQL: sent in one go, each group as one transaction, where none is open."""
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline() as pipeline:
        sent = []
        for statements in transactions:
            sent += [_prepared(connection.connection, *one) for one in statements]
            pipeline.sync()  # commits: a worker that is suspended while it reads the answers keeps no lock
        return [cursor.fetchall() for cursor in sent]


def _prepared(of: Any, query: str, values: Sequence[Any]) -> Any:
    return psycopg.RawCursor(of).execute(_marked(query, "${}"), values, prepare=True)


@lru_cache(maxsize=200)
def _marked(query: str, mark: str) -> str:
    """With the driver's own mark instead of each %s; {} in it is its number. Otherwise each query would be searched each time."""
    numbers = count(1)
    return re.sub("%[s%]", lambda found: mark.format(next(numbers)) if found[0] == "%s" else "%", query)


@cache
def _say_once(words: str) -> None:
    logger.warning(words)


def by_index(index: str) -> str:
    """SQLite needs this hint: without it, it reads and sorts all pending runs. rows() does without it during a deploy, when
    newer code's migration has dropped the index or narrowed its condition.
    """
    return f"INDEXED BY {index}" if connection.vendor == "sqlite" else ""


class Given(Expression):
    """Stands for a value in a query that is composed once, and asked with another value each time."""

    def __init__(self, name: str, output_field: "Field[Any, Any]"):
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]


class Among(Func):
    """Whether a column has one of these values, given as one parameter: Django's `in` spends milliseconds on hundreds.

    A `Given` list is one that its `Composed` knows.
    """

    output_field = BooleanField()

    def __init__(self, column: str, values: "Given | list[Any]"):
        super().__init__(column)
        self.values = values

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> Any:  # type: ignore[override]
        sql, params = compiler.compile(self.get_source_expressions()[0])
        if isinstance(self.values, Given):
            return f"{sql} IN (SELECT value FROM given_{self.values.name})", params
        test = "IN (SELECT value FROM json_each(%s))" if connection.vendor == "sqlite" else "= ANY(%s)"
        return f"{sql} {test}", [*params, _parameter(self.values)]


class Composed:
    """A query whose SQL is written once, since that often takes Django longer than it takes the database to answer.

    `lists`: given values that it looks for a column `Among`. Each is sent once, in however many places it stands.
    `prepared`: as in rows(), for a query whose best plan does not depend on the values.
    """

    def __init__(self, queryset: QuerySet[Any], *lists: Given, prepared: bool = False):
        self._prepared = prepared
        compiler = queryset.query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        ahead = ", ".join(f"given_{one.name}(value) AS ({_values_of(one)})" for one in lists)
        self._sql, self._params = f"WITH {ahead} {sql}" if lists else sql, [*lists, *params]
        self._converters = compiler.get_converters([column[0] for column in compiler.select]).items()

    def rows(self, **given: Any) -> list[tuple[Any, ...]]:
        values = [_parameter(given[one.name]) if isinstance(one, Given) else one for one in self._params]
        if self._prepared:
            found = rows(self._sql, values)
        else:
            with connection.cursor() as cursor:
                found = cursor.execute(self._sql, values).fetchall()
        for place, (converters, expression) in self._converters:
            for number, row in enumerate(found):
                changed = list(row)
                for convert in converters:
                    changed[place] = convert(changed[place], expression, connection)
                found[number] = tuple(changed)
        return found


def _values_of(one: Given) -> str:
    if connection.vendor == "sqlite":
        return "SELECT value FROM json_each(%s)"
    return f"SELECT unnest(%s::{one.output_field.db_type(connection)}[])"


def _parameter(value: Any) -> Any:
    """As the driver takes it. An array of ids is written here: psycopg would look at each of them."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, UUID) and connection.vendor == "sqlite":
        return value.hex
    if isinstance(value, list) and connection.vendor == "sqlite":
        return json.dumps([one.hex if isinstance(one, UUID) else one for one in value])
    if isinstance(value, list) and all(isinstance(one, UUID) for one in value):
        return f"{{{','.join(map(str, value))}}}"
    return value


def change_stamp() -> str:
    """Equal while nothing changes in a table of ours. '' while a transaction with a change is open: nobody sees it yet."""
    if connection.vendor != "postgresql":
        return str(rows(f"SELECT n FROM {CHANGES}")[0][0])
    # The triggers share this lock until their transaction ends. It is given back at once.
    free = f"CASE WHEN pg_try_advisory_lock({CHANGES_LOCK}) THEN pg_advisory_unlock({CHANGES_LOCK}) ELSE false END"
    settled, last, called = rows(f"SELECT {free}, last_value, is_called FROM {CHANGES}")[0]
    return f"{last}{called}" if settled else ""


def count_changes(using: str, **_: Any) -> None:
    """After each migration: give the tables of our apps the triggers that they lack."""
    there = connections[using]
    known = set(there.introspection.table_names())
    ours = [config for config in apps.get_app_configs() if not config.name.startswith("django.")]
    tables = {model._meta.db_table for config in ours for model in config.get_models(include_auto_created=True)} & known
    with there.cursor() as cursor:
        if there.vendor == "postgresql":
            _count_with_sequence(cursor, tables)
        else:
            _count_with_table(cursor, tables)


def _count_with_sequence(cursor: Any, tables: set[str]) -> None:
    """Per statement. The lock comes first: who reads the number and finds the lock free knows that all of it is committed."""
    cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = %s", [CHANGES])
    if missing := tables - {name for (name,) in cursor.fetchall()}:
        cursor.execute(f"CREATE SEQUENCE IF NOT EXISTS {CHANGES}")
        cursor.execute(
            f"CREATE OR REPLACE FUNCTION {CHANGES}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" PERFORM pg_advisory_xact_lock_shared({CHANGES_LOCK}); PERFORM nextval('{CHANGES}'); RETURN NULL; END $$"
        )
        for table in sorted(missing):
            what = "INSERT OR DELETE OR TRUNCATE" if table in UPDATED_BY_THE_CLOCK else "INSERT OR UPDATE OR DELETE OR TRUNCATE"
            cursor.execute(f"CREATE TRIGGER {CHANGES} AFTER {what} ON {table} EXECUTE FUNCTION {CHANGES}()")


def _count_with_table(cursor: Any, tables: set[str]) -> None:
    """Per row: SQLite knows no other triggers. The number is part of the transaction."""
    cursor.execute("SELECT tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s", [f"{CHANGES}%"])
    if missing := tables - {name for (name,) in cursor.fetchall()}:
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {CHANGES} (n integer NOT NULL)")
        cursor.execute(f"INSERT INTO {CHANGES} SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM {CHANGES})")
        for table in sorted(missing):
            for what in ("INSERT", "DELETE") if table in UPDATED_BY_THE_CLOCK else ("INSERT", "UPDATE", "DELETE"):
                name = f"{CHANGES}_{what}_{table}"
                cursor.execute(f"CREATE TRIGGER {name} AFTER {what} ON {table} BEGIN UPDATE {CHANGES} SET n = n + 1; END")
