"""The numbers beside the tabs: what Health and Active last told those who see the same as this person. No page counts for them.

Health renders the part that polls once for all of these, so one of them could not be told alone.
"""

from dataclasses import dataclass
from typing import Any

from django.core.cache import cache

from ..live import sight_of

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
    sight = sight_of(user)
    cache.set_many({_key(sight, tab): number for tab, number in numbers.items()}, KEPT)


def remembered(user: Any) -> dict[str, TabCount]:
    """By tab; those that have something to count."""
    sight = sight_of(user)
    known = cache.get_many([_key(sight, tab) for tab in WORDS])
    numbers = {tab: known.get(_key(sight, tab), 0) for tab in WORDS}
    return {tab: TabCount(number, WORDS[tab], tab in ATTENTION) for tab, number in numbers.items() if number}


def _key(sight: str, tab: str) -> str:
    return f"tab-{sight}-{tab}"
