"""Two runs beside each other, what differs first: parameters, price, counts, times."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Sum
from django.utils import timezone

from ....models import Attempt, Run, UpstreamRun
from ...run_detail import spans_of, type_fields
from ...runs import RunRow, run_rows

COUNTS = ("new", "changed", "unchanged", "duplicate", "rejected", "raw")


@dataclass(frozen=True)
class Fact:
    """`kind` is how the page writes both values: text, usd or duration."""

    about: str
    name: str
    kind: str
    a: Any
    b: Any


@dataclass(frozen=True)
class Comparison:
    a: RunRow
    b: RunRow
    differ: list[Fact]
    same: list[Fact]

    @property
    def rows(self) -> tuple[RunRow, RunRow]:
        return self.a, self.b


def compare(a: Run, b: Run, user: Any) -> Comparison:
    """Both read with `for_rows`."""
    first, second = run_rows([a, b], user)
    facts = list(_facts(_known(a), _known(b)))
    return Comparison(first, second, [one for one in facts if one.a != one.b], [one for one in facts if one.a == one.b])


def _facts(a: dict[tuple[str, str, str], Any], b: dict[tuple[str, str, str], Any]) -> Iterator[Fact]:
    """In the order of the first; what only the second has comes last in its group."""
    keys = list(dict.fromkeys([*a, *b]))
    groups = list(dict.fromkeys(about for about, _, _ in keys))
    for about, name, kind in sorted(keys, key=lambda key: groups.index(key[0])):
        yield Fact(about, name, kind, a.get((about, name, kind)), b.get((about, name, kind)))


def _known(run: Run) -> dict[tuple[str, str, str], Any]:
    """By group, name and kind: what is known of the run."""
    known: dict[tuple[str, str, str], Any] = {}
    known |= {("Parameters", name, "text"): value for name, value in type_fields(run)["parameters"]}
    known["Parameters", "Version of the code", "text"] = str(run.code_version or "")
    bought = UpstreamRun.objects.filter(run=run).aggregate(cap=Sum("cost_cap"), items=Sum("max_items"))
    known["Price", "Estimate", "usd"] = run.cost_estimate
    known["Price", "Cost", "usd"] = run.cost_actual
    known["Price", "At most", "usd"] = bought["cap"]
    known["Price", "Items asked for, at most", "text"] = _number(bought["items"])
    counts = run.counts or {}
    known |= {
        ("Counts", name.capitalize(), "text"): _number(counts[name])
        for name in dict.fromkeys([*COUNTS, *counts])
        if name in counts
    }
    attempts = list(Attempt.objects.filter(run=run))
    spent: defaultdict[str, float] = defaultdict(float)
    for span in spans_of(run, attempts, timezone.now()):
        spent[span.kind] += round(span.seconds, 1)
    took = run.completed_at - run.started_at if run.completed_at and run.started_at else None
    known["Times", "Took", "duration"] = took and timedelta(seconds=round(took.total_seconds(), 1))
    known["Times", "In line", "duration"] = spent["queue"]
    known["Times", "At its data source", "duration"] = spent["upstream"]
    known["Times", "Working", "duration"] = spent["work"]
    known["Times", "Attempts", "text"] = _number(len(attempts))
    return known


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value or "")
