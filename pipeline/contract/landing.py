"""Bulk upsert of any model, one page of rows at a time. Counts new, changed, unchanged and duplicate rows.

A page is staged in a temporary table (COPY on PostgreSQL, executemany on SQLite) and merged by one or two upserts, each of
which says how many rows it inserted and how many it updated:

    insert missing rows, and touch equal rows that this landing has not touched yet    → new, unchanged
    overwrite rows that differ                                                         → changed
    rows that neither of them wrote                                                    → duplicate

Both are upserts so that they use the unique index, even if the table has no statistics.

Landings of the same keys at the same time wait for each other and lose nothing. With one page per transaction they cannot
deadlock: the first statement locks all rows, in the order of the key. With several pages they can: commit each.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from functools import cache, partial
from typing import Any, TypeAlias

from django.core.exceptions import FieldDoesNotExist
from django.db import connections, models, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper, truncate_name

from ..models.fields import ForeignCharField, ForeignTextField

Values = Mapping[str, Any]
AnyField: TypeAlias = "models.Field[Any, Any]"
SHORT = 1000  # characters: no longer text is stored unchecked


@dataclass(frozen=True, slots=True)
class Landed:
    """What became of the given rows; the four numbers add up to the number of rows. Add pages with `+`."""

    new: int = 0
    changed: int = 0  # stored before, with other content
    unchanged: int = 0  # stored before, with this content, and first met in this landing
    duplicate: int = 0  # met before in this landing

    def __add__(self, other: "Landed") -> "Landed":
        return Landed(*(mine + its for mine, its in zip(astuple(self), astuple(other), strict=True)))

    @property
    def counts(self) -> dict[str, int]:
        return asdict(self)


def land(
    model: type[models.Model],
    rows: Sequence[Values],
    *,
    key: Sequence[str],
    content: Collection[str] | None = None,
    touch: Values | None = None,
    mark: str | None = None,
    first: Values | None = None,
) -> Landed:
    """Upsert one page (up to about 1,000 rows, all with the same fields) by its unique `key`; count what became of them.

    key      fields under one plain unique constraint, none of them None. Of rows with the same key the last one wins; the
             earlier ones count as duplicate.
    content  fields that make a stored row *changed* where they differ; None equals None. Default: all but the key. Further
             fields of the rows are written with new and changed rows only.
    touch    values that every row takes, changed or not: last_seen_at, last_run_id.
    mark     the field of `touch` that tells this landing from others: last_run_id. A stored row with this mark and this content
             was met before in this landing (in another page, or in this one before a crash): it is a duplicate, and is not
             written. Without a mark, or where its value is None, all of `touch` together are the mark.
    first    values for new rows only: first_seen_at. Other fields take their default, as in `create()`.

    Fields go by name or attribute (`last_run_id`), relations by primary key. Each field prepares its values as for `save()`,
    so columns of `models/fields.py` take any text and any JSON. No signals are sent.

    Joins the caller's transaction or makes its own: a page lands whole or not at all. Raises ValueError for rows with different
    fields or without their key, FieldDoesNotExist, and the database's error for a value that its column cannot hold.
    """
    if not rows:
        return Landed()
    touch, first = touch or {}, first or {}
    page = _Page(connections[router.db_for_write(model)], model, rows, key, {**first, **touch})
    compared = page.data if content is None else content
    if not {*compared} <= {*page.data} or (mark and mark not in touch):
        raise ValueError("`content` must be among the fields of the rows, `mark` among those of `touch`.")
    marks = [mark] if mark and touch[mark] is not None else touch
    with transaction.atomic(using=page.connection.alias, savepoint=False), page.connection.cursor() as cursor:
        rest = page.stage(cursor)
        new, unchanged = page.merge(cursor, touch, differs=marks, equals=compared)
        rest -= new + unchanged
        # Usually nothing is left here: in a first scrape all rows are new, in the next nearly all unchanged.
        missed, changed = page.merge(cursor, [*page.data, *touch], differs=compared) if rest and compared else (0, 0)
        new += missed  # somebody deleted these rows after the first statement
        if not touch:
            unchanged = rest - missed - changed
    return Landed(new, changed, unchanged, duplicate=len(rows) - new - changed - unchanged)


class _Page:
    """One page: its rows, prepared for the driver, and the statements that stage and merge them."""

    def __init__(
        self, connection: BaseDatabaseWrapper, model: type[models.Model], rows: Sequence[Values], key: Sequence[str], same: Values
    ) -> None:
        """`same`: values that all rows share; they are not staged."""
        self.connection, self.meta = connection, model._meta
        self.data = [name for name in rows[0] if name not in key]
        if any(len(row) != len(rows[0]) for row in rows) or not {*key} <= rows[0].keys():
            raise ValueError(f"Rows must have the same fields, {', '.join(key)} among them; the first has {', '.join(rows[0])}.")
        if twice := same.keys() & rows[0].keys():
            raise ValueError(f"{', '.join(sorted(twice))}: given in the rows and in `touch` or `first` too.")
        # By column, not by row, so that preparing a field is set up once per page.
        staged = {self.field(name): [row[name] for row in rows] for name in (*key, *self.data)}
        shared = {self.field(name): value for name, value in same.items()}
        blank = model()
        for field in self.meta.concrete_fields:
            if field in staged or field in shared or field.generated or field.has_db_default() or field is self.meta.auto_field:
                continue
            if field.has_default() and callable(field.default):  # such as a UUID: each row has its own
                staged[field] = [field.get_default() for _ in rows]
            else:
                shared[field] = field.pre_save(blank, add=True)
        prepared = [_prepared(field, values, connection) for field, values in staged.items()]
        if any(None in values for values in prepared[: len(key)]):
            raise ValueError(f"A row of {self.meta.label} has None in its key ({', '.join(key)}).")
        # Distinct by the prepared key, since the database compares that.
        self.rows = list({row[: len(key)]: row for row in zip(*prepared, strict=True)}.values())
        self.shared = [field.get_db_prep_save(value, connection) for field, value in shared.items()]

        quote = connection.ops.quote_name
        self.table = quote(self.meta.db_table)
        self.staging = quote(truncate_name("landing_" + self.meta.db_table.replace('"', ""), connection.ops.max_name_length()))
        self.columns = ", ".join(quote(str(field.column)) for field in staged)
        on_key = ", ".join(map(self.column, key))
        self.insert = (
            f"INSERT INTO {self.table} AS stored ({', '.join([self.columns, *(quote(str(field.column)) for field in shared)])}) "
            f"SELECT {', '.join([self.columns, *['%s'] * len(shared)])} FROM {self.staging} WHERE true ORDER BY {on_key} "
            f"ON CONFLICT ({on_key}) DO"
        )
        on_same_key = " AND ".join(f"stored.{column} = staged.{column}" for column in map(self.column, key))
        stored = f"SELECT 1 FROM {self.table} AS stored WHERE {on_same_key}"
        self.count_missing = f"SELECT count(*) FROM {self.staging} AS staged WHERE NOT EXISTS ({stored})"

    def field(self, name: str) -> AnyField:
        field = self.meta.get_field(name)
        if not isinstance(field, models.Field) or field.column is None:
            raise FieldDoesNotExist(f"{self.meta.label}.{name} has no column of its own.")
        return field

    def column(self, name: str) -> str:
        return self.connection.ops.quote_name(str(self.field(name).column))

    def stage(self, cursor: CursorWrapper) -> int:
        """Fill the staging table with the distinct rows. Returns their number."""
        # Created if missing, at every page: the connection may be new, and a rollback removes the table.
        # Emptied at commit, since nothing vacuums a temporary table, and here, since this transaction may have landed a page.
        keep = "ON COMMIT DELETE ROWS" if self.connection.vendor == "postgresql" else ""
        cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {self.staging} {keep} AS SELECT * FROM {self.table} WHERE false")
        cursor.execute(f"DELETE FROM {self.staging}")
        if self.connection.vendor == "postgresql":
            with self.connection.wrap_database_errors, cursor.copy(f"COPY {self.staging} ({self.columns}) FROM STDIN") as copy:
                for row in self.rows:
                    copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * len(self.rows[0]))
            cursor.executemany(f"INSERT INTO {self.staging} ({self.columns}) VALUES ({marks})", self.rows)
        return len(self.rows)

    def merge(
        self, cursor: CursorWrapper, write: Collection[str], *, differs: Collection[str], equals: Collection[str] = ()
    ) -> tuple[int, int]:
        """Insert missing rows. Of stored rows, write the fields `write` if any of `differs` differs and none of `equals` does.

        Returns how many rows were inserted and how many updated.
        """
        action = "NOTHING"
        if write:
            values = ", ".join(f"{column} = excluded.{column}" for column in map(self.column, write))
            action = f"UPDATE SET {values} WHERE ({self.differ(differs)}) AND NOT ({self.differ(equals)})"
        if self.connection.vendor == "postgresql":
            # In an updated row, xmax shows the lock that ON CONFLICT took first; in an inserted row it is 0.
            cursor.execute(
                f"WITH written AS ({self.insert} {action} RETURNING xmax = 0 AS new) "
                "SELECT count(*) FILTER (WHERE new), count(*) FILTER (WHERE NOT new) FROM written",
                self.shared,
            )
            inserted, updated = cursor.fetchone()
            return inserted, updated
        # A SQLite transaction has one snapshot: nobody can insert in between.
        cursor.execute(self.count_missing)
        (inserted,) = cursor.fetchone()
        cursor.execute(f"{self.insert} {action}", self.shared)
        return inserted, cursor.rowcount - inserted

    def differ(self, names: Collection[str]) -> str:
        """SQL: the stored row and the staged one differ in any of these fields. NULL equals NULL."""
        # SQLite's IS NOT means the same; it has IS DISTINCT FROM only since 3.39.
        operator = "IS DISTINCT FROM" if self.connection.vendor == "postgresql" else "IS NOT"
        return " OR ".join(f"stored.{column} {operator} excluded.{column}" for column in map(self.column, names)) or "false"


def _prepared(field: AnyField, values: Sequence[Any], connection: BaseDatabaseWrapper) -> list[Any]:
    """The values of one field as `Model.save()` would send them. Much of a page's time is spent here, hence two shortcuts."""
    save = partial(field.get_db_prep_save, connection=connection)
    if type(field) in (ForeignCharField, ForeignTextField):  # nearly all texts are stored as they are
        most = field.max_length or SHORT
        return [v if type(v) is str and len(v) <= most and v.isascii() and "\0" not in v else save(v) for v in values]
    if isinstance(field, models.IntegerField | models.BooleanField | models.DateField):  # a page has few different values
        return list(map(cache(save), values))
    return [save(value) for value in values]
