import re
from typing import Any

from .text import plain

_COUNT = re.compile(r"\d{1,3}(?:,\d{3})+|\d{1,15}")
_MOST = 2**31 - 1  # of an integer column


def read_count(value: Any) -> int | None:
    """A number of something: 3, 3.0, "3" or "1,234". None for everything else, such as "1.5", "1,2" or a sentence."""
    if isinstance(value, str) and _COUNT.fullmatch(digits := plain(value)):
        value = int(digits.replace(",", ""))
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST else None
