from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite


def seconds(header: str | None) -> float | None:
    """The seconds of a Retry-After that is a number or a date; None if it is missing or makes no sense."""
    try:
        wait = float(header or "")
    except ValueError:
        try:
            wait = max((parsedate_to_datetime(header or "") - datetime.now(UTC)).total_seconds(), 0)
        except (TypeError, ValueError, OverflowError):
            return None
    return wait if isfinite(wait) and wait >= 0 else None
