"""Items of the reviews actor → rows. Pure, and never raises: a value that cannot be read is stored empty and counted.

An item is rejected only if it is not a review: not an object, an error, or without its key.
"""

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any

# Amazon writes the date as a sentence in the marketplace's language. A dozen month names per language are better than a
# general date parser, which guesses ("03/04") and takes ten times as long as the rest of the row.
_MONTHS = {
    name: number
    for names in (
        "january february march april may june july august september october november december",
        "jan feb mar apr may jun jul aug sep oct nov dec",
        "januar februar märz april mai juni juli august september oktober november dezember",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "januari februari maart april mei juni juli augustus september oktober november december",
        "januari februari mars april maj juni juli augusti september oktober november december",
    )
    for number, name in enumerate(names.split(), 1)
}
_ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})")
_JAPANESE = re.compile(r"(\d{4})年\s*(\d{1,2})月\s*(\d{1,2})日")
_DAY_FIRST = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th|er|º|\.)?\s+(?:de\s+)?([^\W\d_]+)\.?,?\s+(?:de\s+|del\s+)?(\d{4})\b")
_MONTH_FIRST = re.compile(r"\b([^\W\d_]+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})\b")
_RATING = re.compile(r"^\s*(\d(?:[.,]\d+)?)(?!\d)")
_RATING_LAST = re.compile(r"5つ星のうち\s*(\d(?:\.\d+)?)")  # Japanese names the five first
_RATED_TITLE = re.compile(r"^\d(?:[.,]\d+)? (?:out of|von|sur|de|su|van|av) 5 \S+\s*")


@dataclass(frozen=True)
class Review:
    """One row. `unread` names the fields that were given but could not be read."""

    row: dict[str, Any]
    unread: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Rejected:
    reason: str


def parse_item(item: Any, asin: str, domain_code: str) -> Review | Rejected:
    """A review of the listing that was asked for. The row gets the item's ASIN, or the listing's if the item has none."""
    if not isinstance(item, dict):
        return Rejected("Not an object")
    status = item.get("statusCode")
    if item.get("error") or item.get("errorCode") or (isinstance(status, int) and status != 200):
        return Rejected("Amazon answered with an error item")
    review_id = _text(item.get("reviewId")).strip()
    if not review_id or len(review_id) > 40:
        return Rejected("No review id")
    given_asin, given_domain = _text(item.get("asin")).strip(), _text(item.get("domainCode")).strip()
    read = {
        "rating": parse_rating(item.get("rating")),
        "review_date": parse_date(item.get("date")),
        "helpful_votes": _count(item.get("numberOfHelpful")),
    }
    there = {"rating": item.get("rating"), "review_date": item.get("date"), "helpful_votes": item.get("numberOfHelpful")}
    return Review(
        {
            "review_id": review_id,
            "asin": given_asin if len(given_asin) == 10 else asin,
            "domain_code": given_domain if 0 < len(given_domain) <= 10 else domain_code,
            **read,
            "title": _RATED_TITLE.sub("", _text(item.get("title"))),
            "body": _text(item.get("text")),
            "author": _text(item.get("userName")),
            "verified_purchase": item.get("verified") if isinstance(item.get("verified"), bool) else None,
        },
        [name for name, value in read.items() if value is None and there[name] not in (None, "")],
    )


def parse_rating(value: Any) -> int | None:
    """1 to 5 out of 5.0, "5.0 out of 5 stars" or "5,0 von 5 Sternen"; None outside."""
    if isinstance(value, str):
        found = _RATING_LAST.search(value) or _RATING.match(value)
        value = float(found[1].replace(",", ".")) if found else None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or not 1 <= value <= 5:
        return None
    return round(value)


def parse_date(value: Any) -> date | None:
    """The date in Amazon's sentence, in any of its languages; None if it cannot be read."""
    text = _text(value).lower()[:300]
    if found := _ISO.search(text) or _JAPANESE.search(text):
        year, month, day = map(int, found.groups())
    elif found := next((one for one in _DAY_FIRST.finditer(text) if one[2] in _MONTHS), None):
        day, month, year = int(found[1]), _MONTHS[found[2]], int(found[3])
    elif found := next((one for one in _MONTH_FIRST.finditer(text) if one[1] in _MONTHS), None):
        month, day, year = _MONTHS[found[1]], int(found[2]), int(found[3])
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _text(value: Any) -> str:
    """Text unchanged, a number as its digits, anything else empty."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _count(value: Any) -> int | None:
    if isinstance(value, str) and value.strip().replace(",", "").isdecimal():
        value = int(value.strip().replace(",", ""))
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None
