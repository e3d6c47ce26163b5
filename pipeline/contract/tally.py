"""Counts the different rows that a run met: each once, whichever page or start brought it, however often."""

from collections import Counter
from collections.abc import Mapping

NEW, CHANGED, UNCHANGED = "new", "changed", "unchanged"
_WEIGHT = {UNCHANGED: 0, CHANGED: 1, NEW: 2}


def rows_met(counts: Mapping[str, int]) -> int:
    """How many different rows a run with these counts met, whatever was known of them before."""
    return sum(counts.get(name, 0) for name in _WEIGHT)


class Tally:
    """A row that the run inserted is new, else changed if the run overwrote it, else unchanged: against what was stored before
    the run. A row met again within one start is a duplicate; in the run's next start it is not.

    A key with another value ("R1 without a date": "no_date") is a mark: counted once under that name, never as a row.
    """

    def __init__(self) -> None:
        self._became: dict[str, str] = {}  # by the row's key
        self._met: set[str] = set()  # in the current start
        self._counts: Counter[str] = Counter()

    def next_start(self) -> None:
        self._met = set()

    def add(self, rows: Mapping[str, str]) -> int:
        """Add the rows of one page, as `Landed.rows` has them. Returns how many this start had met before."""
        for key, became in rows.items():
            known = self._became.get(key)
            if known is None or _WEIGHT.get(became, 0) > _WEIGHT.get(known, 0):
                self._became[key] = became
                self._counts[became] += 1
                if known:
                    self._counts[known] -= 1
        real = {key for key, became in rows.items() if became in _WEIGHT}
        again = len(self._met & real)
        self._met |= real
        return again

    @property
    def counts(self) -> dict[str, int]:
        """New, changed and unchanged, together the number of different rows; and the marks."""
        return {name: count for name, count in self._counts.items() if count}
