"""Active: what is live, in four groups. Each has its first rows and the count of all; held runs are folded by their cause."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median_low
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Value, When, Window, prefetch_related_objects
from django.db.models.functions import RowNumber
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

    fetching_runs, working_runs = _first(at_upstream.order_by("started_at")), _first(working.order_by("started_at"))
    usual = _usual([*fetching_runs, *working_runs])
    waits = Q(status=RunStatus.PENDING) & ~held_back(around) & (Q(due_at__lte=now) | TRIED)
    due_first = Case(When(due_at__lte=now, then=Value(0)), default=Value(1))
    queue = runs.filter(waits).order_by(due_first, "priority", "order_at", "pk")
    waiting_runs = [*_first(queue), *_first(parked.order_by("due_at"))][:ROWS]
    prefetch_related_objects([*working_runs, *fetching_runs, *waiting_runs], "upstream_runs")
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
    there = Q(status=RunStatus.WAITING, due_at__gt=now, fetched=True)
    found: dict[str, int] = (
        runs.filter(status__in=[RunStatus.RUNNING, RunStatus.WAITING])
        .annotate(fetched=Exists(fetched))
        .aggregate(
            working=Count("pk", filter=Q(status=RunStatus.RUNNING)),
            fetching=Count("pk", filter=there),
            parked=Count("pk", filter=Q(status=RunStatus.WAITING) & ~there),
        )
    )
    return found


def _first(runs: RunQuerySet) -> list[Run]:
    return list(runs.select_related("job", "brand", "created_by")[:ROWS])


def _rows(runs: Iterable[Run], rows: dict[int, RunRow], usual: dict[Any, timedelta], now: datetime) -> list[ActiveRow]:
    return [
        ActiveRow(rows[run.pk], now - (run.started_at or run.created_at), usual.get((run.job_type, run.brand_id, run.subject)))
        for run in runs
    ]


def _usual(runs: Sequence[Run]) -> dict[Any, timedelta]:
    """By type, brand and subject, how long its last good runs took, in one query for all of these runs."""
    brands: dict[str, set[UUID | None]] = defaultdict(set)
    for run in runs:
        brands[run.job_type].add(run.brand_id)
    of = Q(pk__in=[])
    for job_type, ids in brands.items():
        whose = Q(brand__in=ids - {None}) | Q(brand=None) if None in ids else Q(brand__in=ids)
        of |= Q(whose, job_type=job_type, subject__in={run.subject for run in runs if run.job_type == job_type})
    last = Window(RowNumber(), partition_by=[F("job_type"), F("brand"), F("subject")], order_by=F("id").desc())
    good = Run.objects.filter(of, status=RunStatus.COMPLETED, verdict=Verdict.OK, started_at__isnull=False)
    took: dict[Any, list[timedelta]] = defaultdict(list)
    latest = good.order_by().annotate(back=last).filter(back__lte=USUAL_OF) if runs else good.none()
    for *subject, start, end in latest.values_list("job_type", "brand_id", "subject", "started_at", "completed_at"):
        if start and end:
            took[tuple(subject)].append(end - start)
    return {subject: median_low(times) for subject, times in took.items()}


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
