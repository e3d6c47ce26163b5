"""The week ahead of a brand, or of the platform: what starts in which hour, what it costs, and what starts at the same minute."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils import timezone

from ...engine.scheduling import cadence
from ...engine.scheduling.ticks import zone_of
from ...models import Brand, Job
from ...states import JobStatus
from .rows import TypeRow
from .words import next_ticks

DAYS, HOURS = 7, 24
MOST_STARTS = 7 * 24 * 60  # of one schedule
MOST_JOBS = 2000
COLLISIONS_NAMED = 5
MANY = 10  # runs that start at the same minute, also of one type


@dataclass
class Cell:
    """One hour of one day: by job type, how many runs start."""

    runs: Counter[str] = field(default_factory=Counter)
    usd: Decimal = Decimal(0)
    collides: bool = False

    @property
    def total(self) -> int:
        return sum(self.runs.values())

    @property
    def level(self) -> int:
        """0 to 4: how full it is, for its shade."""
        return min(len(str(self.total)) + (self.total > 4), 4) if self.total else 0

    @property
    def words(self) -> str:
        """'2 Toy, 1 Marble'."""
        return ", ".join(f"{count} {label}" for label, count in sorted(self.runs.items()))


@dataclass(frozen=True)
class Collision:
    """Several job types, or many runs of one, start at the same minute."""

    at: datetime
    words: str
    runs: int
    rows: list[TypeRow]  # whose runs can be spread over the hour


@dataclass(frozen=True)
class Week:
    days: list[tuple[date, list[Cell]]]
    collisions: list[Collision]
    more_collisions: int
    runs: int
    usd: Decimal
    zone: str
    left_out: int  # schedules beyond MOST_JOBS

    @property
    def hours(self) -> range:
        return range(HOURS)


def week_ahead(brand: Brand | None, rows: Sequence[TypeRow]) -> Week:
    """In two queries. Schedules of one cadence that are due together are worked out once."""
    zone_name = zone_of(Job(brand=brand))
    zone, now = ZoneInfo(zone_name), timezone.now()
    first = now.astimezone(zone).date()
    until = datetime.combine(first + timedelta(days=DAYS), time(), zone)
    price = {row.handler.name: row.price or Decimal(0) for row in rows}
    label = {row.handler.name: row.handler.label for row in rows}
    jobs = Job.objects.filter(Q(brand=brand), job_type__in=label, schedule_type=Job.Schedule.RECURRING, status=JobStatus.ACTIVE)
    found = list(jobs.select_related("brand").order_by("pk")[: MOST_JOBS + 1])
    ticks = next_ticks([job.pk for job in found[:MOST_JOBS]])
    together: Counter[tuple[str, str, str, datetime, datetime | None]] = Counter()
    for job in found[:MOST_JOBS]:
        if tick := ticks.get(job.pk):
            together[job.job_type, job.cron_expression, zone_of(job), tick.due_at, tick.deadline] += 1
    days = [(first + timedelta(days=number), [Cell() for _ in range(HOURS)]) for number in range(DAYS)]
    minutes: dict[datetime, Counter[str]] = defaultdict(Counter)
    for (job_type, expression, of_zone, at, deadline), count in together.items():
        for start in cadence.starts(expression, of_zone, cadence.Due(at, deadline), until, MOST_STARTS):
            local = max(start, now).astimezone(zone)
            number = (local.date() - first).days
            if 0 <= number < DAYS:
                cell = days[number][1][local.hour]
                cell.runs[label[job_type]] += count
                cell.usd += price[job_type] * count
                minutes[local.replace(second=0, microsecond=0)][label[job_type]] += count
    clashes = [(at, runs) for at, runs in sorted(minutes.items()) if len(runs) > 1 or sum(runs.values()) >= MANY]
    movable = {row.handler.label: row for row in rows if row.may_be_spread and not row.spread}
    for at, _ in clashes:
        days[(at.date() - first).days][1][at.hour].collides = True
    named = [
        Collision(
            at,
            _listed([f"{count} {name}" for name, count in sorted(runs.items())]),
            sum(runs.values()),
            [movable[name] for name in sorted(runs) if name in movable],
        )
        for at, runs in clashes[:COLLISIONS_NAMED]
    ]
    cells = [cell for _, cells in days for cell in cells]
    return Week(
        days=days,
        collisions=named,
        more_collisions=len(clashes) - len(named),
        runs=sum(cell.total for cell in cells),
        usd=sum((cell.usd for cell in cells), Decimal(0)),
        zone=zone_name,
        left_out=max(len(found) - MOST_JOBS, 0),
    )


def _listed(names: Sequence[str]) -> str:
    """'1 Marble, 1 Toy and 2 Walk'."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
