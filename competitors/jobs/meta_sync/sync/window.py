"""The days of a sync, as the ad account counts them: its day is not ours."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

MOST_BACK = 1_095  # Meta keeps 37 months
DEMOGRAPHIC_DAYS = 7  # of more days, parts of a day take Meta too long
OF_A_REPORT = 90  # days


@dataclass(frozen=True)
class Window:
    """Both days are part of it."""

    since: date
    until: date

    @classmethod
    def ending(cls, now: datetime, zone: str, days_back: int) -> "Window":
        """Up to today, which is not over yet. `zone` is the account's; UTC if Meta does not tell it."""
        today = now.astimezone(ZoneInfo(zone or "UTC")).date()
        return cls(today - timedelta(days=days_back), today)

    @property
    def days(self) -> int:
        return (self.until - self.since).days + 1

    def last(self, days: int) -> "Window":
        return Window(max(self.since, self.until - timedelta(days=days - 1)), self.until)

    def pieces(self, days: int) -> Iterator["Window"]:
        since = self.since
        while since <= self.until:
            until = min(since + timedelta(days=days - 1), self.until)
            yield Window(since, until)
            since = until + timedelta(days=1)

    def __str__(self) -> str:
        return f"{self.since} to {self.until}"
