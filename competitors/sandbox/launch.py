"""Makes a run from a start request: its plan, its duration and its faults."""

import math
from dataclasses import dataclass, replace
from typing import Any

from .actors import Actor
from .config import Config
from .life import Life
from .plan import Batch, Plan
from .run import Options, Run

#: READY lasts READY_SHARE of a run, at most READY_MOST seconds.
READY_SHARE, READY_MOST = 0.05, 1.0


@dataclass(frozen=True)
class Start:
    """A valid start: only the account's limits can still refuse it."""

    actor: Actor
    given: dict[str, Any]  # the input, parsed
    body: bytes
    content_type: str
    options: Options
    user_agent: str | None
    client_ip: str
    path: str  # of the request, for faults that are limited to a path

    @classmethod
    def again(cls, run: Run, given: dict[str, Any], options: Options) -> "Start":
        return cls(run.actor, given, run.body, run.content_type, options, run.user_agent, run.client_ip, path="")


def make_run(start: Start, plan: Plan, config: Config, faults: dict[str, Any], now: float) -> Run:
    """``plan`` is what the actor would write without caps, faults, a time-out or an abort."""
    price = config.price_of(start.actor.price_per_1000_usd, now)
    plan = _with_other_items(start.actor.altered(plan, start.given, faults), faults)
    plan = _capped(plan, start.options, price)
    seconds = config.seconds_for(plan.stages)
    plan, ending, share = _with_faults(plan, start, faults)
    ready = min(seconds * READY_SHARE, READY_MOST)
    life = Life(
        began=now,
        ready=ready,
        work=(seconds - ready) * share,
        ending=ending,
        timeout=start.options.timeout_secs or math.inf,
        closing=config.closing_seconds(seconds),
        never_starts="never_starts" in faults,
        never_ends="never_ends" in faults,
    )
    return Run(
        actor=start.actor,
        options=start.options,
        body=start.body,
        content_type=start.content_type,
        user_agent=None if "strip_user_agent" in faults else start.user_agent,
        client_ip=start.client_ip,
        started=now,
        life=life,
        plan=plan,
        price_usd=price,
        settle_seconds=config.settle_seconds + faults.get("late_costs", 0),
        faults=faults,
    )


def _with_other_items(plan: Plan, faults: dict[str, Any]) -> Plan:
    """The plan with fewer items, or with some of them twice."""
    if (share := faults.get("hide_items")) is not None:
        batches = []
        seen = 0
        for batch in plan.batches:
            kept = [item for n, item in enumerate(batch.items, start=seen) if int((n + 1) * share) == int(n * share)]
            batches.append(Batch(batch.stage, kept))
            seen += len(batch.items)
        plan = replace(plan, batches=batches)
    if (share := faults.get("repeat_items")) is not None and plan.batches:
        again = Batch(plan.batches[-1].stage, plan.rows[: int(plan.total * share)])
        plan = replace(plan, batches=[*plan.batches, again])
    return plan


def _capped(plan: Plan, options: Options, price_usd: float) -> Plan:
    """The plan, stopped at the lower cap of the start."""
    limit = math.inf if options.max_items is None else float(options.max_items)
    if options.max_total_charge_usd is not None and price_usd > 0:
        limit = min(limit, options.max_total_charge_usd / price_usd + 1e-9)
    return plan.capped_at(limit)


def _with_faults(plan: Plan, start: Start, faults: dict[str, Any]) -> tuple[Plan, str, float]:
    """The plan after its faults, the status at its end, and the share of its time that it takes."""
    if "no_items" in faults:
        return Plan(plan.stages, plan.unit, plan.noun, [], log=plan.log), "SUCCEEDED", 1.0
    if "only_errors" in faults:
        item = start.actor.error_item(start.given)
        batches = [Batch(stage, [item]) for stage in range(1, plan.stages + 1)]
        return Plan(plan.stages, plan.unit, plan.noun, batches, log=plan.log), "SUCCEEDED", 1.0
    if "plan_limit" in faults:
        return plan.cut(faults["plan_limit"]), "SUCCEEDED", 1.0
    if "end_as" in faults:
        ending, _, text = faults["end_as"].partition(":")
        share = float(text) if text else 0.5
        return plan.cut(share), ending, share
    return plan, "SUCCEEDED", 1.0
