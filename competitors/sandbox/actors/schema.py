"""What Apify says of an input's fields that do not fit the actor's input schema."""

from collections.abc import Collection, Mapping
from typing import Any


def problem_of_numbers(given: Mapping[str, Any], least: Mapping[str, int]) -> str | None:
    """Of whole numbers that may be missing, each with the least that it may be."""
    for name, fewest in least.items():
        number = given.get(name)
        if number is None:
            continue
        if isinstance(number, bool) or not isinstance(number, int):
            return f"Field input.{name} must be integer"
        if number < fewest:
            return f"Field input.{name} must be >= {fewest}"
    return None


def problem_of_choices(given: Mapping[str, Any], choices: Mapping[str, Collection[str]]) -> str | None:
    for name, allowed in choices.items():
        if name in given and given[name] not in allowed:
            return f"Field input.{name} must be equal to one of the allowed values: {', '.join(allowed)}"
    return None


def problem_of_switches(given: Mapping[str, Any], names: Collection[str]) -> str | None:
    for name in names:
        if not isinstance(given.get(name, False), bool):
            return f"Field input.{name} must be boolean"
    return None
