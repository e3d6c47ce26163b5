"""The query for the next run."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from ...models import Job, Run
from ..database import by_index, rows
from .limits import Limit


@dataclass(frozen=True)
class Candidate:
    """A run that may be claimed; `lapsed`: its last worker is dead; `needs_key`: a schedule's tick that holds no key yet."""

    pk: int
    lapsed: bool
    needs_key: bool


def next_candidate(
    current_stops: list[Limit], pending_types: list[str], at: datetime, *, lapsed: bool = True
) -> Candidate | None:
    """The next run in line: lapsed leases first, then cancels and woken waits, then the pending by priority and order."""
    table, jobs = Run._meta.db_table, Job._meta.db_table
    skip = "FOR UPDATE OF r SKIP LOCKED" if connection.vendor == "postgresql" and connection.in_atomic_block else ""
    moment = connection.ops.adapt_datetimefield_value(at) if connection.vendor == "sqlite" else at
    dead = (
        f"SELECT r.id FROM {table} r WHERE r.status = 'running' AND r.lease_expires_at < %s"
        f" ORDER BY r.lease_expires_at LIMIT 1 {skip}"
    )
    busy, busy_values = _none_of(limit for limit in current_stops if limit.holds_back(begun=True, cancelled=True))
    cancelled = (
        f"SELECT r.id FROM {table} r WHERE r.status IN ('pending', 'waiting') AND r.cancel_requested_at IS NOT NULL"
        f" AND r.due_at <= %s{busy} ORDER BY r.due_at LIMIT 1 {skip}"
    )
    slots, pauses = (
        [one for one in current_stops if one.max_running is not None],
        [one for one in current_stops if one.max_running is None],
    )
    full, full_values = _none_of(slots)
    woken = f"SELECT r.id FROM {table} r WHERE r.status = 'waiting' AND r.due_at <= %s{full} ORDER BY r.due_at LIMIT 1 {skip}"
    # Type by type, each by its own index: all the runs of one that is stopped may stand before the first that may start.
    # A pause keeps back what has not begun; what is to be brought to its end is woken.
    stopped, paused = ({one.job_type for one in some if not one.brand_id} for some in (slots, pauses))
    types = [] if "" in stopped else [name for name in pending_types if name not in stopped]
    free, free_values = _none_of(pauses)
    begun = f"r.priority = {Run.WOKEN}"
    new = f"1 = 1{free} AND (SELECT j.status FROM {jobs} j WHERE j.id = r.job_id) <> 'paused'"
    pending_values: list[Any] = []
    parts = []
    for number, name in enumerate(types):
        all_paused = "" in paused or name in paused
        parts.append(
            f"SELECT * FROM (SELECT r.id, r.priority, r.order_at FROM {table} r {by_index('run_claim_pending')}"
            f" WHERE r.job_type = %s AND r.status = 'pending' AND r.due_at <= %s{full}"
            f" AND {begun if all_paused else f'({begun} OR ({new}))'}"
            f" ORDER BY r.priority, r.order_at, r.id LIMIT 1 {skip}) AS t{number}"
        )
        pending_values += [name, moment, *full_values, *([] if all_paused else free_values)]
    pending = (
        f"SELECT id FROM ({' UNION ALL '.join(parts)}) AS firsts ORDER BY priority, order_at, id LIMIT 1" if types else "NULL"
    )
    query = (
        f"SELECT id, status = 'running', scheduled_for IS NOT NULL AND dedupe_key IS NULL FROM {table}"
        f" WHERE id = COALESCE(({dead if lapsed else 'NULL'}), ({cancelled}), ({woken}), ({pending}))"
    )
    values = [*([moment] if lapsed else []), moment, *busy_values, moment, *full_values, *pending_values]
    (row,) = rows(query, values) or [None]
    return Candidate(row[0], bool(row[1]), bool(row[2])) if row else None


def _none_of(these: Iterable[Limit]) -> tuple[str, list[Any]]:
    """SQL's AND … for a run that none of these covers, and its values."""
    clauses = ""
    values: list[Any] = []
    for limit in these:
        terms: list[str] = []
        if limit.job_type:
            terms.append("r.job_type = %s")
            values.append(limit.job_type)
        if limit.brand_id:
            terms.append("r.brand_id = %s")
            values.append(Run._meta.get_field("brand").get_db_prep_value(limit.brand_id, connection))
        clauses += f" AND NOT COALESCE({' AND '.join(terms) or '1 = 1'}, FALSE)"
    return clauses, values
