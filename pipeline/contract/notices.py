"""What an app tells the pipeline's own pages: notices for the overview, and which of its pages need which data."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Notice:
    """`tone` as a banner's: "red". `text` says what to do."""

    tone: str
    title: str
    text: str


@dataclass(frozen=True)
class NeededBy:
    """A page that is only right while some data is fresh. `url_name`: of its address, which may name a brand and more."""

    title: str
    url_name: str


Finder = Callable[[Any], Iterable[Notice]]
_finders: list[Finder] = []
_pages: dict[str, list[NeededBy]] = {}  # by dataset


def register_notices(finder: Finder) -> Finder:
    """`finder(user)` answers the notices of the brands that are open to this user."""
    _finders.append(finder)
    return finder


def notices_for(user: Any) -> Iterator[Notice]:
    for finder in _finders:
        yield from finder(user)


def register_page(dataset_key: str, page: NeededBy) -> None:
    known = _pages.setdefault(dataset_key, [])
    if page not in known:
        known.append(page)


def pages_needing(dataset_key: str) -> list[NeededBy]:
    return list(_pages.get(dataset_key, ()))
