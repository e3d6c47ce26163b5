"""What an app has to tell people on the overview, such as that an access will end. Each app registers what finds it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Notice:
    """`tone` as a banner's: "red". `text` says what to do."""

    tone: str
    title: str
    text: str


Finder = Callable[[Any], Iterable[Notice]]
_finders: list[Finder] = []


def register_notices(finder: Finder) -> Finder:
    """`finder(user)` answers the notices of the brands that are open to this user."""
    _finders.append(finder)
    return finder


def notices_for(user: Any) -> Iterator[Notice]:
    for finder in _finders:
        yield from finder(user)
