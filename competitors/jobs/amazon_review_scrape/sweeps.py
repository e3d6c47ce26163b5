"""What one scrape asks the reviews actor: the same listing many times, each sweep with another sort or filter.

Amazon shows at most ten pages of ten reviews per query, so filters by star and by word bring up reviews that no sort shows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STARS = ("five_star", "four_star", "three_star", "two_star", "one_star")
KEYWORDS = (
    "great good love amazing excellent perfect works helpful happy recommend"
    " bad terrible awful broke waste refund disappointed"
    " quality price value smell taste"
).split()
PAGES, PAGE_REVIEWS = 10, 10


@dataclass(frozen=True)
class SweepOptions:
    """What a scrape fetches besides the newest reviews of each star, named as the job type's parameters are."""

    include_keywords: bool = True
    include_helpful: bool = True

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "SweepOptions":
        """As a run's parameters have them; an option that is not given is on."""
        return cls(bool(parameters.get("include_keywords", True)), bool(parameters.get("include_helpful", True)))

    def contains(self, other: "SweepOptions") -> bool:
        """Whether a scrape with these options fetches all that one with the others would."""
        return self.include_keywords >= other.include_keywords and self.include_helpful >= other.include_helpful


def sweeps(asin: str, domain_code: str, options: SweepOptions) -> list[dict[str, Any]]:
    """The configs of one scrape: 6, with keywords 28, with both 31."""

    def config(sort: str, **filters: str) -> dict[str, Any]:
        return {
            "asin": asin,
            "domainCode": domain_code,
            "sortBy": sort,
            "maxPages": PAGES,
            "reviewerType": "all_reviews",
            "mediaType": "all_contents",
            "formatType": "current_format",
            **filters,
        }

    found = [config("recent"), *(config("recent", filterByStar=star) for star in STARS)]
    if options.include_keywords:
        found += [config("recent", filterByKeyword=word) for word in KEYWORDS]
    if options.include_helpful:
        found += [config("helpful"), config("helpful", filterByStar="five_star"), config("helpful", filterByStar="one_star")]
    return found
