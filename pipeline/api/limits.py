"""Events record who changed a limit or pause, and when. An outage is found by the system; a person can end it."""

from typing import Any

from ..contract.errors import NotAllowed
from ..engine.database import now
from ..engine.journal import record_event
from ..engine.queue import outages
from ..models import Outage
from ..people import brands_for, require


def record_change(kind: str, message: str, by: Any) -> None:
    """Write the event in the caller's transaction."""
    record_event(kind, message, by=by)


def end_outage(outage: Outage, by: Any) -> None:
    """The schedules that it held go on. NotAllowed if it is over, or for who may not change pauses of all brands."""
    require(by, "pipeline.change_pause", None)
    if not brands_for(by).every:
        raise NotAllowed(f"The {outage} is of all brands. Only somebody who sees all of them can end it.")
    if not outages.end_outage(outage, now(), by):
        raise NotAllowed(f"The {outage} is over already.")
