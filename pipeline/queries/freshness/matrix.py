"""Brands by datasets: each cell says the worst of its subjects."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from ... import states
from ...models import Brand, DatasetStatus
from ...models.datasets import NUMBER, RUNS_KEPT
from ...states import Badge
from ...words import clock, days
from .counts import Counts
from .datasets import Dataset
from .judged import Judged, judged
from .under_way import Doing, State, with_skips

WORST = (states.STALE, states.RETRY, states.LATE, states.QUEUED, states.RUNNING, states.ON_TRACK, states.NEVER, states.FRESH)
End, MARK = DatasetStatus.End, NUMBER + 1
ENDS: dict[str, Badge] = {
    End.COMPLETED: states.COMPLETED,
    End.DOUBTED: states.CHECK,
    End.FAILED: states.FAILED,
    End.CANCELLED: states.CANCELLED,
}
BrandRows = Mapping[UUID | None, Brand | None]


@dataclass(frozen=True)
class Cell:
    """`worst` of `subjects` have the badge; `words` are about the oldest of those. `runs`: the ends of the last, oldest first."""

    dataset: Dataset
    badge: Badge
    subjects: int
    worst: int
    age: str
    words: str
    attention: bool
    runs: tuple[Badge, ...]

    @property
    def count(self) -> str:
        """'3 of 5'; '' where all say the same."""
        return f"{self.worst} of {self.subjects}" if self.worst < self.subjects else ""


@dataclass(frozen=True)
class BrandRow:
    """`cells`: one for each column; None where the brand has no subject. `brand` None is the platform."""

    brand: Brand | None
    cells: list[Cell | None]

    @property
    def attention(self) -> bool:
        return any(cell is not None and cell.attention for cell in self.cells)


def matrix(brands: BrandRows, columns: Sequence[Dataset]) -> list[BrandRow]:
    """A row for each of the brands, in their order. The number of queries does not grow with brands or subjects."""
    now = timezone.now()
    doing = Doing(brands, now)
    groups: dict[tuple[UUID | None, str], list[Judged]] = {}
    for one in judged(brands, columns, now, named=False):
        groups.setdefault((one.brand_id, one.dataset.key), []).append(one)
    return [
        BrandRow(brand, [cell_of(groups.get((pk, column.key), ()), doing, now) for column in columns])
        for pk, brand in brands.items()
    ]


def needing_attention(brands: BrandRows, columns: Sequence[Dataset]) -> set[UUID | None]:
    """The brands whose rows say so: found by the database, but for those that only skipped runs make late."""
    now = timezone.now()
    found = Counts(brands, now).attention({one.key for one in columns})
    rest = {pk: brand for pk, brand in brands.items() if pk not in found}
    skipped = with_skips(rest, {of.name for one in columns for of in one.types}, now)
    rows = matrix({pk: brands[pk] for pk in skipped}, columns) if skipped else []
    return found | {row.brand.pk if row.brand else None for row in rows if row.attention}


def cell_of(found: Iterable[Judged], doing: Doing, now: datetime) -> Cell | None:
    """None without a subject."""
    stated = [(one, doing.state(one)) for one in found]
    if not stated:
        return None
    ranked = sorted(stated, key=lambda both: (WORST.index(both[1].badge), both[0].known.at or now))
    about, state = ranked[0]
    worst = sum(other.badge is state.badge for _, other in ranked)
    failed = any(one.known.last == DatasetStatus.Last.FAILED for one, _ in ranked)
    return Cell(
        dataset=about.dataset,
        badge=state.badge,
        subjects=len(ranked),
        worst=worst,
        age=_age(about, now),
        words=_words(about, state, now, failed=failed),
        attention=failed
        or state.badge.tone in ("red", "amber")
        or (state.badge is not states.FRESH and about.known.at is not None),
        runs=last_runs(one.known.ends for one, _ in ranked),
    )


def last_runs(ends: Iterable[str]) -> tuple[Badge, ...]:
    """From the rows of several subjects: the newest of all their runs, each once, at its worst."""
    marks = sorted(text[at : at + MARK] for text in ends for at in range(0, len(text), MARK))
    worst = {mark[:NUMBER]: mark[NUMBER] for mark in marks}  # the last one of equal numbers counts
    return tuple(ENDS[end] for end in list(worst.values())[-RUNS_KEPT:])


def _age(one: Judged, now: datetime) -> str:
    return f"{days(now - one.known.at)} old" if one.known.at else "not fetched yet"


def _words(one: Judged, state: State, now: datetime, *, failed: bool) -> str:
    """What is being done about it, or what keeps it from being done, or when it is due."""
    run = state.under_way
    if run and run.held:
        return "its run is held"
    if state.badge is states.RETRY and run:
        return f"next try {clock(run.run.due_at)}"
    if state.badge is states.NEVER:
        return "first run under way" if run else ""
    if state.on_track and run and run.ends_at:
        return f"{'on track, ' if state.badge is states.FRESH else ''}ready by {clock(run.ends_at)}"
    if run:
        return "being fetched"
    if state.skipped and one.badge is states.FRESH:
        return "skipped 3 times"
    return "last run failed" if failed and state.badge is not states.STALE else due_words(one, now)


def due_words(one: Judged, now: datetime) -> str:
    """'due in 5 hours', 'due 2 days ago'."""
    if one.due_at is None:
        return ""
    left = one.due_at - now
    return f"due in {days(left)}" if left > timedelta(0) else f"due {days(-left)} ago"
