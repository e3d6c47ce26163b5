"""How much of Meta's limits is used, as the headers of an answer say. They come only after many calls: absence means nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from pipeline.words.foreign import read_json

HEADERS = ("x-app-usage", "x-ad-account-usage", "x-business-use-case-usage", "x-fb-ads-insights-throttle")
PERCENTAGES = ("call_count", "total_time", "total_cputime", "acc_id_util_pct", "app_id_util_pct")
LONGEST_HEADER = 20_000  # characters; Meta names at most 32 accounts in one
LONGEST_WAIT = 3600.0  # seconds


@dataclass(frozen=True)
class Usage:
    percent: float = 0  # the highest that is named; 100 is throttled
    seconds: float = 0  # until access is regained
    limited_tier: bool | None = None  # of the account's access; None if it is not named


def read_usage(headers: Mapping[str, str]) -> Usage:
    """The highest figures of all headers."""
    found = [entry for name in HEADERS for entry in _entries(_parsed(headers.get(name, "")))]
    percent = max((_number(entry.get(name)) for entry in found for name in PERCENTAGES), default=0)
    waits = [_number(entry.get("estimated_time_to_regain_access")) * 60 for entry in found]  # minutes
    if percent >= 100:  # below that, it is when the count starts anew, not when calls are allowed again
        waits += [_number(entry.get("reset_time_duration")) for entry in found]
    tiers = {entry.get("ads_api_access_tier") for entry in found} & {"development_access", "standard_access"}
    limited = "development_access" in tiers if tiers else None
    return Usage(percent, min(max(waits, default=0), LONGEST_WAIT), limited)


def _parsed(text: str) -> Any:
    try:
        return read_json(text[:LONGEST_HEADER].encode())
    except ValueError:
        return None


def _entries(value: Any) -> Iterator[dict[str, Any]]:
    """The objects with figures: a header is one, or has lists of them by account."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            if isinstance(inner, list):
                yield from (one for one in inner if isinstance(one, dict))


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return float(value) if isfinite(value) and value > 0 else 0
