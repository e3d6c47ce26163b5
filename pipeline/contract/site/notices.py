"""What an app tells the pipeline's own pages: notices, which of its pages need which data, and what the search finds."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


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


@dataclass(frozen=True)
class Found:
    """A row that the search found. `exact`: it is named just as was asked for. If it is the only one, the search leads there."""

    title: str
    url: str
    text: str = ""
    exact: bool = False


@dataclass(frozen=True)
class FoundGroup:
    """The first rows of a kind. `more_url`: a page with all of them; it is offered if there are more."""

    label: str
    found: list[Found] = field(default_factory=list)
    more_url: str = ""


@dataclass(frozen=True)
class Ending:
    """What stops working at a time unless somebody renews it, such as a token.

    `title` names what uses it, `text` says what to do.
    """

    at: datetime
    title: str
    text: str
    url: str
    brand_id: UUID | None


Searcher = Callable[[Any, str], Iterable[FoundGroup]]
Finder = Callable[[Any], Iterable[Notice]]
EndingFinder = Callable[[], Iterable[Ending]]
_finders: list[Finder] = []
_ending_finders: list[EndingFinder] = []
_searchers: list[Searcher] = []
_pages: dict[str, list[NeededBy]] = {}  # by dataset


def register_notices(finder: Finder) -> Finder:
    """`finder(user)` answers the notices of the brands that are open to this user."""
    _finders.append(finder)
    return finder


def notices_for(user: Any) -> Iterator[Notice]:
    for finder in _finders:
        yield from finder(user)


def register_endings(finder: EndingFinder) -> EndingFinder:
    """`finder()` answers what ends, of all brands: what has ended and was not renewed, too."""
    _ending_finders.append(finder)
    return finder


def endings() -> Iterator[Ending]:
    for finder in _ending_finders:
        yield from finder()


def register_search(searcher: Searcher) -> Searcher:
    """`searcher(user, words)` answers what this user may see of what is named so. It reads indexes, or small tables."""
    _searchers.append(searcher)
    return searcher


def search(user: Any, words: str) -> list[FoundGroup]:
    """Groups that have something."""
    return [group for searcher in _searchers for group in searcher(user, words) if group.found]


def register_page(dataset_key: str, page: NeededBy) -> None:
    known = _pages.setdefault(dataset_key, [])
    if page not in known:
        known.append(page)


def pages_needing(dataset_key: str) -> list[NeededBy]:
    return list(_pages.get(dataset_key, ()))
