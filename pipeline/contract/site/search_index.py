"""An index over the columns of folded text, by three letters in a row: it finds the few rows of many that may have some words.

Rows are queued by triggers and indexed afterwards, by the workers, a little at a time. Indexing as they are saved would make
saving twice as slow. What is still queued counts as found, so a search misses nothing. The caller checks every row's text anyway.

PostgreSQL: a copy of the texts with a GIN index of pg_trgm. SQLite: an FTS5 table. Where that cannot be made, there is no index:
searches read every row.
"""

import logging
import time
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from django.apps import apps
from django.db import DatabaseError, connection, connections, models, transaction

from ...models.fields import FoldedTextField

logger = logging.getLogger(__name__)
LETTERS = 3
MOST = 5_000  # rows that are worth finding: for more, reading the texts is as quick
BATCH, SECONDS = 1_000, 1.0  # rows of a transaction, and work of a turn
LOCK = 7_311  # PostgreSQL's advisory lock: of two who index a row at once, the later could write the older text
_OLD_TRIGGER = "INSERT OR IGNORE"  # of SQLite: such a one is made anew
_LIKE = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


def indexed_models() -> list[type[models.Model]]:
    """Those with folded text."""
    return [model for model in apps.get_models() if _columns(model)]


def may_have(model: type[models.Model], words: Iterable[str]) -> list[Any] | None:
    """Keys of all rows that may have all of these folded words, and of others. None if that is more than MOST, or not known."""
    long = [word for word in words if len(word) >= LETTERS]
    table = model._meta.db_table
    if not long or not _is_there(connection.vendor, connection.alias, table):
        return None
    with connection.cursor() as cursor:
        # The queue first: a row that is indexed meanwhile is found twice instead of never.
        cursor.execute(f"SELECT id FROM {table}_queue LIMIT {MOST + 1}")
        queued = [key for (key,) in cursor.fetchall()]
        if len(queued) > MOST:
            return None
        if connection.vendor == "postgresql":
            alike = " AND ".join(["text LIKE %s"] * len(long))
            cursor.execute(
                f"SELECT id FROM {table}_words WHERE {alike} LIMIT {MOST + 1}", [f"%{word.translate(_LIKE)}%" for word in long]
            )
        else:
            parts = dict.fromkeys(word[at : at + LETTERS] for word in long for at in range(len(word) - LETTERS + 1))
            wanted = " AND ".join('"{}"'.format(part.replace('"', '""')) for part in parts)
            cursor.execute(f"SELECT rowid FROM {table}_words WHERE {table}_words MATCH %s LIMIT {MOST + 1}", [wanted])
        found = [key for (key,) in cursor.fetchall()]
    return None if len(found) > MOST else list({*queued, *found})


def index_queued() -> None:
    """A turn of the workers: index what is queued, for a second at most."""
    until = time.monotonic() + SECONDS
    for model in indexed_models():
        if _is_there(connection.vendor, connection.alias, model._meta.db_table):
            while time.monotonic() < until and _index_some(model):
                pass


def _index_some(model: type[models.Model]) -> bool:
    """Whether there may be more."""
    table = model._meta.db_table
    text = " || ' ' || ".join(_columns(model))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {table}_queue LIMIT 1")
        if not cursor.fetchall():  # nearly always: no transaction for it
            return False
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
            if not cursor.fetchone()[0]:
                return False
            some = f"SELECT ctid FROM {table}_queue LIMIT {BATCH}"
            cursor.execute(f"DELETE FROM {table}_queue WHERE ctid = ANY(ARRAY({some})) RETURNING id")
            keys = [key for (key,) in cursor.fetchall()]
            cursor.execute(
                f"INSERT INTO {table}_words (id, text) SELECT id, {text} FROM {table} WHERE id = ANY(%s)"
                " ON CONFLICT (id) DO UPDATE SET text = excluded.text",
                [keys],
            )
            return len(keys) == BATCH
        some = f"SELECT id FROM {table}_queue ORDER BY id LIMIT {BATCH}"
        cursor.execute(f"INSERT INTO {table}_words (rowid, text) SELECT id, {text} FROM {table} WHERE id IN ({some})")
        cursor.execute(f"DELETE FROM {table}_queue WHERE id IN ({some})")
        return True


def make_indexes(using: str, **_: Any) -> None:
    """After each migration: make what is missing. SQLite loses triggers when a table is altered."""
    there = connections[using]
    postgresql = there.vendor == "postgresql"
    with there.cursor() as cursor:
        ours = f"SELECT name FROM sqlite_master WHERE type = 'trigger' AND sql NOT LIKE '%{_OLD_TRIGGER}%'"
        cursor.execute("SELECT tgname FROM pg_trigger" if postgresql else ours)
        triggers = {name for (name,) in cursor.fetchall()}
    whole = ("new", "changed", "gone") if postgresql else ("new", "changed")
    lacking = [one for one in indexed_models() if not {f"{one._meta.db_table}_queue_{name}" for name in whole} <= triggers]
    known = set(there.introspection.table_names()) if lacking else set()
    for model in lacking:
        if model._meta.db_table not in known:
            continue
        try:
            with transaction.atomic(using=using), there.cursor() as cursor:
                _make(cursor, there.vendor, model._meta.db_table, _columns(model), known)
        except DatabaseError as error:
            logger.warning(
                "There is no search index for %s, so its searches are slow: %s", model._meta.db_table, str(error).strip()
            )
            return
    _is_there.cache_clear()


def _make(cursor: Any, vendor: str, table: str, columns: Sequence[str], known: set[str]) -> None:
    postgresql = vendor == "postgresql"
    if new := f"{table}_queue" not in known:
        if postgresql:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            cursor.execute(f"CREATE TABLE {table}_words (id bigint PRIMARY KEY, text text NOT NULL)")
            cursor.execute(f"CREATE INDEX {table}_words_gin ON {table}_words USING gin (text gin_trgm_ops)")
        else:
            options = "content='', columnsize=0, detail=none, tokenize='trigram case_sensitive 1'"
            cursor.execute(f"CREATE VIRTUAL TABLE {table}_words USING fts5(text, {options})")
        cursor.execute(f"CREATE TABLE {table}_queue (id {'bigint' if postgresql else 'integer PRIMARY KEY'})")
    (_trigger_statements if postgresql else _trigger_rows)(cursor, table, columns)
    if new:
        cursor.execute(f"INSERT INTO {table}_queue SELECT id FROM {table}")


def _trigger_statements(cursor: Any, table: str, columns: Sequence[str]) -> None:
    cursor.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass", [table])
    there = {name for (name,) in cursor.fetchall()}
    does = {
        "new": f"INSERT INTO {table}_queue SELECT id FROM written",
        "changed": f"INSERT INTO {table}_queue VALUES (NEW.id)",
        "gone": f"DELETE FROM {table}_words USING written WHERE {table}_words.id = written.id",
    }
    missing = [name for name in does if f"{table}_queue_{name}" not in there]
    for name, statement in does.items() if missing else ():
        cursor.execute(
            f"CREATE OR REPLACE FUNCTION {table}_queue_{name}() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN {statement}; RETURN NULL; END $$"
        )
    differs = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in columns)
    written = "REFERENCING {} TABLE AS written FOR EACH STATEMENT"
    when = {
        "new": f"INSERT ON {table} {written.format('NEW')}",
        "changed": f"UPDATE OF {', '.join(columns)} ON {table} FOR EACH ROW WHEN ({differs})",
        "gone": f"DELETE ON {table} {written.format('OLD')}",
    }
    for name in missing:
        cursor.execute(f"CREATE TRIGGER {table}_queue_{name} AFTER {when[name]} EXECUTE FUNCTION {table}_queue_{name}()")


def _trigger_rows(cursor: Any, table: str, columns: Sequence[str]) -> None:
    """A deleted row stays in the index, where only three letters at a time are kept: its key is never used again."""
    differs = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in columns)
    for name, event in {
        "new": f"INSERT ON {table}",
        "changed": f"UPDATE OF {', '.join(columns)} ON {table} WHEN {differs}",
    }.items():
        cursor.execute(f"DROP TRIGGER IF EXISTS {table}_queue_{name}")
        # No OR IGNORE: inside an upsert, SQLite does as the upsert says.
        missing = f"NOT EXISTS (SELECT 1 FROM {table}_queue WHERE id = NEW.id)"
        cursor.execute(
            f"CREATE TRIGGER {table}_queue_{name} AFTER {event}"
            f" BEGIN INSERT INTO {table}_queue SELECT NEW.id WHERE {missing}; END"
        )


def _columns(model: type[models.Model]) -> list[str]:
    """Of folded text, if the rows have whole numbers as keys."""
    if not isinstance(model._meta.pk, models.AutoField | models.BigAutoField) or not model._meta.managed:
        return []
    return [str(field.column) for field in model._meta.concrete_fields if isinstance(field, FoldedTextField)]


@cache
def _is_there(vendor: str, alias: str, table: str) -> bool:
    """Asked once per process: a web process that is older than the index does without it until it is started anew."""
    with connections[alias].cursor() as cursor:
        if vendor == "postgresql":
            cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"{table}_queue"])
        else:
            cursor.execute("SELECT count(*) FROM sqlite_master WHERE name = %s", [f"{table}_queue"])
        return bool(cursor.fetchone()[0])
