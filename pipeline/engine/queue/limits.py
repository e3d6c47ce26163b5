"""Which kinds of run may not start now: concurrency limits that are reached, and pauses. Pure; claims.py brings the rows."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Limit:
    """'' and None mean any. A pause is a limit without a number."""

    job_type: str
    brand_id: UUID | None
    max_running: int | None = None
    reason: str = ""  # where neither a number nor a pause explains it: the upstream is slow, down or full

    def covers(self, job_type: str, brand_id: UUID | None) -> bool:
        return self.job_type in ("", job_type) and self.brand_id in (None, brand_id)

    def holds_back(self, *, begun: bool, cancelled: bool) -> bool:
        """A pause: only what has not begun. A limit: what has as well, but a cancel waits for nothing but a slot."""
        if self.max_running is None:
            return not (begun or cancelled)
        return not cancelled or self.max_running > 0


def saturated(limits: Iterable[Limit], running: Counter[tuple[str, UUID | None]]) -> list[Limit]:
    """The limits with no free slot. `running` counts live rows by (type, brand), so nothing can drift."""
    return [
        limit
        for limit in limits
        if limit.max_running is None or sum(n for kind, n in running.items() if limit.covers(*kind)) >= limit.max_running
    ]
