"""Bulk upsert of any model, one page of rows at a time. Says of each row whether it is new, changed or unchanged.

A page is staged in a temporary table (COPY on PostgreSQL, executemany on SQLite) and merged by one or two upserts:

    insert missing rows, and touch equal rows that are not touched yet
    overwrite rows that differ

Both are upserts so that they use the unique index, even if the table has no statistics.

Landings of the same keys at the same time wait for each other and lose nothing. With one page per transaction they cannot
deadlock: the first statement locks all rows, in the order of the key. With several pages they can: commit each.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import cache, partial
from itertools import repeat
from typing import Any, TypeAlias

from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db import connections, models, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper, truncate_name

from ..models.fields import FoldedTextField, ForeignCharField, ForeignTextField
from ..words.foreign import are_storable, identity
from .tally import CHANGED, NEW, UNCHANGED

Values = Mapping[str, Any]
AnyField: TypeAlias = "models.Field[Any, Any]"
TEXTS = {ForeignCharField, ForeignTextField, FoldedTextField}
ALIKE = (models.IntegerField, models.BooleanField, models.DateField, models.ForeignKey)  # a page has few different values
INTEGERS = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}  # PostgreSQL's, and the first number beyond
BINARY = {*"varchar text boolean date numeric uuid jsonb".split(), "timestamp with time zone", "double precision", *INTEGERS}
ROW = "landing_row"  # column of the staging table: the row's number in its page


@dataclass(frozen=True, slots=True)
class Landed:
    """What became of one page's rows, against what was stored before; the four numbers add up to the number of rows.

    A Tally adds pages up: a row that two pages bring counts once.
    """

    new: int = 0
    changed: int = 0  # stored before, with other content
    unchanged: int = 0  # stored before, with this content
    duplicate: int = 0  # more than once in this page
    rows: Mapping[str, str] = dataclass_field(default_factory=dict, compare=False, repr=False)  # by key, what became of it


def land(
    model: type[models.Model],
    rows: Sequence[Values],
    *,
    key: Sequence[str],
    content: Collection[str] | None = None,
    touch: Values | None = None,
    first: Values | None = None,
    age: str | None = None,
    keep_absent: Collection[str] = (),
) -> Landed:
    """Upsert one page (up to about 1,000 rows, all with the same fields) by its unique `key`; tell what became of them.

    key      fields under one plain unique constraint, none of them None. Of rows with the same key the last one wins; the
             earlier ones count as duplicate.
    content  fields that make a stored row *changed* where they differ; None equals None. Default: all but the key. Further
             fields of the rows are written with new and changed rows only.
    touch    values that every row takes, changed or not: last_seen_at, last_run_id. A row that has them all and this content
             is not written again.
    first    values for new rows only: first_seen_at, first_run_id. Other fields take their default, as in `create()`.
    age      the field of `touch` that says from when these rows are: last_seen_at. A stored row from later stays as it is and
             counts as unchanged.
    keep_absent  fields of the rows in which None (of a text: '') means that the source sent no value: the stored value stays,
             and does not differ.

    Fields go by name or attribute (`last_run_id`), relations by primary key. Each field prepares its values as for `save()`,
    so columns of `models/fields.py` take any text and any JSON; a text of the key that is cut ends with a digest. No signals
    are sent.

    Joins the caller's transaction or makes its own: a page lands whole or not at all. Raises ValueError for rows with different
    fields or without their key, FieldDoesNotExist, and the database's error for a value that its column cannot hold.
    """
    if not rows:
        return Landed()
    touch, first = touch or {}, first or {}
    page = _Page(connections[router.db_for_write(model)], model, rows, key, {**first, **touch})
    compared = page.data if content is None else content
    if not {*compared, *keep_absent} <= {*page.data} or (age and age not in touch):
        raise ValueError("`content` and `keep_absent` must be among the fields of the rows, `age` among those of `touch`.")
    page.keep_absent = {*keep_absent}
    with transaction.atomic(using=page.connection.alias, savepoint=False), page.connection.cursor() as cursor:
        page.stage(cursor)
        new, changed = page.merge(cursor, touch, compared, age)
    became = dict.fromkeys(page.keys, UNCHANGED)
    became |= {page.keys[row]: NEW for row in new} | {page.keys[row]: CHANGED for row in changed}
    unchanged = len(page.keys) - len(new) - len(changed)
    return Landed(len(new), len(changed), unchanged, len(rows) - len(page.keys), became)


class _Page:
    """One page: its rows, prepared for the driver, and the statements that stage and merge them."""

    def __init__(
        self, connection: BaseDatabaseWrapper, model: type[models.Model], rows: Sequence[Values], key: Sequence[str], same: Values
    ) -> None:
        """`same`: values that all rows share; they are not staged."""
        self.connection, self.meta = connection, model._meta
        self.data = [name for name in rows[0] if name not in key]
        if {*map(len, rows)} != {len(rows[0])} or not {*key} <= rows[0].keys():
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
        for name in key:
            staged[self.field(name)] = _as_keys(self.field(name), staged[self.field(name)])
        prepared = [_prepared(field, values, connection) for field, values in staged.items()]
        if any(None in values for values in prepared[: len(key)]):
            raise ValueError(f"A row of {self.meta.label} has None in its key ({', '.join(key)}).")
        # Distinct by the prepared key, since the database compares that.
        if len({*zip(*prepared[: len(key)], strict=True)}) < len(rows):
            distinct = {row[: len(key)]: row for row in zip(*prepared, strict=True)}
            prepared = list(map(list, zip(*distinct.values(), strict=True)))
        texts = (map(str, values) for values in prepared[: len(key)])
        self.keys = list(map("\x1f".join, zip(repeat(self.meta.model_name or ""), *texts)))
        self.rows = list(zip(*prepared, range(len(self.keys)), strict=True))
        self.shared = [field.get_db_prep_save(value, connection) for field, value in shared.items()]

        self.keep_absent: set[str] = set()
        quote = connection.ops.quote_name
        self.table = quote(self.meta.db_table)
        self.staging = quote(truncate_name("landing_" + self.meta.db_table.replace('"', ""), connection.ops.max_name_length()))
        self.columns = ", ".join(quote(str(field.column)) for field in staged)
        self.types = [*map(partial(_type, connection=connection), staged), "integer"]
        # Not a number beyond its column: the driver would cut its highest bits off, and the database cannot know.
        self.binary = all(map(_is_binary, self.types, prepared))
        self.key = list(map(self.column, key))
        on_key = ", ".join(self.key)
        self.insert = (
            f"INSERT INTO {self.table} AS stored ({', '.join([self.columns, *(quote(str(field.column)) for field in shared)])}) "
            f"SELECT {', '.join([self.columns, *['%s'] * len(shared)])} FROM {self.staging} WHERE true ORDER BY {on_key} "
            f"ON CONFLICT ({on_key}) DO"
        )

    def field(self, name: str) -> AnyField:
        field = self.meta.get_field(name)
        if not isinstance(field, models.Field) or field.column is None:
            raise FieldDoesNotExist(f"{self.meta.label}.{name} has no column of its own.")
        return field

    def column(self, name: str) -> str:
        return self.connection.ops.quote_name(str(self.field(name).column))

    def stage(self, cursor: CursorWrapper) -> None:
        """Fill the staging table with the distinct rows."""
        # Created if missing, at every page: the connection may be new, and a rollback removes the table.
        # Emptied at commit, since nothing vacuums a temporary table, and here, since this transaction may have landed a page.
        keep = "ON COMMIT DELETE ROWS" if self.connection.vendor == "postgresql" else ""
        # Its types are the code's: a migration may have changed the table's, and binary values do not fit another type.
        columns = ", ".join(f"{self.column(field.name)} {field.db_type(self.connection)}" for field in self.meta.concrete_fields)
        cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {self.staging} ({columns}, {ROW} integer) {keep}")
        cursor.execute(f"DELETE FROM {self.staging}")
        if self.connection.vendor == "postgresql":
            with (
                self.connection.wrap_database_errors,
                cursor.copy(f"COPY {self.staging} ({self.columns}, {ROW}) FROM STDIN {'(FORMAT binary)' * self.binary}") as copy,
            ):
                if self.binary:
                    copy.set_types(self.types)
                for row in self.rows:
                    copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * len(self.rows[0]))
            cursor.executemany(f"INSERT INTO {self.staging} ({self.columns}, {ROW}) VALUES ({marks})", self.rows)

    def merge(
        self, cursor: CursorWrapper, touch: Values, content: Collection[str], age: str | None
    ) -> tuple[list[int], list[int]]:
        """Write what is to be written. Returns which rows of the page are new and which changed."""
        self.keep = f"stored.{self.column(age)} > excluded.{self.column(age)}" if age else "false"
        if self.connection.vendor == "postgresql":
            new, equal = self.written(cursor, self.upsert(touch, differs=touch, equals=content))
            # Usually nothing is left here: in a first scrape all rows are new, in the next nearly all unchanged.
            left = content and len(new) + len(equal) < len(self.rows)
            missed, changed = self.written(cursor, self.upsert([*self.data, *touch], differs=content)) if left else ([], [])
            return new + missed, changed  # missed: somebody deleted these rows after the first statement
        # A SQLite transaction has one snapshot: nobody can write in between.
        missing, later = f"stored.{self.key[0]} IS NULL", f"stored.{self.column(age)} > %s" if age else "false"
        at = [self.field(age).get_db_prep_save(touch[age], self.connection)] if age else []
        cursor.execute(
            f"SELECT staged.{ROW}, {missing} FROM {self.staging} AS staged LEFT JOIN {self.table} AS stored"
            f" ON {self.same_key('stored')} WHERE {missing} OR ({self.differ(content, 'staged')}) AND ({later}) IS NOT TRUE",
            at,
        )
        found = cursor.fetchall()
        new = [row for row, is_missing in found if is_missing]
        if new:
            cursor.execute(f"{self.insert} NOTHING", self.shared)
        if touch and len(new) < len(self.rows):
            self.touch(cursor, touch, f"({later}) IS NOT TRUE", at)
        if len(found) > len(new):
            cursor.execute(self.upsert([*self.data, *touch], differs=content), self.shared)
        return new, [row for row, is_missing in found if not is_missing]

    def touch(self, cursor: CursorWrapper, values: Values, condition: str, parameters: Sequence[Any]) -> None:
        """SQLite: let all stored rows of this page that fulfill the condition take the values. An upsert takes twice the time."""
        given = [self.field(name).get_db_prep_save(value, self.connection) for name, value in values.items()]
        columns = list(map(self.column, values))
        cursor.execute(
            f"UPDATE {self.table} SET {', '.join(f'{column} = %s' for column in columns)} WHERE rowid IN"
            # LEFT: however large SQLite believes the two are, each staged row is looked up, and nothing else is read.
            f" (SELECT stored.rowid FROM {self.staging} AS staged LEFT JOIN {self.table} AS stored ON {self.same_key('stored')}"
            f" WHERE {condition} AND ({' OR '.join(f'stored.{column} IS NOT %s' for column in columns)}))",
            [*given, *parameters, *given],
        )

    def upsert(self, write: Collection[str], *, differs: Collection[str], equals: Collection[str] = ()) -> str:
        """SQL: insert missing rows. Of stored rows, write the fields `write` if any of `differs` differs and none of `equals`."""
        if not write:
            return f"{self.insert} NOTHING"
        values = ", ".join(f"{self.column(name)} = {self.written_value(name)}" for name in write)
        where = f"({self.differ(differs)}) AND NOT ({self.differ(equals)}) AND ({self.keep}) IS NOT TRUE"
        return f"{self.insert} UPDATE SET {values} WHERE {where}"

    def written(self, cursor: CursorWrapper, upsert: str) -> tuple[list[int], list[int]]:
        """PostgreSQL: execute the upsert. Returns which rows of the page it inserted and which it updated."""
        # In an updated row, xmax shows the lock that ON CONFLICT took first; in an inserted row it is 0.
        cursor.execute(
            f"WITH written AS ({upsert} RETURNING {', '.join(f'stored.{column}' for column in self.key)}, xmax = 0 AS {ROW}_new)"
            f" SELECT array_agg({ROW}) FILTER (WHERE {ROW}_new), array_agg({ROW}) FILTER (WHERE NOT {ROW}_new)"
            f" FROM written JOIN {self.staging} AS staged ON {self.same_key('written')}",
            self.shared,
        )
        inserted, updated = cursor.fetchone()
        return inserted or [], updated or []

    def same_key(self, table: str) -> str:
        return " AND ".join(f"{table}.{column} = staged.{column}" for column in self.key)

    def differ(self, names: Collection[str], staged: str = "excluded") -> str:
        """SQL: the stored row and the staged one differ in any of these fields. NULL equals NULL."""
        # SQLite's IS NOT means the same; it has IS DISTINCT FROM only since 3.39.
        operator = "IS DISTINCT FROM" if self.connection.vendor == "postgresql" else "IS NOT"
        found = []
        for name in names:
            differs = f"stored.{self.column(name)} {operator} {staged}.{self.column(name)}"
            present = f"{self.present_value(name, staged)} IS NOT NULL AND " if name in self.keep_absent else ""
            found.append(f"({present}{differs})")
        return " OR ".join(found) or "false"

    def written_value(self, name: str) -> str:
        """SQL: what a stored row gets in this field."""
        if name in self.keep_absent:
            return f"COALESCE({self.present_value(name, 'excluded')}, stored.{self.column(name)})"
        return f"excluded.{self.column(name)}"

    def present_value(self, name: str, staged: str) -> str:
        """SQL: the staged value of a field of `keep_absent`, NULL if it is absent."""
        value = f"{staged}.{self.column(name)}"
        return f"NULLIF({value}, '')" if isinstance(self.field(name), models.CharField | models.TextField) else value


def _as_keys(field: AnyField, values: list[Any]) -> list[Any]:
    """Texts that the column would cut stay different from each other."""
    most = field.max_length if isinstance(field, ForeignCharField) else None
    return [identity(v, most) if isinstance(v, str) and len(v) > most else v for v in values] if most else values


def _prepared(field: AnyField, values: list[Any], connection: BaseDatabaseWrapper) -> list[Any]:
    """The values of one field as `Model.save()` would send them. Much of a page's time is spent here, hence two shortcuts."""
    if type(field) in TEXTS and are_storable(values, field.max_length or settings.PIPELINE_TEXT_CHARACTERS):
        return values  # nearly always
    save = partial(field.get_db_prep_save, connection=connection)
    if isinstance(field, ALIKE):
        return list(map(cache(save), values))
    return [save(value) for value in values]


def _type(field: AnyField, connection: BaseDatabaseWrapper) -> str:
    return str(field.db_type(connection)).partition("(")[0]


def _is_binary(type_name: str, values: Sequence[Any]) -> bool:
    """Whether PostgreSQL can take these values in its binary form, which is quicker for both."""
    beyond = INTEGERS.get(type_name)
    return type_name in BINARY and (beyond is None or max(map(abs, filter(None, values)), default=0) < beyond)
