"""How each job type did over fourteen days, and what was spent. From the tallies of days; only today's spend is read live."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db.models import QuerySet, Sum
from django.utils import timezone

from ...contract.job_type import JobType
from ...contract.registry import find_type, offered_types
from ...contract.source import source_label
from ...engine.upstreams.budget import spent_by_source
from ...models import DayTally, DayTotal
from ...people import Brands

DAYS = 14
WELL, FAIRLY = 95, 90  # percent of runs that succeed: below the first amber, below the second red
NEAR = 80  # percent of the day's limit


@dataclass(frozen=True)
class Day:
    day: date
    good: int = 0
    doubted: int = 0
    failed: int = 0

    @property
    def worked(self) -> int:
        return self.good + self.doubted

    @property
    def ended(self) -> int:
        return self.worked + self.failed


@dataclass(frozen=True)
class TypeDays:
    handler: JobType
    days: list[Day]
    seconds: float
    usd: Decimal

    @cached_property
    def worked(self) -> int:
        return sum(day.worked for day in self.days)

    @cached_property
    def failed(self) -> int:
        return sum(day.failed for day in self.days)

    @property
    def ended(self) -> int:
        return self.worked + self.failed

    @property
    def percent(self) -> int | None:
        """Rounded down, so that 100 means all of them."""
        return 100 * self.worked // self.ended if self.ended else None

    @property
    def tone(self) -> str:
        if self.percent is None or self.percent >= WELL:
            return ""
        return "amber" if self.percent >= FAIRLY else "red"

    @property
    def usual(self) -> timedelta | None:
        return timedelta(seconds=self.seconds / self.worked) if self.worked else None

    @property
    def usd_a_run(self) -> Decimal | None:
        return self.usd / self.ended if self.ended else None


@dataclass(frozen=True)
class Money:
    """Spent and reserved, USD. `sources`: name, today, this month."""

    today: Decimal
    limit: Decimal
    month: Decimal
    month_limit: Decimal
    month_name: str
    sources: list[tuple[str, Decimal, Decimal]]

    @property
    def percent(self) -> int:
        return int(100 * self.today / self.limit) if self.limit else 100

    @property
    def tone(self) -> str:
        return "red" if self.percent >= 100 else "amber" if self.percent >= NEAR else "grey"


def type_days(brands: Brands, at: datetime) -> list[TypeDays]:
    """Every type that people start, in the registry's order."""
    today = timezone.localdate(at)
    first = today - timedelta(days=DAYS - 1)
    rows = _tallies(brands).filter(day__gte=first, day__lte=today).order_by().values("job_type", "day")
    days: dict[str, dict[date, Day]] = defaultdict(dict)
    sums = rows.annotate(
        good_n=Sum("good"), doubted_n=Sum("doubted"), failed_n=Sum("failed"), took=Sum("seconds"), spent=Sum("usd")
    )
    seconds: dict[str, float] = defaultdict(float)
    usd: dict[str, Decimal] = defaultdict(Decimal)
    for row in sums:
        name = row["job_type"]
        days[name][row["day"]] = Day(row["day"], row["good_n"], row["doubted_n"], row["failed_n"])
        seconds[name] += row["took"]
        usd[name] += row["spent"]
    every = [first + timedelta(days=number) for number in range(DAYS)]
    return [
        TypeDays(one, [days[one.name].get(day, Day(day)) for day in every], seconds[one.name], usd[one.name])
        for one in offered_types()
    ]


def _tallies(brands: Brands) -> QuerySet[Any]:
    """Of all brands, a row for each type and day; else one for each brand too."""
    return DayTotal.objects.all() if brands.every else DayTally.objects.filter(brands.q())


def money(brands: Brands, at: datetime) -> Money:
    today = timezone.localdate(at)
    begin = today.replace(day=1)
    spent = spent_by_source(at, of=brands.q("run__brand"))
    month: dict[str, Decimal] = defaultdict(Decimal, spent)
    earlier = _tallies(brands).filter(usd__gt=0, day__gte=begin, day__lt=today).order_by()
    for name, usd in earlier.values_list("job_type").annotate(sum=Sum("usd")):
        handler = find_type(name)
        month[handler.source if handler else ""] += usd
    limit = settings.PIPELINE_DAILY_SPEND_LIMIT_USD
    length = ((begin + timedelta(days=31)).replace(day=1) - begin).days
    return Money(
        today=sum(spent.values(), Decimal(0)),
        limit=limit,
        month=sum(month.values(), Decimal(0)),
        month_limit=limit * length,
        month_name=f"{today:%B}",
        sources=sorted((source_label(name) or "Other", spent.get(name, Decimal(0)), usd) for name, usd in month.items()),
    )
