"""What an input asks for: searches, and posts by their address."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

_POST = re.compile(r"/(?:r|u|user)/[^/]+/comments/([0-9a-z]+)")
_SUBREDDIT = re.compile(r"/r/([^/]+)")
_CLOSED = ("private", "banned")  # a subreddit with such a word in its name cannot be read


@dataclass(frozen=True)
class Search:
    query: str
    subreddit: str  # '' for all of Reddit
    sort: str
    timeframe: str
    include_nsfw: bool

    @property
    def key(self) -> str:
        return f"{self.subreddit} {self.query}".lower()

    @property
    def closed(self) -> bool:
        return any(word in self.subreddit.lower() for word in _CLOSED)


@dataclass(frozen=True)
class Thread:
    """A post by its address."""

    post_id: str


def sources_of(given: dict[str, Any]) -> list[Search | Thread]:
    """With `urls`, queries are ignored. The keywords of a subreddit are searched for in that one subreddit."""
    if given.get("urls"):
        return [_source_of(url, given) for url in given["urls"]]
    found = [_search(given, query) for query in given.get("queries", [])]
    if name := given.get("subredditName", ""):
        sort, timeframe = given.get("subredditSort", "hot"), given.get("subredditTimeframe", "all")
        found += [_search(given, word, name, sort, timeframe) for word in given.get("subredditKeywords") or [""]]
    return [*found]


def _source_of(url: str, given: dict[str, Any]) -> Search | Thread:
    parts = urlsplit(url)
    if found := _POST.match(parts.path):
        return Thread(found[1])
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    place = _SUBREDDIT.match(parts.path)
    return _search(given, asked.get("q", ""), place[1] if place else "", asked.get("sort"), asked.get("t"))


def _search(
    given: dict[str, Any], query: str, subreddit: str = "", sort: str | None = None, timeframe: str | None = None
) -> Search:
    return Search(
        query=query,
        subreddit=subreddit,
        sort=sort or given.get("sort", "relevance"),
        timeframe=timeframe or given.get("timeframe", "all"),
        include_nsfw=bool(given.get("includeNsfw", False)),
    )
