"""A window day by day: the account's own total of each day, and the sum of its ads beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property

from competitors.models import AdAccount

from . import sums
from .rates import Figures, added
from .window import Window


@dataclass(frozen=True, slots=True)
class Day:
    """`before`: the day that stands for it in the period before."""

    date: date
    now: Figures
    before: Figures
    today: bool = False  # not over yet


@dataclass(frozen=True)
class Days:
    """`own`: what Meta says of the account itself, None where that lacks a day of which ads are known."""

    days: list[Day]
    own: Figures | None
    lacking: int  # days that have ads, but no total of the account's own

    @cached_property
    def total(self) -> Figures:
        return added(day.now for day in self.days)

    @cached_property
    def before(self) -> Figures:
        return added(day.before for day in self.days)

    def unexplained(self, of_ads: Figures) -> Decimal | None:
        """What was spent, but by no ad that Meta lists."""
        if self.own is None or self.own.spend is None:
            return None
        return self.own.spend - (of_ads.spend or Decimal(0))


def days(account: AdAccount, window: Window, today: date) -> Days:
    """The account's own total counts, since it is what was paid; without it, the ads' of that day."""
    own = sums.own_by_day(account, window)
    ads = sums.by_day(account, [day for day in (*window.before.days, *window.days) if day not in own])
    total = added(own[day] for day in window.days if day in own)
    lacking = sum(day in ads for day in window.days)
    return Days(in_order(own | ads, window, today), total if total.known and not lacking else None, lacking)


def in_order(figures: Mapping[date, Figures], window: Window, today: date) -> list[Day]:
    """Each day of the window, known or not."""
    back, none = timedelta(days=window.length), Figures()
    return [Day(day, figures.get(day, none), figures.get(day - back, none), day == today) for day in window.days]
