"""A started run: its request, what it will write, and its state at any moment."""

from dataclasses import dataclass, field
from typing import Any

from .actors import Actor
from .ids import opaque_id
from .life import TERMINAL, Life
from .plan import Item, Plan


@dataclass
class Options:
    """The options of a start, with the actor's defaults filled in."""

    memory_mbytes: int
    timeout_secs: int  # 0: no limit
    build: str = "latest"
    max_items: int | None = None
    max_total_charge_usd: float | None = None


@dataclass
class Run:
    actor: Actor
    options: Options
    body: bytes  # the input, byte for byte
    content_type: str
    user_agent: str | None
    client_ip: str
    started: float  # epoch seconds
    life: Life
    plan: Plan
    price_usd: float  # of one item
    settle_seconds: float
    faults: dict[str, Any] = field(default_factory=dict)  # the fault_kinds.OF_A_RUN of this run
    id: str = field(default_factory=opaque_id)
    dataset_id: str = field(default_factory=opaque_id)
    store_id: str = field(default_factory=opaque_id)
    queue_id: str = field(default_factory=opaque_id)
    earlier_items: list[Item] = field(default_factory=list)  # from before a resurrection
    resurrections: int = 0
    gone: bool = False
    dataset_gone: bool = False

    def status(self, now: float) -> str:
        status = self.life.status(now)
        return self.faults.get("odd_status", status) if status == "RUNNING" else status

    def ended(self, now: float) -> bool:
        return self.life.status(now) in TERMINAL

    def finished(self, now: float) -> float | None:
        """Epoch seconds of its end, or None before it."""
        return self.life.ends if self.ended(now) else None

    def item_count(self, now: float) -> int:
        return len(self.earlier_items) + self.plan.written(self.life.done(now))

    def items(self, now: float, start: int = 0, stop: int | None = None) -> list[Item]:
        """Rows of the dataset at that moment. Those from before a resurrection come first."""
        count = self.item_count(now) if stop is None else min(stop, self.item_count(now))
        earlier = len(self.earlier_items)
        return self.earlier_items[start:count] + self.plan.rows[max(0, start - earlier) : max(0, count - earlier)]

    def message(self, now: float) -> str:
        status = self.life.status(now)
        if status == "READY":
            return "Waiting for a free server"
        if status == "SUCCEEDED" and "plan_limit" in self.faults:
            return f"Free plan: stopped after {self.item_count(now)} results. Upgrade your plan for all of them."
        if status == "SUCCEEDED":
            stopped = " Stopped early: the limit of this run was reached." if self.plan.capped else ""
            return f"Actor succeeded with {self.item_count(now)} results in the dataset.{stopped}"
        last = self.plan.message(self.life.done(now))
        return {
            "FAILED": f"The Actor process failed. Last: {last}",
            "TIMED-OUT": f"The Actor run has reached the timeout of {self.options.timeout_secs} seconds. Last: {last}",
            "ABORTED": f"The Actor was aborted. Last: {last}",
        }.get(status, last)

    def charged(self, now: float) -> int:
        """Number of items that are paid for: those written, up to the caps. The dataset may have more."""
        caps: list[float] = [self.item_count(now)]
        if self.options.max_items is not None:
            caps.append(self.options.max_items)
        if self.options.max_total_charge_usd is not None and self.price_usd > 0:
            caps.append(self.options.max_total_charge_usd / self.price_usd + 1e-9)
        return int(min(caps))

    def cost(self, now: float) -> float:
        """USD as the API shows it: the charge so far, and only half of it until costs have settled."""
        full = self.charged(now) * self.price_usd
        finished = self.finished(now)
        settled = finished is not None and now >= finished + self.settle_seconds
        return round(full if settled else full / 2, 6)
