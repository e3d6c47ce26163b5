"""What one scrape asks the reviews actor: the same listing many times, each sweep with another sort or filter.

Amazon shows at most ten pages of ten reviews a query, so filters by star and by word bring up reviews that no sort shows.
"""

from typing import Any

STARS = ("five_star", "four_star", "three_star", "two_star", "one_star")
KEYWORDS = (
    "great good love amazing excellent perfect works helpful happy recommend"
    " bad terrible awful broke waste refund disappointed"
    " quality price value smell taste"
).split()
PAGES, PAGE_REVIEWS = 10, 10


def sweeps(asin: str, domain_code: str, *, include_keywords: bool, include_helpful: bool) -> list[dict[str, Any]]:
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
    if include_keywords:
        found += [config("recent", filterByKeyword=word) for word in KEYWORDS]
    if include_helpful:
        found += [config("helpful"), config("helpful", filterByStar="five_star"), config("helpful", filterByStar="one_star")]
    return found
