"""Fills tables with rows that the database generates, and empties them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.management.color import no_style
from django.db import connection
from django.db.models import Model

from pipeline.models import Job, Run, UpstreamRun


def many(row: Model, count: int, **expressions: str) -> None:
    """Insert `count` copies of the row. `expressions` gives columns an SQL expression of n, which counts from 1."""
    insert(row, count, **expressions)
    settle()


def insert(row: Model, count: int, of: str = "", order: str = "", **expressions: str) -> None:
    """many() for one of several calls: settle() after the last. `of`: a table, each of whose rows has so many copies."""
    fields = [field for field in row._meta.concrete_fields if not field.primary_key or field.column in expressions]
    values: list[Any] = []
    for field in fields:
        if field.column not in expressions:
            values.append(field.get_db_prep_save(getattr(row, field.attname), connection))
    columns = ", ".join(field.column for field in fields)
    selected = ", ".join(
        expressions[field.column].replace("%", "%%") if field.column in expressions else "%s" for field in fields
    )
    numbers = (
        "generate_series(1, %s) AS n"
        if connection.vendor == "postgresql"
        else "(WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %s) SELECT n FROM numbers)"
    )
    source = ", ".join(filter(None, [numbers, of])) + (f" ORDER BY {order}" if order else "")
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {row._meta.db_table} ({columns}) SELECT {selected} FROM {source}", [*values, count])


def runs(count: int, status: str, **fields: Any) -> None:
    """Insert that many of our runs with this status, all of one job."""
    job = Job.objects.create(job_type=fields["job_type"], brand=fields.get("brand"), subject="load")
    many(Run(job=job, status=status, created_at=job.created_at, **fields), count)


def paid_start(at: datetime, deadline: datetime) -> UpstreamRun:
    """One that brought its data and whose cost is final, as a row to copy."""
    return UpstreamRun(
        source="apify",
        actor="someone/actor",
        step="start",
        intent=1,
        status="succeeded",
        intent_at=at,
        deadline=deadline,
        cost_settled=True,
        read_complete=True,
        cost_estimate=Decimal("0.40"),
        cost_cap=Decimal(2),
        max_items=1000,
        cost_actual=Decimal("0.35"),
    )


def empty(*models: type[Model]) -> None:
    """Empty the models' tables and all tables that refer to them."""
    with connection.constraint_checks_disabled():  # otherwise SQLite checks references row by row
        statements = connection.ops.sql_flush(no_style(), [model._meta.db_table for model in models], allow_cascade=True)
        connection.ops.execute_sql_flush(statements)
    settle()


@contextmanager
def unchecked() -> Iterator[None]:
    """Rows refer to others that exist: checking that would be most of a large insert's time."""
    if connection.vendor == "sqlite":
        with connection.constraint_checks_disabled():
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            yield
        finally:
            cursor.execute("SET session_replication_role = DEFAULT")


def settle() -> None:
    """Do now what autovacuum or a checkpoint would do in the middle of a measurement."""
    with connection.cursor() as cursor:
        for statement in {
            "postgresql": ("VACUUM ANALYZE", "CHECKPOINT"),
            "sqlite": ("ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"),
        }[connection.vendor]:
            cursor.execute(statement)
