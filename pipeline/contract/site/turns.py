"""Heavy requests take turns, so that the load of one person, or of all, leaves threads and processors for other pages."""

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from threading import Condition


class Turns:
    """In this process `at_once` work, `of_one` of them of the same person; `waiting` others wait for some seconds, half of them
    of one person. Whoever comes then is refused.
    """

    def __init__(self, at_once: int, of_one: int, *, waiting: int = 0, seconds: float = 0):
        self._at_once, self._of_one, self._most_waiting, self._seconds = at_once, of_one, waiting, seconds
        self._at_work: Counter[Hashable] = Counter()
        self._waiting: Counter[Hashable] = Counter()
        self._ended = Condition()

    def take(self, who: Hashable) -> bool:
        """Whether it is their turn now. Then give_back() must follow."""
        with self._ended:
            if not self._is_free(who) and not self._wait(who):
                return False
            self._at_work[who] += 1
            return True

    def give_back(self, who: Hashable) -> None:
        with self._ended:
            _less(self._at_work, who)
            self._ended.notify_all()

    @contextmanager
    def turn(self, who: Hashable) -> Iterator[bool]:
        came = self.take(who)
        try:
            yield came
        finally:
            if came:
                self.give_back(who)

    def _is_free(self, who: Hashable) -> bool:
        return self._at_work.total() < self._at_once and self._at_work[who] < self._of_one

    def _wait(self, who: Hashable) -> bool:
        if self._waiting.total() >= self._most_waiting or self._waiting[who] >= self._most_waiting // 2:
            return False
        self._waiting[who] += 1
        try:
            return self._ended.wait_for(lambda: self._is_free(who), self._seconds)
        finally:
            _less(self._waiting, who)


def _less(counts: Counter[Hashable], who: Hashable) -> None:
    counts[who] -= 1
    if not counts[who]:
        del counts[who]  # everybody who ever came would be remembered
