"""What each actor of the sandbox provides."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..config import Config
from ..plan import Item, Plan


@dataclass
class World:
    """The made-up world that actors read: the same for the same seed, and a day older only on request."""

    config: Config
    base_url: str  # the sandbox's address, for links to media
    days: list[int] = field(default_factory=list)  # for each made-up day since the beginning: new reviews per listing
    _readings: Counter[str] = field(default_factory=Counter)  # by URL
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def seed(self) -> int:
        return self.config.seed

    def count_reading(self, url: str) -> int:
        """Count a run that reads this URL. Return how many did so before."""
        with self._lock:
            self._readings[url] += 1
            return self._readings[url] - 1


class Actor(Protocol):
    id: str  # opaque, like Apify's
    name: str  # user~name
    title: str
    memory_mbytes: int  # default of a start
    timeout_secs: int  # default of a start
    price_per_1000_usd: float
    unit_name: str  # what is charged: "review"

    def problem(self, given: dict[str, Any]) -> str | None:
        """Why this input is refused, or None."""

    def plan(self, given: dict[str, Any], world: World) -> Plan:
        """What a run with this valid input writes."""

    def error_item(self, given: dict[str, Any]) -> Item:
        """The item that the actor writes when it finds nothing or fails."""

    def altered(self, plan: Plan, given: dict[str, Any], faults: dict[str, Any]) -> Plan:
        """The plan after those faults of a run that are about this actor's items."""
