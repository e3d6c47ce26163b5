"""Limits and pauses, which people set and end: an event records who, and when. An outage is found by the system; a person can
end it.

The limits and pauses of all brands are for those who see all brands.
"""

from typing import Any

from django.db import transaction

from ..contract.errors import NotAllowed
from ..engine.database import now
from ..engine.journal import record_event
from ..engine.queue import outages
from ..models import ConcurrencyLimit, Outage, Pause
from ..people import brands_for, require


def record_change(kind: str, message: str, by: Any) -> None:
    """Write the event in the caller's transaction."""
    record_event(kind, message, by=by)


def save_limit(limit: ConcurrencyLimit, by: Any) -> None:
    """Set a new limit, or change this one. It applies from the next claim."""
    what = "add" if limit.pk is None else "change"
    _require(by, f"pipeline.{what}_concurrencylimit", limit)
    with transaction.atomic():
        limit.save()
        _tell("set" if what == "add" else "changed", limit, by)


def remove_limit(limit: ConcurrencyLimit, by: Any) -> None:
    _require(by, "pipeline.delete_concurrencylimit", limit)
    with transaction.atomic():
        _tell("removed", limit, by)
        limit.delete()


def begin_pause(pause: Pause, by: Any) -> None:
    """What runs goes on; nothing new of its scope starts."""
    _require(by, "pipeline.add_pause", pause)
    pause.by = by
    with transaction.atomic():
        pause.save(force_insert=True)
        _tell("set", pause, by)


def end_pause(pause: Pause, by: Any) -> None:
    """What waited for it starts."""
    _require(by, "pipeline.delete_pause", pause)
    with transaction.atomic():
        _tell("removed", pause, by)
        pause.delete()


def _require(by: Any, permission: str, row: ConcurrencyLimit | Pause) -> None:
    require(by, permission, row.brand_id)
    if row.brand_id is None and not brands_for(by).every:
        raise NotAllowed("This is for all brands. Only somebody who sees all of them can change it.")


def _tell(what: str, row: ConcurrencyLimit | Pause, by: Any) -> None:
    kind = str(row._meta.verbose_name).capitalize()
    record_change(str(row._meta.model_name), f"{kind} “{row}” was {what} by {by or 'the system'}.", by)


def end_outage(outage: Outage, by: Any) -> None:
    """The schedules that it held go on. NotAllowed if it is over, or for who may not change pauses of all brands."""
    require(by, "pipeline.change_pause", None)
    if not brands_for(by).every:
        raise NotAllowed(f"The {outage} is of all brands. Only somebody who sees all of them can end it.")
    if not outages.end_outage(outage, now(), by):
        raise NotAllowed(f"The {outage} is over already.")
