"""A date out of a sentence, in languages whose month names come from Unicode's CLDR data."""

import re
from collections.abc import Set
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from babel.dates import get_month_names

from .text import KNOWN, LONGEST, plain

EARLIEST = date(1995, 1, 1)  # before that, nobody wrote about anything online
AHEAD = timedelta(days=2)  # zones and clocks differ; a date further ahead is misread
# A number that stands alone. Numeric dates must have the year first: nobody knows what 03/04/2025 means.
_START, _END = r"(?<![^\s(])", r"(?![\d/-])"
_ISO = re.compile(r"(?<![\d/-])(\d{4})-(\d{2})-(\d{2})" + _END)
_JAPANESE = re.compile(r"(?<!\d)(\d{4})年 ?(\d{1,2})月 ?(\d{1,2})日")


def read_date(value: Any, locales: Set[str]) -> date | None:
    """The one date in an ISO date or time, or in a sentence in one of these languages.

    None if there is none, if there are several, if it does not exist, or if it lies in the future or before 1995.
    """
    read = _written_date(value, frozenset(locales)) if isinstance(value, str) and len(value) <= LONGEST else None
    return read if read and EARLIEST <= read <= datetime.now(UTC).date() + AHEAD else None


@lru_cache(KNOWN)
def _written_date(value: str, locales: frozenset[str]) -> date | None:
    sentence = plain(value)
    names, day_first, month_first = _patterns(locales)
    found = {(int(year), int(month), int(day)) for year, month, day in _ISO.findall(sentence) + _JAPANESE.findall(sentence)}
    found |= {(int(year), names[month], int(day)) for day, month, year in day_first.findall(sentence)}
    found |= {(int(year), names[month], int(day)) for month, day, year in month_first.findall(sentence)}
    if len(found) != 1:
        return None
    try:
        return date(*found.pop())
    except ValueError:  # 30 February
        return None


@cache
def month_names(locales: frozenset[str]) -> dict[str, int]:
    """Every name and abbreviation of a month in these languages, in the form of `plain`. Left out: what means two months."""
    # Where a language has no stand-alone names of its own, Babel may answer with another language's. They are right all the same.
    found: dict[str, set[int]] = {}
    for locale in locales:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in get_month_names(width, context, locale).items():
                    found.setdefault(plain(name).rstrip(".॰"), set()).add(number)
    return {name: numbers.pop() for name, numbers in found.items() if len(numbers) == 1 and not name[0].isdigit()}


@cache
def _patterns(locales: frozenset[str]) -> tuple[dict[str, int], re.Pattern[str], re.Pattern[str]]:
    names = month_names(locales)
    month = f"({'|'.join(sorted(map(re.escape, names), key=len, reverse=True))})"
    ordinal = r"(?:st|nd|rd|th|er|re|o|a)?"  # 1st, 1er, 1º
    day_first = rf"{_START}(\d{{1,2}}){ordinal}(?:\. ?| )(?:de |of )?{month}[.॰]?[,،]? (?:del? )?(\d{{4}}){_END}"
    month_first = rf"{_START}{month}[.॰]? (\d{{1,2}}){ordinal}[,،]? (\d{{4}}){_END}"
    return names, re.compile(day_first), re.compile(month_first)
