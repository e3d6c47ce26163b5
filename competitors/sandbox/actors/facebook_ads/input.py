"""Which inputs the actor refuses before a run exists, worded like Apify's input schemas."""

from datetime import date
from typing import Any

from ..schema import problem_of_choices, problem_of_numbers, problem_of_switches

LEAST_COUNT = 10

_CHOICES = {
    "period": ("", "last24h", "last7d", "last14d", "last30d"),
    "scrapePageAds.activeStatus": ("all", "active", "inactive"),
    "scrapePageAds.sortBy": ("impressions_desc", "most_recent"),
    "scrapePageAds.period": ("", "last24h", "last7d", "last14d", "last30d"),
}


def problem_of(given: dict[str, Any]) -> str | None:
    """Why the actor refuses this input, or None."""
    return (
        _problem_of_urls(given)
        or problem_of_numbers(given, {"count": LEAST_COUNT, "limitPerSource": 1})
        or problem_of_switches(given, ["scrapeAdDetails"])
        or problem_of_choices(given, _CHOICES)
        or _problem_of_dates(given)
    )


def _problem_of_urls(given: dict[str, Any]) -> str | None:
    if "urls" not in given:
        return "Field input.urls is required"
    urls = given["urls"]
    if not isinstance(urls, list):
        return "Field input.urls must be array"
    if not urls:
        return "Field input.urls must NOT have fewer than 1 items"
    for index, url in enumerate(urls):
        if not isinstance(url, dict):
            return f"Field input.urls.{index} must be object"
        if not isinstance(url.get("url"), str) or not url["url"].startswith(("http://", "https://")):
            return f"Field input.urls.{index}.url is required and must be a URL"
    return None


def _problem_of_dates(given: dict[str, Any]) -> str | None:
    for name in ("start_date_min", "start_date_max"):
        try:
            date.fromisoformat(given.get(name) or "2026-01-01")
        except (TypeError, ValueError):
            return f"Field input.{name} must be a date, YYYY-MM-DD"
    return None
