"""Arms faults and takes them.

A fault has a value, an optional count (it disarms itself after so many requests) and an optional path (only
requests whose path contains it are affected). So many of these are spared first, if it is to strike later. ``take`` reads
a fault and uses up one count.
"""

import random
import threading
from collections import Counter
from dataclasses import dataclass
from typing import Any

from .fault_kinds import KINDS


@dataclass
class Fault:
    value: Any
    count: int | None = None
    path: str = ""
    skip: int = 0

    def shown(self) -> dict[str, Any]:
        return {"value": self.value, "count": self.count, "path": self.path} | ({"skip": self.skip} if self.skip else {})


class FaultBox:
    """The armed faults. A seeded random generator makes percentage faults strike the same requests each time."""

    def __init__(self, seed: int = 1):
        self._lock = threading.Lock()
        self._seed = seed
        self.clear()

    def clear(self) -> None:
        with self._lock:
            self._armed: dict[str, Fault] = {}
            self.struck: Counter[str] = Counter()  # how often each was taken
            self._random = random.Random(f"faults:{self._seed}")

    def arm(self, name: str, value: Any = True, count: int | None = None, path: str = "", skip: int = 0) -> None:
        """Arm a fault, or disarm it with ``None`` or ``False``. ValueError names a wrong name, value or count."""
        if name not in KINDS:
            raise ValueError(f"Unknown fault {name!r}. Known: {', '.join(sorted(KINDS))}.")
        if value is None or value is False or count == 0:
            with self._lock:
                self._armed.pop(name, None)
            return
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 0):
            raise ValueError(f"The count of fault {name!r} must be a whole number, not {count!r}.")
        if isinstance(skip, bool) or not isinstance(skip, int) or skip < 0:
            raise ValueError(f"The skip of fault {name!r} must be a whole number, not {skip!r}.")
        fault = Fault(KINDS[name].read(name, value), count, path, skip)
        with self._lock:
            self._armed[name] = fault

    def arm_all(self, faults: dict[str, Any]) -> None:
        """``{name: value}`` or ``{name: {"value": …, "count": …, "path": …, "skip": …}}``. Arms all, or none if one is wrong."""
        wanted = {}
        for name, given in faults.items():
            options = given if isinstance(given, dict) else {"value": given}
            if unknown := set(options) - {"value", "count", "path", "skip"}:
                raise ValueError(f"Fault {name!r} takes value, count, path and skip, not {', '.join(sorted(unknown))}.")
            wanted[name] = {"value": True, **options}
        trial = FaultBox()
        for name, options in wanted.items():
            trial.arm(name, **options)
        for name, options in wanted.items():
            self.arm(name, **options)

    def peek(self, name: str, path: str = "") -> Any:
        """The value of an armed fault, without using up a count; None if it is not armed or not for this path."""
        with self._lock:
            fault = self._armed.get(name)
            return fault.value if fault and fault.path in path else None

    def take(self, name: str, path: str = "") -> Any:
        """Like ``peek``, but use up one count."""
        with self._lock:
            fault = self._armed.get(name)
            if fault is None or fault.path not in path:
                return None
            if fault.skip:
                fault.skip -= 1
                return None
            if fault.count is not None:
                fault.count -= 1
                if fault.count <= 0:
                    del self._armed[name]
            self.struck[name] += 1
            return fault.value

    def roll(self, name: str, path: str = "") -> bool:
        """Whether a percentage fault strikes this time. Only a strike uses up a count."""
        percent = self.peek(name, path)
        if percent is None:
            return False
        with self._lock:
            struck = self._random.random() * 100 < percent
        return struck and self.take(name, path) is not None

    def choose(self, options: list[Any]) -> Any:
        with self._lock:
            return self._random.choice(options)

    def shown(self) -> dict[str, dict[str, Any]]:
        with self._lock:
            return {name: fault.shown() for name, fault in self._armed.items()}


def parse_flag(text: str) -> dict[str, Any]:
    """``drop_start*1,slow=0.2@/dataset`` as a dict for ``arm_all``: name[=value][*count][+skip][@path], separated by commas."""
    faults: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        rest, _, path = part.partition("@")
        rest, _, skip = rest.partition("+")
        rest, _, count = rest.partition("*")
        name, _, value = rest.partition("=")
        options: dict[str, Any] = {"path": path}
        if value:
            options["value"] = value
        for name_of, digits in (("count", count), ("skip", skip)):
            if digits and not digits.isdigit():
                raise ValueError(f"The {name_of} in {part!r} must be a whole number.")
            if digits:
                options[name_of] = int(digits)
        faults[name.strip()] = options
    return faults
