"""Events record who changed a limit or pause, and when."""

from typing import Any

from ..engine.journal import record_event


def record_change(kind: str, message: str, by: Any) -> None:
    """Write the event in the caller's transaction."""
    record_event(kind, message, by=by)
