"""The table's rows, from top to bottom, and the target for ours in each."""

from dataclasses import dataclass
from typing import Any

OURS, STOCK, PROCRASTINATE = "ours", "stock django-q2", "procrastinate"


class MoreThan(float):
    """It had not happened when the benchmark stopped waiting."""


@dataclass(frozen=True)
class Target:
    """At most or at least the bound, or the bound × another figure (of the same row, unless `row` names one)."""

    sign: str
    bound: float
    of: str = ""
    row: "Row | None" = None
    only_on: str = ""

    def verdict(self, row: "Row", figures: dict[tuple["Row", str], float], options: dict[str, Any]) -> str:
        name = self.row.label.format(**options).rpartition(", ")[0] if self.row else self.of
        text = f"{self.sign} {self.bound:g} × {name}" if name else f"{self.sign} {self.bound:,g}"
        value = figures.get((row, OURS))
        basis = figures.get((self.row or row, self.of or OURS)) if name else 1.0
        if value is None or basis is None:
            return text
        ratio = value / basis
        met = not isinstance(value, MoreThan) and (ratio <= self.bound if self.sign == "≤" else ratio >= self.bound)
        return f"{text}: {cell(ratio) if name else cell(value)} {'✓' if met else '✗'}"


@dataclass(frozen=True)
class Row:
    measure: str  # the function in measures.py that fills it
    label: str
    targets: tuple[Target, ...] = ()


def cell(value: float | None) -> str:
    if value is None:
        return "–"
    if value != value:  # a measurement that failed
        return "failed"
    if isinstance(value, MoreThan):
        return f"> {value:g}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


P50 = Row("pickup", "pick-up p50, ms")
P95 = Row(
    "pickup",
    "pick-up p95, ms",
    (Target("≤", 1.25, of=PROCRASTINATE, only_on="postgresql"), Target("≤", 30, only_on="sqlite")),
)
LONGEST = Row("pickup", "pick-up max, ms")
ENQUEUE = Row("pickup", "enqueue one after the other, ms", (Target("≤", 5),))
CLICK_P50 = Row("pickup", "enqueue of a single click p50, ms", (Target("≤", 5),))
CLICK_P95 = Row("pickup", "enqueue of a single click p95, ms")
BULK = Row("drain", "bulk enqueue, a second", (Target("≥", 2000),))
DRAIN = Row(
    "drain",
    "drain of {runs:,}, a second",
    (Target("≥", 0.7, of=PROCRASTINATE, only_on="postgresql"), Target("≥", 5, of=STOCK)),
)
BACKLOG = Row("backlog", "drain with a backlog of {backlog:,}", (Target("≥", 0.8, row=DRAIN),))
SATURATED = Row("saturated", "drain behind a backlog, its type saturated", (Target("≥", 0.8, row=DRAIN),))
HISTORY = Row("history", "drain with a history of {history:,}", (Target("≥", 0.8, row=DRAIN),))
READER = Row("history", "drain, and a REPEATABLE READ reader open")
HISTORY_P99 = Row("history", "pick-up p99 with that history, ms")
READER_P99 = Row("history", "pick-up p99, and the reader open, ms", (Target("≤", 3, row=HISTORY_P99),))
IDLE_CPU = Row("idle", "idle, CPU s a minute", (Target("≤", 0.4, only_on="postgresql"), Target("≤", 1, only_on="sqlite")))
IDLE_TRANSACTIONS = Row("idle", "idle, transactions a minute")
BUSY_KILLED = Row("busy", "busy worker killed, s until its job begins again", (Target("≤", 3),))
IDLE_KILLED = Row("killed", "all idle workers killed, s until the next job begins", (Target("≤", 1),))
HOST_DEAD = Row("host", "host dead, lease of 5 s, s until its job begins again", (Target("≤", 7),))
SLEEPS = Row("sleeps", "1,000 × sleep of 20 s, s until all went on", (Target("≤", 25),))
ROWS = [row for row in globals().values() if isinstance(row, Row)]
MEASURES = list(dict.fromkeys(row.measure for row in ROWS))
