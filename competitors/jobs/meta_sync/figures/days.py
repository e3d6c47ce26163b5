"""A window day by day: the account's own total of each day, and the sum of its ads beside it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

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
    of_ads: Figures
    own: Figures | None
    lacking: int  # days that have ads, but no total of the account's own

    @property
    def total(self) -> Figures:
        return added(day.now for day in self.days)

    @property
    def before(self) -> Figures:
        return added(day.before for day in self.days)

    @property
    def unexplained(self) -> Decimal | None:
        """What was spent, but by no ad that Meta lists."""
        if self.own is None or self.own.spend is None:
            return None
        return self.own.spend - (self.of_ads.spend or Decimal(0))


def days(account: AdAccount, window: Window, today: date) -> Days:
    """The account's own total counts, since it is what was paid; without it, the ads' of that day."""
    ads, own = sums.by_day(account, window), sums.own_by_day(account, window)
    back = timedelta(days=window.length)

    def of(day: date) -> Figures:
        return own.get(day) or ads.get(day) or Figures()

    found = [Day(day, of(day), of(day - back), day == today) for day in window.days]
    lacking = sum(day in ads and day not in own for day in window.days)
    total = _inside(own, window)
    return Days(found, _inside(ads, window), total if total.known and not lacking else None, lacking)


def of_one_ad(figures: dict[date, Figures], window: Window, today: date) -> list[Day]:
    back = timedelta(days=window.length)
    return [Day(day, figures.get(day, Figures()), figures.get(day - back, Figures()), day == today) for day in window.days]


def _inside(figures: dict[date, Figures], window: Window) -> Figures:
    inside: Iterable[Figures] = (one for day, one in figures.items() if day >= window.since)
    return added(inside)
