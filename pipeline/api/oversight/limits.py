"""Limits and pauses, which people set and end: an event records who, and when. An outage is found by the system; a person can
end it.

The limits and pauses of all brands are for those who see all brands.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction

from ...contract.errors import NotAllowed
from ...engine.database import now, wait_for_claims
from ...engine.queue import outages
from ...models import ConcurrencyLimit, Event, Outage, Pause
from ...people import brands_for, require


def record_change(kind: str, message: str, by: Any, *, subjects: Iterable[tuple[str, UUID | None, str]] = ()) -> None:
    """Write the event in the caller's transaction. `subjects`: job type, brand and key of each whose page is to show it."""
    about = [{"job_type": name, "brand_id": brand_id, "subject": key} for name, brand_id, key in subjects] or [{}]
    Event.objects.bulk_create([Event(kind=kind, message=message, by=by, **one) for one in about])


def save_stop(stop: ConcurrencyLimit | Pause, by: Any) -> None:
    """Set a new limit or pause, or change this one. It applies from the next claim; what runs goes on."""
    new = stop._state.adding
    _require(by, "add" if new else "change", stop)
    before = "" if new else str(type(stop)._default_manager.get(pk=stop.pk))
    if isinstance(stop, Pause):
        stop.by = stop.by or by
    with transaction.atomic():
        if isinstance(stop, ConcurrencyLimit):  # claims without the lock see no limit of runs, and theirs are not counted yet
            wait_for_claims()
        stop.save()
        _tell("set" if new else "changed", stop, by, before)


def remove_stop(stop: ConcurrencyLimit | Pause, by: Any) -> None:
    """What waited for it can start."""
    _require(by, "delete", stop)
    with transaction.atomic():
        _tell("removed", stop, by)
        stop.delete()


def _require(by: Any, action: str, stop: ConcurrencyLimit | Pause) -> None:
    require(by, f"pipeline.{action}_{stop._meta.model_name}", stop.brand_id)
    if stop.brand_id is None and not brands_for(by).every:
        raise NotAllowed("This is for all brands. Only somebody who sees all of them can change it.")


def _tell(what: str, stop: ConcurrencyLimit | Pause, by: Any, before: str = "") -> None:
    kind = str(stop._meta.verbose_name).capitalize()
    was = f" Before: “{before}”." if before not in ("", str(stop)) else ""
    of = [("", stop.brand_id, "")]
    record_change(str(stop._meta.model_name), f"{kind} “{stop}” was {what} by {by or 'the system'}.{was}", by, subjects=of)


def end_outage(outage: Outage, by: Any) -> None:
    """The schedules that it held go on. NotAllowed if it is over, or for who may not change pauses of all brands."""
    require(by, "pipeline.change_pause", None)
    if not brands_for(by).every:
        raise NotAllowed(f"The {outage} is of all brands. Only somebody who sees all of them can end it.")
    if not outages.end_outage(outage, now(), by):
        raise NotAllowed(f"The {outage} is over already.")
