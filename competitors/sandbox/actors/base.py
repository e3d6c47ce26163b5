"""What an actor of the sandbox has to offer."""

from dataclasses import dataclass
from typing import Any, Protocol

from ..config import Config
from ..plan import Item, Plan


@dataclass
class World:
    """The made-up outside world that actors look at: the same for the same seed, and it grows older only when told."""

    config: Config
    days: list[int]  # one entry for each made-up day since the beginning: how many new things came up per subject

    @property
    def seed(self) -> int:
        return self.config.seed


class Actor(Protocol):
    id: str  # opaque, as Apify's
    name: str  # user~name
    title: str
    memory_mbytes: int  # default of a start
    timeout_secs: int  # default of a start
    price_per_1000_usd: float
    unit_name: str  # the thing that is charged: "review"

    def problem(self, given: dict[str, Any]) -> str | None:
        """Why this input is refused, or None."""

    def plan(self, given: dict[str, Any], world: World) -> Plan:
        """What a run with this (valid) input writes."""

    def error_item(self, given: dict[str, Any]) -> Item:
        """An item such as the actor writes where it found nothing or failed."""
