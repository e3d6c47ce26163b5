"""Who changed a limit or a pause, and when, stays in the events."""

from typing import Any

from ..engine.journal import record_event


def record_change(kind: str, message: str, by: Any) -> None:
    """In the caller's transaction."""
    record_event(kind, message, by=by)
