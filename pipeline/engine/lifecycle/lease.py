"""A worker's right to a run, and the one way to write under it."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from ...contract.errors import LeaseLost
from ...models import Run
from ..database import now

# Named instead of *: a deploy may add a column while old workers run, and that must not change their prepared statements.
RUN_COLUMNS = ", ".join(f"{field.column}" for field in Run._meta.concrete_fields)


def locked_under(run_id: int, token: uuid.UUID) -> tuple[Run, datetime] | None:
    """The run, locked until the end of the transaction, and the time; None if its row no longer has this lease."""
    # Plain SQL saves the ORM's overhead: each write to a running run begins with this.
    table = Run._meta.db_table
    clock, lock = (", clock_timestamp() AS read_at", " FOR NO KEY UPDATE") if connection.vendor == "postgresql" else ("", "")
    values = [run_id, Run._meta.get_field("lease_token").get_db_prep_value(token, connection)]
    found = list(Run.objects.raw(f"SELECT {RUN_COLUMNS}{clock} FROM {table} WHERE id = %s AND lease_token = %s{lock}", values))
    return (found[0], getattr(found[0], "read_at", None) or timezone.now()) if found else None


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
