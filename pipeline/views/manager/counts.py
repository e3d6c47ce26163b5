"""The numbers beside the tabs: what Health and Active last told this person. No page counts for them."""

from dataclasses import dataclass
from typing import Any

from django.core.cache import cache

KEPT = 5 * 60  # seconds; a number that is older is not shown
WORDS = {"health": "need you", "active": "live", "freshness": "need refreshing"}  # by tab
ATTENTION = {"health", "freshness"}


@dataclass(frozen=True)
class TabCount:
    number: int
    words: str
    attention: bool


def remember(user: Any, **numbers: int) -> None:
    """By tab."""
    cache.set_many({_key(user, tab): number for tab, number in numbers.items()}, KEPT)


def remembered(user: Any) -> dict[str, TabCount]:
    """By tab; those that have something to count."""
    known = cache.get_many([_key(user, tab) for tab in WORDS])
    numbers = {tab: known.get(_key(user, tab), 0) for tab in WORDS}
    return {tab: TabCount(number, WORDS[tab], tab in ATTENTION) for tab, number in numbers.items() if number}


def _key(user: Any, tab: str) -> str:
    return f"tab-{user.pk}-{tab}"
