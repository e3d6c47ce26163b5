"""The table's rows, from top to bottom, and the target for ours in each."""

from dataclasses import dataclass
from statistics import median
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

    def verdict(self, row: "Row", figures: "Figures", options: dict[str, Any]) -> str:
        name = self.row.label.format(**options).rpartition(", ")[0] if self.row else self.of
        text = f"{self.sign} {self.bound:g} × {name}" if name else f"{self.sign} {self.bound:,g}"
        value = middle(figures.get((row, OURS)))
        basis = middle(figures.get((self.row or row, self.of or OURS))) if name else 1.0
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


Figures = dict[tuple[Row, str], list[float]]  # one of each round


def middle(values: list[float] | None) -> float | None:
    """The median; what did not come in time in any round has none."""
    if not values:
        return None
    return max(values) if isinstance(max(values), MoreThan) else median(values)


def spread(values: list[float] | None) -> str:
    """The median and, of several rounds, the least and the greatest."""
    text = cell(middle(values))
    if not values or cell(min(values)) == cell(max(values)):
        return text
    return f"{text} ({cell(min(values))}–{cell(max(values))})"


def cell(value: float | None) -> str:
    if value is None:
        return "–"
    if value != value:  # a measurement that failed
        return "failed"
    if isinstance(value, MoreThan):
        return f"> {value:g}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


# ---- workers that wait for work
P50 = Row("workers", "pick-up p50, ms")
P95 = Row(
    "workers",
    "pick-up p95, ms",
    (Target("≤", 1.0, of=PROCRASTINATE, only_on="postgresql"), Target("≤", 15, only_on="sqlite")),
)
LONGEST = Row("workers", "pick-up max, ms")
ENQUEUE = Row("workers", "enqueue one after the other, ms")
CLICK_P50 = Row("workers", "enqueue of a single click p50, ms", (Target("≤", 2.5),))
CLICK_P95 = Row("workers", "enqueue of a single click p95, ms")
# ---- a queue that is worked off
BULK = Row("drain", "bulk enqueue, a second", (Target("≥", 8000),))
DRAIN = Row(
    "drain",
    "drain of {runs:,}, a second",
    (
        Target("≥", 1.0, of=PROCRASTINATE, only_on="postgresql"),
        Target("≥", 900, only_on="postgresql"),
        Target("≥", 5, of=STOCK, only_on="sqlite"),
    ),
)
KEPT = (Target("≥", 0.8, row=DRAIN),)
BACKLOG = Row("backlog", "drain with a backlog of {backlog:,}", KEPT)
SATURATED = Row("stops", "drain behind {backlog:,} whose type is stopped by a limit", KEPT)
PAUSED = Row("stops", "drain behind {backlog:,} whose brand is paused", KEPT)
LIMITED = Row("stops", "drain with limits in use, none reached", KEPT)
HISTORY = Row("history", "drain with a history of {history:,}", KEPT)
READER = Row("history", "drain, and a REPEATABLE READ reader open")
HISTORY_P99 = Row("history", "pick-up p99 with that history, ms")
READER_P99 = Row("history", "pick-up p99, and the reader open, ms", (Target("≤", 3, row=HISTORY_P99),))
CLAIM = Row("growth", "a claim with 1,000 pending, ms")
CLAIM_OF_MANY = Row("growth", "a claim with {pending:,} pending, ms", (Target("≤", 1.3, row=CLAIM),))
# ---- idle, and killed
IDLE_CPU = Row("workers", "idle, CPU s a minute", (Target("≤", 0.3, only_on="postgresql"), Target("≤", 0.5, only_on="sqlite")))
IDLE_TRANSACTIONS = Row("workers", "idle, transactions a minute")
BUSY_KILLED = Row("busy", "busy worker killed, s until its job begins again", (Target("≤", 3),))
IDLE_KILLED = Row("workers", "all idle workers killed, s until the next job begins", (Target("≤", 1),))
HOST_DEAD = Row("host", "host dead, lease of 5 s, s until its job begins again", (Target("≤", 7),))
SLEEPS = Row(
    "sleeps",
    "1,000 × sleep of 20 s, s until all went on",
    (Target("≤", 22, only_on="postgresql"), Target("≤", 23, only_on="sqlite")),
)
ROWS = [row for row in globals().values() if isinstance(row, Row)]
MEASURES = list(dict.fromkeys(row.measure for row in ROWS))
