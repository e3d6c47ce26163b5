"""What must not start now, each with its reason: limits without a free slot, pauses, and upstreams that must be left alone."""

import uuid
from collections import Counter
from datetime import datetime

from django.utils import timezone

from ...contract.registry import all_types
from ...models import ConcurrencyLimit, Pause, Run, SourceState
from ..database import by_index, rows
from ..upstreams import health
from ..upstreams.room import full_accounts
from .limits import Limit, saturated


def stops_for(job_type: str, brand_id: uuid.UUID | None) -> list[Limit]:
    """The limits and pauses that keep such a run from starting now."""
    return [limit for limit in current_stops() if limit.covers(job_type, brand_id)]


def current_stops() -> list[Limit]:
    """What must not start now: the limits without a free slot, and the pauses."""
    return read_stops()[0]


def read_stops() -> tuple[list[Limit], list[str]]:
    """What must not start now, and the job types that have pending runs."""
    # One plain query for four tables: this stands in every claim's way, and nearly always finds nothing but a type or two.
    # The types by one step through the index each.
    least = f"SELECT min(job_type) FROM {Run._meta.db_table} {by_index('run_claim_pending')} WHERE status = 'pending'"
    found = rows(
        f"WITH RECURSIVE types(name) AS ({least} UNION ALL"
        f" SELECT ({least} AND job_type > types.name) FROM types WHERE types.name IS NOT NULL)"
        f" SELECT 0, name, NULL, NULL FROM types WHERE name IS NOT NULL"
        f" UNION ALL SELECT 1, job_type, brand_id, max_running FROM {ConcurrencyLimit._meta.db_table} WHERE source = ''"
        f" UNION ALL SELECT 2, job_type, brand_id, NULL FROM {Pause._meta.db_table}"
        f" UNION ALL SELECT 3, source, NULL, NULL FROM {SourceState._meta.db_table}"
        " WHERE slow_until IS NOT NULL OR blocked_until IS NOT NULL"
        f" UNION ALL SELECT 3, source, NULL, NULL FROM {ConcurrencyLimit._meta.db_table} WHERE source <> ''"
    )
    types = [name for kind, name, *_ in found if kind == 0]
    if len(types) == len(found):
        return [], types
    limited, pauses = (
        [Limit(name, brand and uuid.UUID(str(brand)), most) for k, name, brand, most in found if k == kind] for kind in (1, 2)
    )
    if any(kind == 3 for kind, *_ in found):
        pauses += upstream_stops(timezone.now())
    if not limited:
        return pauses, types
    running_now = f"SELECT job_type, brand_id FROM {Run._meta.db_table} {by_index('run_claim_expired')} WHERE status = 'running'"
    at_work = rows(running_now) if any(limit.max_running for limit in limited) else []  # 0 is full whatever runs
    running = Counter((name, brand and uuid.UUID(str(brand))) for name, brand in at_work)
    return saturated(limited, running) + pauses, types


def upstream_stops(at: datetime) -> list[Limit]:
    """The job types whose upstream must be left alone now, with the reason."""
    resting = health.resting(at)
    full = full_accounts()  # like a pause: what is at work there holds the slots, and must be able to give them back
    return [
        Limit(one.name, None, 0 if one.source in resting else None, resting.get(one.source) or full[one.source])
        for one in all_types()
        if one.source in resting or one.source in full
    ]
