"""What a job type is made of, and what its methods answer."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from ..models import Brand, Run
from .context import Context
from .parameters import ParameterForm


@dataclass(frozen=True)
class Subject:
    """What a run is about, within its brand: the key is compared and stored, never read into."""

    key: str = ""
    label: str = ""
    url: str = ""


@dataclass(frozen=True)
class Estimate:
    """What a click would cost, before it."""

    cost_usd: Decimal
    cap_usd: Decimal
    seconds: int


@dataclass(frozen=True)
class Done:
    """A handler's answer. `records` moves the freshness clock's figure; a verdict but 'ok' leaves the clock standing."""

    counts: dict[str, int] = field(default_factory=dict)
    records: int = 0
    summary: str = ""
    verdict: str = "ok"
    reason: str = ""


class JobType:
    """Base of every job type. Subclasses say what the work is; the decorator below says what it is called."""

    name: ClassVar[str]
    label: ClassVar[str]
    emoji: ClassVar[str]
    datasets: ClassVar[dict[str, str]]  # key -> label
    source: ClassVar[str]  # the upstream it pays, '' for none
    max_age: ClassVar[timedelta]  # how old its data may be and still count as fresh
    version: ClassVar[int]  # of the code that records steps
    max_runtime: ClassVar[timedelta] = timedelta(minutes=30)  # of one attempt at work; waiting upstream does not count
    Params: type[ParameterForm]

    def subject(self, brand: Brand | None, params: dict[str, Any]) -> Subject:
        """What these parameters are about; one live run per (type, brand, subject)."""
        return Subject()

    def subjects(self, brand: Brand | None) -> list[Subject]:
        """Every subject the brand has, scraped or not: freshness is counted over these."""
        return [Subject()]

    def estimate(self, brand: Brand | None, params: dict[str, Any]) -> Estimate | None:
        """Cost and time of a run with these parameters; None where nothing is paid."""
        return None

    def run(self, ctx: Context, params: dict[str, Any]) -> Done:
        """Do the work. May be called again after a crash or failure: steps, paid starts and landed pages are kept."""
        raise NotImplementedError(f"{type(self).__name__} has no run()")

    def on_completed(self, run: Run, fetched_at: datetime) -> None:
        """Called in the transaction that completes the run, and in the one in which a person accepts it as good."""
