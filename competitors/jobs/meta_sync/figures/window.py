"""The days that are looked at. They are the ad account's own: Meta counts them in its zone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from django.utils import timezone

from competitors.models import AdAccount

A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Window:
    """Both days are part of it."""

    since: date
    until: date

    @classmethod
    def of_days(cls, until: date, count: int) -> "Window":
        return cls(until - timedelta(days=count - 1), until)

    @property
    def length(self) -> int:
        return (self.until - self.since).days + 1

    @cached_property
    def days(self) -> list[date]:
        return [self.since + timedelta(days=number) for number in range(self.length)]

    @cached_property
    def months(self) -> list[date]:
        """First days of the calendar months that are part of it as a whole. There is no gap between these."""
        firsts = [day for day in self.days if day.day == 1]
        return firsts if (self.until + A_DAY).day == 1 else firsts[:-1]

    def with_days_to_come(self) -> "Window":
        """To the end of its last month. Of a window that ends today the sums are the same: there are no rows of later days."""
        return Window(self.since, self._month_after(self.until) - A_DAY)

    @cached_property
    def loose(self) -> list[tuple[date, date]]:
        """The days around these months: first and last of each part."""
        if not self.months:
            return [(self.since, self.until)]
        first, after = self.months[0], self._month_after(self.months[-1])
        around = [(self.since, first - A_DAY), (after, self.until)]
        return [(since, until) for since, until in around if since <= until]

    @cached_property
    def rest(self) -> tuple[date, date] | None:
        """The days after it, to the end of its last month, if they are fewer than the days of that month in it."""
        first, after = max(self.since, self.until.replace(day=1)), self._month_after(self.until)
        left, inside = (after - self.until).days - 1, (self.until - first).days + 1
        return (self.until + A_DAY, after - A_DAY) if first.day == 1 and 0 < left < inside else None

    @staticmethod
    def _month_after(day: date) -> date:
        return (day.replace(day=1) + timedelta(days=31)).replace(day=1)

    @cached_property
    def before(self) -> "Window":
        """As many days, just before."""
        return Window.of_days(self.since - A_DAY, self.length)

    @property
    def words(self) -> str:
        """'22 Apr to 5 May 2026'."""
        if self.length == 1:
            return day_in_words(self.until, year=True)
        return f"{day_in_words(self.since, year=self.since.year != self.until.year)} to {day_in_words(self.until, year=True)}"

    @property
    def length_in_words(self) -> str:
        return "day" if self.length == 1 else f"{self.length} days"


def stretches(days: Iterable[date]) -> list[tuple[date, date]]:
    """First and last of each row of days without a gap: a list of hundreds of days is most often one or two of these."""
    found: list[tuple[date, date]] = []
    for day in sorted(days):
        if found and day - found[-1][1] == A_DAY:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def day_in_words(day: date, *, year: bool = False) -> str:
    return f"{day.day} {day:%b %Y}" if year else f"{day.day} {day:%b}"


def zone_of(account: AdAccount) -> ZoneInfo:
    """UTC until Meta has named the account's, or if it names one that this machine does not know."""
    try:
        return ZoneInfo(account.time_zone)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def today_of(account: AdAccount) -> date:
    return timezone.now().astimezone(zone_of(account)).date()


def first_moment(account: AdAccount, window: Window) -> datetime:
    return datetime.combine(window.since, time.min, zone_of(account))
