"""What must not start now, each with its reason: limits without a free slot, pauses, and upstreams that must be left alone."""

import uuid
from collections import Counter
from datetime import datetime

from django.db import connection

from ...contract.registry import all_types
from ...models import ConcurrencyLimit, Pause, Run, SourceState
from ..database import by_index, rows
from ..upstreams import health
from ..upstreams.room import full_accounts
from .limits import Kind, Stop, limit, saturated
from .next_run.pending import pending_types

TYPES, LIMITS, PAUSES, PAUSED_SOURCES, SOURCES = range(5)  # the parts of the query below


def stops_for(job_type: str, brand_id: uuid.UUID | None, at: datetime) -> list[Stop]:
    """What keeps a new run of that type and brand from starting then."""
    return [stop for stop in current_stops(at) if stop.covers(job_type, brand_id)]


def current_stops(at: datetime) -> list[Stop]:
    return read_stops(at)[0]


def read_stops(at: datetime) -> tuple[list[Stop], list[str]]:
    """What must not start at that time, and the job types with pending runs that do not wait for a paused job."""
    # One query for all parts, since each query delays every claim. Nearly always it finds only a type or two, with one index
    # step per type.
    found = rows(
        f"WITH RECURSIVE types(name) AS ({pending_types(by_index('run_own_line'))})"
        f" SELECT {TYPES}, name, NULL, NULL FROM types WHERE name IS NOT NULL"
        f" UNION ALL SELECT {LIMITS}, job_type, brand_id, max_running FROM {ConcurrencyLimit._meta.db_table} WHERE source = ''"
        f" UNION ALL SELECT CASE source WHEN '' THEN {PAUSES} ELSE {PAUSED_SOURCES} END,"
        f" CASE source WHEN '' THEN job_type ELSE source END, brand_id, NULL FROM {Pause._meta.db_table}"
        " WHERE until IS NULL OR until > %s"
        f" UNION ALL SELECT {SOURCES}, source, NULL, NULL FROM {SourceState._meta.db_table}"
        " WHERE slow_until IS NOT NULL OR blocked_until IS NOT NULL"
        f" UNION ALL SELECT {SOURCES}, source, NULL, NULL FROM {ConcurrencyLimit._meta.db_table} WHERE source <> ''",
        [Pause._meta.get_field("until").get_db_prep_value(at, connection)],
    )
    types = [name for part, name, *_ in found if part == TYPES]
    if len(types) == len(found):
        return [], types
    limits = [limit(name, _uuid(brand), most) for part, name, brand, most in found if part == LIMITS]
    stops = [Stop(Kind.PAUSE, name, _uuid(brand)) for part, name, brand, _ in found if part == PAUSES]
    paused = {name for part, name, *_ in found if part == PAUSED_SOURCES}
    stops += [Stop(Kind.PAUSE, one.name) for one in all_types() if one.source in paused]
    if any(part == SOURCES for part, *_ in found):
        stops += _upstream_stops(at)
    if limits:
        stops = saturated(limits, _running() if any(one.max_running for one in limits) else Counter()) + stops
    return stops, types


def _upstream_stops(at: datetime) -> list[Stop]:
    """The job types whose upstream must be left alone now."""
    resting, full = health.resting(at), full_accounts()
    return [
        Stop(Kind.RESTING, one.name, reason=resting[one.source])
        if one.source in resting
        else Stop(Kind.FULL_ACCOUNT, one.name, reason=full[one.source])
        for one in all_types()
        if one.source in resting or one.source in full
    ]


def _running() -> Counter[tuple[str, uuid.UUID | None]]:
    found = rows(f"SELECT job_type, brand_id FROM {Run._meta.db_table} {by_index('run_claim_expired')} WHERE status = 'running'")
    return Counter((name, _uuid(brand)) for name, brand in found)


def _uuid(value: object) -> uuid.UUID | None:
    """SQLite has text where PostgreSQL has a UUID."""
    return uuid.UUID(str(value)) if value else None
