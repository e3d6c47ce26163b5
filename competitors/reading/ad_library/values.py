"""Single values of an ad. What cannot be read is None or empty, never a guess."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone

from ..dates import AHEAD, EARLIEST, read_date
from ..text import decoded, plain, text, visible
from .names import Names

_ENGLISH = frozenset({"en_US"})
_ID = re.compile(r"[1-9][0-9]{0,24}", re.ASCII)
_EPOCH = re.compile(r"[0-9]{9,10}", re.ASCII)
_BREAK = re.compile(r"\s*<br\s*/?>\s*", re.IGNORECASE)  # in HTML, blanks beside a line break do not show
_TAG = re.compile(r"<(?!br\s*/?>)/?[a-z][^<>]*>", re.IGNORECASE)
# What a catalog ad says instead of the product's text: {{product.name}}, {{product.price strip_zeros}}
_PLACEHOLDER = re.compile(r"\{\{\s*\w+\.[^{}]*\}\}")
_LINK = re.compile(r"https?://[^\s/?#]", re.IGNORECASE)
_NUMBER = r"(\d{1,3}(?:,\d{3})+|\d{1,12})(?:\.(\d))?\s?([kmb]?)"
_RANGE = re.compile(rf"{_NUMBER}\s?[-–—]\s?{_NUMBER}")
_BOUND = re.compile(rf"([<>≤≥])\s?{_NUMBER}|{_NUMBER}")
_TIMES = {"": 1, "k": 1000, "m": 1_000_000, "b": 1_000_000_000}


def read_id(value: Any) -> str:
    """An id as text: it is too big for a JavaScript number. '' for what is none, also for "0" and for a rounded number."""
    found = visible(text(value)) if isinstance(value, str | int) else ""
    return found if _ID.fullmatch(found) else ""


def read_day(value: Any) -> date | None:
    """The day, in UTC, of epoch seconds, of an ISO date or time, or of an English sentence."""
    given = text(value).strip()
    if isinstance(value, float) and value.is_integer():
        given = str(int(value))
    if _EPOCH.fullmatch(given):
        found = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(given))).date()
        return found if EARLIEST <= found <= timezone.now().date() + AHEAD else None
    try:
        at = datetime.fromisoformat(given)
        given = at.astimezone(UTC).date().isoformat() if at.tzinfo else given
    except (ValueError, OverflowError):
        pass
    return read_date(given, _ENGLISH)


def read_words(value: Any) -> str:
    """A text that stands there as a string, as {text}, or as {markup: {__html}} with its tags. '' for a placeholder."""
    if isinstance(value, Mapping):
        names = Names(value)
        html = text(names.inside("markup")["__html"])
        value = names.first("text") or _TAG.sub("", _BREAK.sub("<br>", html))
        if isinstance(value, Mapping):
            return ""
    found = decoded(value).strip()
    return "" if _PLACEHOLDER.search(found) else found


def is_placeholder(value: Any) -> bool:
    """Whether a text is there that only names what Meta puts in its place."""
    given = Names(value).first("text") if isinstance(value, Mapping) else value
    return bool(_PLACEHOLDER.search(text(given)))


def read_link(value: Any) -> str:
    """An address, http(s) only. It may hold {{ad.name}} or [click_id] where Meta puts a value, so no more is asked of it."""
    found = "".join(char for char in text(value) if char.isprintable()).strip()
    if not _LINK.match(found):
        return ""
    try:
        return found if urlsplit(found).hostname else ""
    except ValueError:  # such as a lone bracket in its host
        return ""


def host_and_path(link: str) -> tuple[str, str]:
    """Of a link that read_link() took: where it leads, without what only tells where the click came from."""
    parts = urlsplit(link)
    return parts.hostname or "", parts.path or "/"


def read_impressions(value: Any) -> tuple[int | None, int | None]:
    """The bounds of "<100", "1K-5K" or ">1M". None: no bound, or not readable."""
    given = plain(value)
    if found := _RANGE.fullmatch(given):
        lower, upper = _number(*found.groups()[:3]), _number(*found.groups()[3:])
        return (lower, upper) if lower <= upper else (None, None)
    if not (found := _BOUND.fullmatch(given)):
        return None, None
    sign, *parts = found.groups()
    if not sign:
        exact = _number(*parts[3:])
        return exact, exact
    bound = _number(*parts[:3])
    return (0, bound) if sign in "<≤" else (bound, None)


def _number(whole: str, tenth: str | None, unit: str) -> int:
    times = _TIMES[unit]
    return int(whole.replace(",", "")) * times + int(tenth or 0) * times // 10
