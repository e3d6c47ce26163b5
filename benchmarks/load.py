"""Rows that are only there, written by the database itself; and the way back to none."""

from typing import Any

from django.core.management.color import no_style
from django.db import connection
from django.db.models import Model

from pipeline.models import Job, Run


def many(row: Model, count: int, **expressions: str) -> None:
    """So many copies of the row; columns with an SQL expression, of n from 1, differ."""
    fields = [field for field in row._meta.concrete_fields if not field.primary_key or field.column in expressions]
    values: list[Any] = []
    for field in fields:
        if field.column not in expressions:
            values.append(field.get_db_prep_save(getattr(row, field.attname), connection))
    columns = ", ".join(field.column for field in fields)
    selected = ", ".join(expressions.get(field.column, "%s") for field in fields)
    numbers = (
        "generate_series(1, %s) AS n"
        if connection.vendor == "postgresql"
        else "(WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %s) SELECT n FROM numbers)"
    )
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {row._meta.db_table} ({columns}) SELECT {selected} FROM {numbers}", [*values, count])
    settle()


def runs(count: int, status: str, **fields: Any) -> None:
    """Runs of ours in that state, all of one job."""
    job = Job.objects.create(job_type=fields["job_type"], brand=fields.get("brand"), subject="load")
    many(Run(job=job, status=status, created_at=job.created_at, **fields), count)


def empty(*models: type[Model]) -> None:
    """Their tables, and all that refer to them."""
    with connection.constraint_checks_disabled():  # SQLite: or it looks for references row by row
        statements = connection.ops.sql_flush(no_style(), [model._meta.db_table for model in models], allow_cascade=True)
        connection.ops.execute_sql_flush(statements)
    settle()


def settle() -> None:
    """What autovacuum or a checkpoint would do later, in the middle of a measurement."""
    with connection.cursor() as cursor:
        for statement in {
            "postgresql": ("VACUUM ANALYZE", "CHECKPOINT"),
            "sqlite": ("ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"),
        }[connection.vendor]:
            cursor.execute(statement)
