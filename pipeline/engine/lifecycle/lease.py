"""A worker's right to a run, and the one way to write under it."""

import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from ...contract.errors import LeaseLost
from ...models import Run
from ..database import now, rows

# Named instead of *: a deploy may add a column while old workers run, and that must not change their prepared statements.
RUN_COLUMNS = ", ".join(f"{field.column}" for field in Run._meta.concrete_fields)


def locked_under(run_id: int, token: uuid.UUID) -> tuple[Run, datetime] | None:
    """The run, locked until the end of the transaction, and the time; None if its row no longer has this lease."""
    # Plain SQL saves the ORM's overhead: each write to a running run begins with this.
    clock, lock = (", clock_timestamp()", " FOR NO KEY UPDATE") if connection.vendor == "postgresql" else ("", "")
    values = [run_id, Run._meta.get_field("lease_token").get_db_prep_value(token, connection)]
    found = rows(f"SELECT {RUN_COLUMNS}{clock} FROM {Run._meta.db_table} WHERE id = %s AND lease_token = %s{lock}", values)
    if not found:
        return None
    run, *read_at = run_from(found[0])
    return run, read_at[0].astimezone(UTC) if read_at else timezone.now()


def run_from(row: Sequence[Any]) -> tuple[Any, ...]:
    """The run of a row that begins with RUN_COLUMNS, and the rest of the row."""
    names, compiler, converters = _reader(connection.alias)
    (values,) = compiler.apply_converters([row[: len(names)]], converters)
    return Run.from_db(connection.alias, names, values), *row[len(names) :]


@cache
def _reader(alias: str) -> tuple[list[str], Any, Any]:
    compiler = Run.objects.all().query.get_compiler(alias)
    fields = Run._meta.concrete_fields
    return (
        [field.attname for field in fields],
        compiler,
        compiler.get_converters([field.get_col(Run._meta.db_table) for field in fields]),
    )


@dataclass(eq=False)
class Lease:
    """A worker's time-limited right to a run. `lost` and `cancel` are set by the heartbeat and read by the context."""

    run_id: int
    token: UUID
    attempt_id: int
    lost: threading.Event = field(default_factory=threading.Event)
    cancel: threading.Event = field(default_factory=threading.Event)


@contextmanager
def fenced(lease: Lease) -> Iterator[tuple[Run, datetime]]:
    """A transaction in which the run is ours and locked; yields it and the time. LeaseLost if another worker took it over."""
    with transaction.atomic():
        ours = locked_under(lease.run_id, lease.token)
        if ours is None:
            lease.lost.set()
            raise LeaseLost
        yield ours


def renew(lease: Lease) -> bool:
    """Extend the lease. False if it is no longer ours."""
    until = now() + timedelta(seconds=settings.PIPELINE_LEASE_SECONDS)
    if not Run.objects.filter(pk=lease.run_id, lease_token=lease.token).update(lease_expires_at=until):
        lease.lost.set()
        return False
    return True
