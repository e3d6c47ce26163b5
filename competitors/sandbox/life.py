"""The life of a run as a function of time: no thread advances it; each read computes its state.

    READY → RUNNING → SUCCEEDED | FAILED | ABORTED      RUNNING → TIMING-OUT → TIMED-OUT
    READY | RUNNING | TIMING-OUT → ABORTING → ABORTED
All times are epoch seconds; all lengths are seconds.
"""

import math
from dataclasses import dataclass

TERMINAL = frozenset({"SUCCEEDED", "FAILED", "ABORTED", "TIMED-OUT"})


@dataclass
class Life:
    """One leg of a run: from its start, or from its resurrection, to its end."""

    began: float
    ready: float  # in READY
    work: float  # in RUNNING, unless it times out or is aborted
    ending: str = "SUCCEEDED"
    timeout: float = math.inf  # counted from ``began``
    closing: float = 0.0  # in TIMING-OUT or ABORTING
    never_starts: bool = False
    never_ends: bool = False
    abort_at: float | None = None

    @property
    def works_from(self) -> float:
        return math.inf if self.never_starts else self.began + self.ready

    @property
    def work_stops(self) -> float:
        """When the actor stops adding items: finished, timed out or aborted."""
        limits = [self._unhindered_stop()]
        if self.abort_at is not None:
            limits.append(self.abort_at)
        return min(limits)

    @property
    def ends(self) -> float:
        """When the status becomes terminal; infinite if it never does."""
        stop = self._unhindered_stop()
        if self.abort_at is not None:
            return self.abort_at + self.closing
        return stop + (self.closing if self._times_out() else 0)

    def status(self, now: float) -> str:
        if self.abort_at is not None and now >= self.abort_at:
            return "ABORTED" if now >= self.ends else "ABORTING"
        if now >= self.ends:
            return "TIMED-OUT" if self._times_out() else self.ending
        if now >= self.work_stops:
            return "TIMING-OUT"
        return "RUNNING" if now >= self.works_from else "READY"

    def done(self, now: float) -> float:
        """The share of the work that is done, 0 to 1."""
        if now < self.works_from:
            return 0.0
        reached = min(now, self.work_stops)
        # Compared first: the quotient below can round to just under 1 and lose the last batch.
        if reached >= self.works_from + self.work:
            return 1.0
        return max(0.0, (reached - self.works_from) / self.work)

    def abort(self, now: float, closing: float) -> bool:
        """Ask it to stop. Like at Apify, this does nothing once it is aborting or has ended."""
        if self.status(now) in TERMINAL or self.abort_at is not None:
            return False
        self.abort_at, self.closing = now, closing
        return True

    def finish(self, now: float) -> None:
        """Bring it to its planned end now, with all its items. A run that is aborting becomes ABORTED."""
        if self.status(now) in TERMINAL:
            return
        if self.abort_at is not None:
            self.closing = now - self.abort_at
        else:
            self.never_starts = self.never_ends = False
            self.timeout = math.inf
            self.ready = min(self.ready, max(0.0, now - self.began))
            self.work = max(0.0, now - self.works_from)

    def next_change(self, now: float) -> float:
        """The next moment at which the status may change."""
        return min((t for t in (self.works_from, self.work_stops, self.ends) if t > now), default=math.inf)

    def _times_out(self) -> bool:
        return not self.never_ends and not self.never_starts and self.began + self.timeout < self._planned_end()

    def _planned_end(self) -> float:
        return math.inf if self.never_ends else self.works_from + self.work

    def _unhindered_stop(self) -> float:
        if self.never_ends or self.never_starts:
            return math.inf
        return min(self._planned_end(), self.began + self.timeout)
