"""Active: what is live, in four groups. Each has its first rows and the count of all; held runs are folded by their cause."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median_low
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from ....contract.registry import find_type, label_of
from ....contract.source import source_label
from ....engine.queue.limits import Kind, Stop
from ....models import Run, UpstreamRun
from ....models.runs import RunQuerySet
from ....people import brands_for
from ....states import RunStatus, Verdict
from ....words import counted, in_words
from ...explain import QueueView, scope_words
from ...runs import RunRow, run_row
from .limits import Limits, limits
from .waiting import TRIED, Waiting, held_back, name_brands, waiting

ROWS = 15  # of a group: the first five are shown, the others unfold; what is beyond is counted, and found in the history
USUAL_OF = 5  # the last good runs of the same subject tell what is usual
SLOW = 1.25  # times the usual time


@dataclass(frozen=True)
class ActiveRow:
    row: RunRow
    elapsed: timedelta  # since it was started, or else queued
    usual: timedelta | None = None

    @property
    def emoji(self) -> str:
        handler = find_type(self.row.run.job_type)
        return handler.emoji if handler else ""

    @property
    def label(self) -> str:
        return label_of(self.row.run.job_type)

    @property
    def done(self) -> int | None:
        return self.row.run.progress.get("done")

    @property
    def total(self) -> int | None:
        return self.row.run.progress.get("total")

    @property
    def words(self) -> str:
        """'7 of 12 threads', else what it is at, else why nobody works on it."""
        run = self.row.run
        if self.done is not None:
            of = f" of {self.total:,}" if self.total else ""
            return f"{self.done:,}{of} {run.progress.get('unit', '')}".strip()
        return (run.progress.get("note", "") if run.status == RunStatus.RUNNING else "") or self.row.explanation or "Working."

    @property
    def usual_words(self) -> str:
        return in_words(self.usual) if self.usual is not None else ""

    @property
    def slow(self) -> bool:
        return self.usual is not None and self.elapsed > self.usual * SLOW

    @property
    def pace(self) -> float:
        """Width of the bar, of 100; the usual time ends at two thirds of it."""
        return min(self.elapsed / self.usual / 1.5 * 100, 100.0) if self.usual else 0.0


@dataclass(frozen=True)
class Group:
    rows: list[ActiveRow]
    count: int
    where: str = ""  # of those at an upstream: its label
    note: str = ""

    @property
    def first(self) -> list[ActiveRow]:
        return self.rows[:5]

    @property
    def others(self) -> list[ActiveRow]:
        return self.rows[5:]

    @property
    def beyond(self) -> int:
        return self.count - len(self.rows)


@dataclass(frozen=True)
class Active:
    working: Group
    fetching: Group
    waiting: Group
    held: Waiting
    limits: Limits
    no_worker: str | None

    @property
    def count(self) -> int:
        return self.working.count + self.fetching.count + self.waiting.count + self.held.held_count

    @property
    def sentence(self) -> str:
        """'4 runs working, 6 at Toyland, 6 waiting, 23 held.'"""
        parts = (
            (self.working.count, "working"),
            (self.fetching.count, f"at {self.fetching.where}"),
            (self.waiting.count, "waiting"),
            (self.held.held_count, "held"),
        )
        some = [(count, where) for count, where in parts if count]
        if not some:
            return "Nothing is running."
        (count, where), *others = some
        return ", ".join([f"{counted(count, 'run')} {where}", *(f"{count:,} {where}" for count, where in others)]) + "."

    @property
    def pace(self) -> int:
        """Seconds between two polls: few while something moves by itself."""
        return 3 if self.working.count or self.fetching.count or self.held.free else 15


def active(user: Any = None, job_type: str = "") -> Active:
    """What is live of the brands that are open to the user; of one job type, if it is given."""
    now = timezone.now()
    around = QueueView(now, user)
    runs = Run.objects.filter(brands_for(user).q())
    if job_type:
        runs = runs.filter(job_type=job_type)
    pending = waiting(runs, around)
    name_brands(pending.held[:ROWS])
    fetched = UpstreamRun.objects.filter(run=OuterRef("pk"), status=UpstreamRun.Status.RUNNING)
    at_upstream = runs.filter(status=RunStatus.WAITING, due_at__gt=now).filter(Exists(fetched))
    working = runs.filter(status=RunStatus.RUNNING)
    parked = runs.filter(status=RunStatus.WAITING).exclude(pk__in=at_upstream.order_by().values("pk"))
    counts = _counts(runs, fetched, now)

    queue = runs.filter(~held_back(around), status=RunStatus.PENDING).in_queue_order()
    due = _first(queue.filter(due_at__lte=now))
    later = _first(queue.filter(TRIED, due_at__gt=now)) if len(due) < ROWS else []
    numbers = [
        _first(working.order_by("started_at")),
        _first(at_upstream.order_by("started_at")),
        [*due, *later, *_first(parked.order_by("due_at"))][:ROWS],
    ]
    known = Run.objects.for_rows().in_bulk([pk for group in numbers for pk in group])  # sorted before they are joined
    working_runs, fetching_runs, waiting_runs = ([known[pk] for pk in group if pk in known] for group in numbers)
    usual = _usual([*fetching_runs, *working_runs])
    rows = {run.pk: run_row(run, user, around) for run in [*working_runs, *fetching_runs, *waiting_runs]}
    in_line = [(run, stop) for run in waiting_runs if (stop := _full(run, around))]
    return Active(
        working=Group(_rows(working_runs, rows, usual, now), counts["working"], note="Each holds a worker."),
        fetching=Group(
            _rows(fetching_runs, rows, usual, now), counts["fetching"], where=_where(fetching_runs), note="They hold no worker."
        ),
        waiting=Group(_rows(waiting_runs, rows, {}, now), pending.count + counts["parked"], note=_waits_for(pending, around)),
        held=pending,
        limits=(beside := limits(around, pending.full, in_line)),
        no_worker=None if beside.workers_alive else around.no_worker,
    )


def _counts(runs: RunQuerySet, fetched: QuerySet[UpstreamRun], now: datetime) -> dict[str, int]:
    """Of the runs that a worker or an upstream is at, and of those that wait between steps, in one query."""
    found = (
        runs.filter(status__in=[RunStatus.RUNNING, RunStatus.WAITING])
        .annotate(fetched=Exists(fetched))
        .aggregate(
            working=Count("pk", filter=Q(status=RunStatus.RUNNING)),
            waiting=Count("pk", filter=Q(status=RunStatus.WAITING)),
            fetching=Count("pk", filter=Q(status=RunStatus.WAITING, due_at__gt=now, fetched=True)),
        )
    )
    return {**found, "parked": found["waiting"] - found["fetching"]}


def _first(runs: RunQuerySet) -> list[int]:
    return list(runs.values_list("pk", flat=True)[:ROWS])


def _rows(runs: Iterable[Run], rows: dict[int, RunRow], usual: dict[int, timedelta], now: datetime) -> list[ActiveRow]:
    return [ActiveRow(rows[run.pk], now - (run.started_at or run.created_at), usual.get(run.pk)) for run in runs]


def _usual(runs: Sequence[Run]) -> dict[int, timedelta]:
    """By run, how long the last good runs of its subject took."""
    of_brands = [run.pk for run in runs if run.brand_id]
    of_platform = [run.pk for run in runs if run.brand_id is None]  # NULL is equal to nothing
    took = _last_times(of_brands, Q(brand=OuterRef("brand"))) | _last_times(of_platform, Q(brand=None))
    return {pk: median_low(times) for pk, times in took.items() if times}


def _last_times(runs: Sequence[int], brand: Q) -> dict[int, list[timedelta]]:
    """One after the other by the index: a window function would read all runs of these subjects."""
    if not runs:
        return {}
    alike = Run.objects.filter(brand, job_type=OuterRef("job_type"), subject=OuterRef("subject"))
    good = alike.filter(status=RunStatus.COMPLETED, verdict=Verdict.OK, started_at__isnull=False).order_by("-pk")
    took = good.values_list(F("completed_at") - F("started_at"))
    last = [Subquery(took[back : back + 1]) for back in range(USUAL_OF)]
    rows = Run.objects.filter(pk__in=runs).order_by().values_list("pk", *last)
    return {pk: [time for time in times if time is not None] for pk, *times in rows}


def _where(runs: Iterable[Run]) -> str:
    """The upstreams that these runs are at, in words."""
    open_runs = (one for run in runs for one in run.upstream_runs.all() if one.status == UpstreamRun.Status.RUNNING)
    return " and ".join(sorted({source_label(one.source) for one in open_runs})) or "a data source"


def _full(run: Run, around: QueueView) -> Stop | None:
    """The full limit that keeps the run back."""
    kinds = (Kind.FULL, Kind.FULL_ACCOUNT)
    due = run.status == RunStatus.PENDING and run.due_at <= around.at
    return next((one for one in around.stops if due and one.kind in kinds and one.covers(run.job_type, run.brand_id)), None)


def _waits_for(pending: Waiting, around: QueueView) -> str:
    """'4 for a place at Toyland, 1 for a worker, 1 for another try.'"""
    found: dict[str, int] = {}
    for stop, count in pending.full.items():
        if stop.kind is Kind.FULL_ACCOUNT:
            handler = find_type(stop.job_type)
            what = f"for a place at {source_label(handler.source if handler else '')}"
        else:
            brand = around.limited_brands.get(stop.brand_id) if stop.brand_id else None
            what = f"for the limit of {scope_words(stop.job_type, brand)}"
        found[what] = found.get(what, 0) + count
    parts = [*found.items(), ("for a worker", pending.free), ("for another try", pending.later)]
    words = [f"{count:,} {what}" for what, count in parts if count]
    return f"{', '.join(words)}." if words else ""
