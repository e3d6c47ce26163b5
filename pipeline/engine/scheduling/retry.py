"""When a failed run is tried again. Pure functions."""

from datetime import datetime, timedelta


def backoff(tries_failed: int) -> timedelta:
    """5, 10, 20, 40, 60, 60 … minutes after the first, second, … failed try."""
    return timedelta(minutes=min(5 * 2 ** max(tries_failed - 1, 0), 60))


def next_try(tries_failed: int, max_retries: int, now: datetime, not_before: datetime | None = None) -> datetime | None:
    """When the next try is due; None if no try is left."""
    if tries_failed > max_retries:
        return None
    due = now + backoff(tries_failed)
    return max(due, not_before) if not_before else due
