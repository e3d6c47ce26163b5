"""What each actor of the sandbox provides."""

from dataclasses import dataclass
from typing import Any, Protocol

from ..config import Config
from ..plan import Item, Plan


@dataclass
class World:
    """The made-up world that actors read: the same for the same seed, and a day older only on request."""

    config: Config
    days: list[int]  # for each made-up day since the beginning: the number of new reviews per listing

    @property
    def seed(self) -> int:
        return self.config.seed


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
