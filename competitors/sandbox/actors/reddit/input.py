"""Which inputs the actor refuses before a run exists, worded like Apify's input schemas."""

from typing import Any

from ..schema import problem_of_choices, problem_of_numbers, problem_of_switches

SORTS = ("relevance", "hot", "top", "new", "comments")  # there is no "rising"
TIMEFRAMES = ("all", "year", "month", "week", "day", "hour")
_CHOICES = {"sort": SORTS, "subredditSort": SORTS, "timeframe": TIMEFRAMES, "subredditTimeframe": TIMEFRAMES}
_LISTS = ("queries", "urls", "subredditKeywords")
_SWITCHES = ("scrapeComments", "includeNsfw", "strictSearch", "strictTokenFilter", "maximize_coverage")


def problem_of(given: dict[str, Any]) -> str | None:
    """Why the actor refuses this input, or None."""
    return (
        _problem_of_sources(given)
        or problem_of_numbers(given, {"maxPosts": 1, "maxComments": 0})
        or problem_of_choices(given, _CHOICES)
        or problem_of_switches(given, _SWITCHES)
    )


def _problem_of_sources(given: dict[str, Any]) -> str | None:
    for name in _LISTS:
        values = given.get(name, [])
        if not isinstance(values, list):
            return f"Field input.{name} must be array"
        for index, value in enumerate(values):
            if not isinstance(value, str) or not value.strip():
                return f"Field input.{name}.{index} must be string"
            if name == "urls" and not value.startswith(("http://", "https://")):
                return f"Field input.{name}.{index} must be a URL"
    if not isinstance(given.get("subredditName", ""), str):
        return "Field input.subredditName must be string"
    if not (given.get("queries") or given.get("urls") or given.get("subredditName")):
        return "One of input.queries, input.urls and input.subredditName is required"
    return None
