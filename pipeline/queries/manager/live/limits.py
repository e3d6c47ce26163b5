"""The limits beside the live runs: how much of each is used, who holds it, who waits for it; pauses, and the day's money."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db.models import F, Q, Sum
from django.utils import timezone

from ....contract.registry import find_type
from ....contract.source import source_label
from ....engine.queue.limits import Kind, Stop
from ....engine.queue.limits import limit as stop_of
from ....models import ConcurrencyLimit, Pause, Run, UpstreamRun, Worker
from ....people import Brands
from ....words import counted
from ...explain import QueueView, pause_words, scope_words

MOST = 12  # limits that the page shows: those that are used up first
SLOTS = 20  # more of them are one bar
NAMED = 5
NEAR = Decimal("0.8")  # of a limit: from there on it is amber


@dataclass(frozen=True)
class Slot:
    """A piece of a bar, of 100."""

    x: float
    width: float
    kind: str  # used, wait, free


@dataclass(frozen=True)
class LimitRow:
    """`used` is None where it would tell of brands that are not open to the reader."""

    label: str
    allowed: int
    used: int | None = None
    waiting: int = 0
    holders: list[int] = field(default_factory=list)
    waiters: list[int] = field(default_factory=list)
    full: bool = False
    limit: ConcurrencyLimit | None = None

    @property
    def sentence(self) -> str:
        if self.limit and not self.allowed:
            return "0: nothing starts until it is raised."
        if self.waiting:
            return f"{counted(self.waiting, 'run')} waiting."
        if not self.allowed:
            return "None is alive."
        if self.used is None:
            return "Reached." if self.full else "Not reached."
        free = max(self.allowed - self.used, 0)
        return f"{free} free." if free else "All in use. Nothing waits."

    @property
    def slots(self) -> list[Slot]:
        used = self.used or 0
        total = max(self.allowed, used + self.waiting, 1)
        if total > SLOTS:
            ends = [(used, "used"), (self.waiting, "wait"), (total - used - self.waiting, "free")]
        else:
            ends = [(1, "used")] * used + [(1, "wait")] * self.waiting + [(1, "free")] * (total - used - self.waiting)
        slots, at = [], 0.0
        for size, kind in ends:
            if not size:
                continue
            width = size / total * 100
            slots.append(Slot(round(at + 0.5, 1), round(max(width - 1, 0.5), 1), kind))
            at += width
        return slots

    @property
    def tick(self) -> float | None:
        total = max(self.allowed, (self.used or 0) + self.waiting)
        return round(self.allowed / total * 100, 1) if total > self.allowed else None


@dataclass(frozen=True)
class Money:
    """USD of today. `whole`: everybody's, so that it can be measured against the limit."""

    label: str
    spent: Decimal
    reserved: Decimal
    limit: Decimal
    whole: bool = True

    @property
    def both(self) -> Decimal:
        return self.spent + self.reserved

    @property
    def near(self) -> bool:
        return self.whole and self.both >= self.limit * NEAR

    @property
    def part(self) -> int:
        """Percent of the limit."""
        return int(self.both / self.limit * 100) if self.limit else 100

    @property
    def widths(self) -> tuple[float, float]:
        """Of what is spent and of what is reserved, of 100."""
        if not self.limit:
            return 100.0, 0.0
        spent = min(float(self.spent / self.limit * 100), 100.0)
        return round(spent, 1), round(min(float(self.reserved / self.limit * 100), 100.0 - spent), 1)


@dataclass(frozen=True)
class PauseRow:
    pause: Pause
    words: str


@dataclass(frozen=True)
class Limits:
    workers_alive: int
    workers: LimitRow | None  # None for who sees only some brands: others' runs hold them too
    rows: list[LimitRow]
    more: int  # limits that are not shown
    money: list[Money]
    pauses: list[PauseRow]
    resting: list[str]  # per upstream account that must be left alone, a sentence

    @property
    def reserved(self) -> Decimal:
        return self.money[0].reserved


def limits(around: QueueView, waiting: Counter[Stop], in_line: Sequence[tuple[Run, Stop]]) -> Limits:
    """`waiting`: how many runs wait for each full limit. `in_line`: the first of them."""
    brands = around.brands
    known = ConcurrencyLimit.objects.select_related("brand").filter(_visible(brands))
    held = _held_accounts(known) if brands.every else {}
    rows = [_row(one, around, waiting, in_line, held) for one in known]
    rows.sort(key=lambda row: (-row.waiting, not row.full, row.label))
    alive = Worker.objects.alive(around.at).filter(kind=Worker.Kind.WORKER).count()
    workers = LimitRow("Workers", alive, len(around.running), holders=[pk for pk, *_ in around.running][:NAMED])
    return Limits(
        workers_alive=alive,
        workers=workers if brands.every else None,
        rows=rows[:MOST],
        more=max(len(rows) - MOST, 0),
        money=money(brands, around.at),
        pauses=[PauseRow(one, pause_words(one)) for one in pauses(around)],
        resting=sorted({stop.reason for stop in around.stops if stop.kind is Kind.RESTING}),
    )


def pauses(around: QueueView) -> list[Pause]:
    """Those that keep back runs which the reader may see."""
    return [one for one in around.pauses if around.brands.every or one.brand_id is None or one.brand_id in around.brands]


def money(brands: Brands, at: datetime) -> list[Money]:
    """All of today first, then by upstream account where there are several. In one query."""
    midnight = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    started = UpstreamRun.objects.paid().filter(brands.q("run__brand"), intent_at__gte=midnight)
    settled = Q(cost_settled=True)
    sums = (
        started.order_by()
        .values_list("source")
        .annotate(spent=Sum("cost", filter=settled), reserved=Sum("cost", filter=~settled))
    )
    limit = settings.PIPELINE_DAILY_SPEND_LIMIT_USD
    by_source = [
        Money(f"At {source_label(source)}", spent or Decimal(0), reserved or Decimal(0), limit, brands.every)
        for source, spent, reserved in sums.order_by("source")
    ]
    whole = Money(
        "Money today" if brands.every else "Money of your brands today",
        sum((one.spent for one in by_source), Decimal(0)),
        sum((one.reserved for one in by_source), Decimal(0)),
        limit,
        brands.every,
    )
    return [whole, *by_source] if len(by_source) > 1 else [whole]


def _visible(brands: Brands) -> Q:
    """Limits of the open brands, and of all brands."""
    return Q() if brands.every else Q(brand__isnull=True) | Q(brand__in=brands.ids or ())


def _held_accounts(known: Iterable[ConcurrencyLimit]) -> dict[str, list[int]]:
    """By upstream account with a limit, the runs that hold its places."""
    sources = [one.source for one in known if one.source]
    found: dict[str, list[int]] = {source: [] for source in sources}
    open_rows = UpstreamRun.objects.filter(source__in=sources, status__in=UpstreamRun.OPEN, deadline__gt=timezone.now())
    for source, run in open_rows.order_by(F("pk")).values_list("source", "run_id") if sources else ():
        found[source].append(run)
    return found


def _row(
    one: ConcurrencyLimit,
    around: QueueView,
    waiting: Counter[Stop],
    in_line: Sequence[tuple[Run, Stop]],
    held: dict[str, list[int]],
) -> LimitRow:
    stop = stop_of(one.job_type, one.brand_id, one.max_running)
    if one.source:
        label = f"Places at {source_label(one.source)}"
        waits = {full for full in waiting if full.kind is Kind.FULL_ACCOUNT and _source(full.job_type) == one.source}
        full = any(now.kind is Kind.FULL_ACCOUNT and _source(now.job_type) == one.source for now in around.stops)
        holders = held.get(one.source)
    else:
        label = scope_words(one.job_type, one.brand, more=" at once")
        label = f"{label[0].upper()}{label[1:]}"
        waits, full = {stop} & waiting.keys(), stop in around.stops
        shared = one.brand_id is None and not around.brands.every
        holders = None if shared else [pk for pk, name, brand in around.running if stop.covers(name, brand)]
    return LimitRow(
        label=label,
        allowed=one.max_running,
        used=None if holders is None else len(holders),
        waiting=sum(waiting[full] for full in waits),
        holders=(holders or [])[:NAMED],
        waiters=[run.pk for run, full in in_line if full in waits][:NAMED],
        full=full,
        limit=one,
    )


def _source(job_type: str) -> str:
    handler = find_type(job_type)
    return handler.source if handler else ""
