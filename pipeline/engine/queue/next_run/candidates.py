"""The query for the next run: lapsed leases, then cancels and woken waits, then the pending runs by priority and order.

limits.KEEPS_BACK says what each stop keeps back. The registry's versions say whether this process has the code that a run needs.
queries/explain.py uses the same two.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from ....contract.registry import internal_names, versions
from ....models import Run
from ...database import rows
from ..limits import Stage, Stop
from .pending import first_pending

# After this time a rolling deploy is over. A cancelled run whose code no worker has is then ended without that code.
DEPLOYED_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True)
class Candidate:
    """A run that may be claimed. `lapsed`: its last worker is dead. `needs_key`: a schedule's tick that has no key yet."""

    pk: int
    lapsed: bool
    needs_key: bool


def has_code_for(run: Run, at: datetime) -> bool:
    """Whether this process may claim the run: it has the job type and can read the steps that are recorded.

    A run that was cancelled longer ago than DEPLOYED_WITHIN may be ended without its code.
    """
    cancelled = run.cancel_requested_at is not None and run.cancel_requested_at < at - DEPLOYED_WITHIN
    return cancelled or run.code_version <= versions().get(run.job_type, -1)


def next_candidate(stops: list[Stop], pending_types: list[str], at: datetime, *, lapsed: bool = True) -> Candidate | None:
    """The next run in the claim's order, None where there is none. `lapsed`: whether a lapsed lease counts as a death."""
    table = Run._meta.db_table
    skip = "FOR UPDATE OF r SKIP LOCKED" if connection.vendor == "postgresql" and connection.in_atomic_block else ""
    moment, deployed = _time(at), _time(at - DEPLOYED_WITHIN)
    known = versions()
    whens = " ".join("WHEN %s THEN %s" for _ in known)
    readable = f"r.code_version <= CASE r.job_type {whens} ELSE -1 END" if known else "1 = 0"
    known_values: list[Any] = [part for pair in known.items() for part in pair]
    free = {stage: _none_of(stop for stop in stops if stop.keeps_back(stage)) for stage in Stage}

    dead = (
        f"SELECT r.id FROM {table} r WHERE r.status = 'running' AND r.lease_expires_at < %s"
        f" ORDER BY r.lease_expires_at LIMIT 1 {skip}"
    )
    sql, values = free[Stage.CANCELLED]
    cancelled = (
        f"SELECT r.id FROM {table} r WHERE r.status IN ('pending', 'waiting') AND r.cancel_requested_at IS NOT NULL"
        f" AND r.due_at <= %s{sql} AND ({readable} OR r.cancel_requested_at < %s) ORDER BY r.due_at LIMIT 1 {skip}"
    )
    cancelled_values = [moment, *values, *known_values, deployed]
    sql, values = free[Stage.BEGUN]
    woken = (
        f"SELECT r.id FROM {table} r WHERE r.status = 'waiting' AND r.due_at <= %s{sql} AND {readable}"
        f" ORDER BY r.due_at LIMIT 1 {skip}"
    )
    woken_values = [moment, *values, *known_values]
    pending, pending_values = first_pending(stops, known, pending_types, moment, skip)
    query = (
        f"SELECT id, status = 'running', scheduled_for IS NOT NULL AND dedupe_key IS NULL FROM {table}"
        f" WHERE id = COALESCE(({dead if lapsed else 'NULL'}), ({cancelled}), ({woken}), ({pending}))"
    )
    (row,) = rows(query, [*([moment] if lapsed else []), *cancelled_values, *woken_values, *pending_values]) or [None]
    return Candidate(row[0], bool(row[1]), bool(row[2])) if row else None


def _none_of(stops: Iterable[Stop]) -> tuple[str, list[Any]]:
    """The SQL condition that none of these stops covers the run, and its values."""
    clauses, internal = "", internal_names()
    values: list[Any] = []
    for stop in stops:
        types = [stop.job_type] if stop.job_type else internal
        terms = [f"r.job_type {'' if stop.job_type else 'NOT '}IN ({', '.join('%s' for _ in types)})"] if types else []
        values += types
        if stop.brand_id:
            terms.append("r.brand_id = %s")
            values.append(Run._meta.get_field("brand").get_db_prep_value(stop.brand_id, connection))
        clauses += f" AND NOT COALESCE({' AND '.join(terms) or '1 = 1'}, FALSE)"
    return clauses, values


def _time(at: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(at) if connection.vendor == "sqlite" else at
