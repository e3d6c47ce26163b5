"""One query of the actor's input, and its validation before a run exists."""

import re
from dataclasses import dataclass
from typing import Any

DOMAINS = ("com", "ca", "co.uk", "in", "de", "fr", "it", "es", "co.jp", "com.au", "com.br", "nl", "se", "com.mx", "ae")
STARS = {"five_star": 5, "four_star": 4, "three_star": 3, "two_star": 2, "one_star": 1}
MAX_PAGES = 10  # Amazon shows no more per query
PAGE_SIZE = 10

_CHOICES: dict[str, tuple[str, ...]] = {
    "domainCode": DOMAINS,
    "sortBy": ("recent", "helpful"),
    "filterByStar": tuple(STARS),
    "reviewerType": ("all_reviews", "verified_reviews"),
    "formatType": ("current_format",),
    "mediaType": ("all_contents", "media_reviews_only"),
}


@dataclass(frozen=True)
class Query:
    asin: str
    domain: str
    sort: str = "recent"
    pages: int = 1
    stars: int | None = None
    keyword: str | None = None
    verified_only: bool = False
    media_only: bool = False

    @property
    def filters(self) -> dict[str, str]:
        """The filters as the items repeat them."""
        names = {number: name for name, number in STARS.items()}
        found = {"filterByStar": names[self.stars]} if self.stars else {}
        return found | ({"filterByKeyword": self.keyword} if self.keyword else {})

    @property
    def label(self) -> str:
        return ", ".join([self.asin, self.domain, self.sort, *self.filters.values()])


def problem_of(given: dict[str, Any]) -> str | None:
    """Why the actor refuses this input, worded like Apify's input schemas, or None."""
    queries = given.get("input")
    if "input" not in given:
        return "Field input is required"
    if not isinstance(queries, list):
        return "Field input.input must be array"
    if not queries:
        return "Field input.input must NOT have fewer than 1 items"
    for index, query in enumerate(queries):
        if found := _problem_of_query(query):
            return f"Field input.input.{index}{found}"
    return None


def _problem_of_query(query: Any) -> str | None:
    if not isinstance(query, dict):
        return " must be object"
    if not isinstance(query.get("asin"), str) or not re.fullmatch(r"[A-Z0-9]{10}", query["asin"]):
        return ".asin is required and must be 10 letters or digits"
    if "domainCode" not in query:
        return ".domainCode is required"
    for name, allowed in _CHOICES.items():
        if name in query and query[name] not in allowed:
            return f".{name} must be equal to one of the allowed values: {', '.join(allowed)}"
    pages = query.get("maxPages", 1)
    if isinstance(pages, bool) or not isinstance(pages, int) or not 1 <= pages <= MAX_PAGES:
        return f".maxPages must be a whole number from 1 to {MAX_PAGES}"
    if not isinstance(query.get("filterByKeyword", ""), str):
        return ".filterByKeyword must be string"
    return None


def read_query(given: dict[str, Any]) -> Query:
    """Parse a query that ``problem_of`` accepts."""
    return Query(
        asin=given["asin"],
        domain=given["domainCode"],
        sort=given.get("sortBy", "recent"),
        pages=given.get("maxPages", 1),
        stars=STARS.get(given.get("filterByStar", "")),
        keyword=given.get("filterByKeyword") or None,
        verified_only=given.get("reviewerType") == "verified_reviews",
        media_only=given.get("mediaType") == "media_reviews_only",
    )
