"""Items of the reviews actor → rows. Pure, and never raises: a value that cannot be read is stored empty and counted.

An item is rejected only if it is not a review: not an object, an error, or without its key.
"""

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from competitors.models.amazon import MARKETPLACES
from competitors.reading import decoded, read_count, read_date, read_stars, text, without_rating
from pipeline.words.foreign import storable

# Any of them may come from any marketplace: Amazon answers in the visitor's language.
LANGUAGES = frozenset(locale for locales in MARKETPLACES.values() for locale in locales)
ASIN = re.compile(r"[A-Z0-9]{10}", re.ASCII)


class Review(NamedTuple):
    """One row. `unread` names the fields that were given but could not be read."""

    row: dict[str, Any]
    unread: list[str]


@dataclass(frozen=True)
class Rejected:
    reason: str


def parse_item(item: Any, asin: str, domain_code: str) -> Review | Rejected:
    """A review of the listing that was asked for, whatever product the item names. That is kept as the variation."""
    if not isinstance(item, dict):
        return Rejected("Not an object")
    status = item.get("statusCode")
    if item.get("error") or item.get("errorCode") or (isinstance(status, int) and status != 200):
        return Rejected("Amazon answered with an error item")
    review_id = storable(text(item.get("reviewId"))).strip()
    if not review_id or len(review_id) > 40 or "\ufffd" in review_id:  # what it was cannot be told
        return Rejected("No review id")
    rating, written, votes = item.get("rating"), item.get("date"), item.get("numberOfHelpful")
    verified = item.get("verified")
    row = {
        "review_id": review_id,
        "asin": asin,
        "domain_code": domain_code,
        "variation": _variation(item, asin),
        "rating": read_stars(rating),
        "review_date": read_date(written, LANGUAGES),
        "helpful_votes": read_count(votes),
        "title": without_rating(decoded(item.get("title")), rating),
        "body": decoded(item.get("text")),
        "author": decoded(item.get("userName")),
        "verified_purchase": verified if isinstance(verified, bool) else None,
    }
    given = (("rating", rating), ("review_date", written), ("helpful_votes", votes))
    return Review(row, [name for name, value in given if row[name] is None and value not in (None, "")])


def _variation(item: dict[str, Any], asin: str) -> str:
    """The ASIN that the item names, '' if that is the listing's or none."""
    for name in ("asin", "variationId"):
        named = text(item.get(name)).strip().upper()
        if named != asin and ASIN.fullmatch(named):
            return named
    return ""
