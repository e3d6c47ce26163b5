"""Cron expressions in a time zone. Pure functions."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from django.core.exceptions import ValidationError

from ...contract.errors import InvalidRequest
from ...words.zones import validate_time_zone

MINUTES = 24 * 60  # of a day


def check(expression: str, zone: str = "") -> None:
    """InvalidRequest if the expression is not five valid cron fields, or the zone does not exist."""
    try:
        if len(expression.split()) == 6:  # cronsim would read six fields as seconds first
            raise CronSimError("Wrong number of fields")
        CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise InvalidRequest(
            f"{expression!r} is not a schedule: {error}. Use five fields, such as 0 3 * * * for every day at 03:00.",
            {"cron_expression": [str(error)]},
        ) from error
    try:
        if zone:
            validate_time_zone(zone)
    except ValidationError as error:
        raise InvalidRequest(error.messages[0], {"time_zone": error.messages}) from error


def next_times(expression: str, zone: str, after: datetime, count: int = 1) -> list[datetime]:
    """The next `count` times strictly after `after`, in UTC. Fewer if the expression has no more within 50 years."""
    return list(islice(_times(expression, zone, after), count))


def between(expression: str, zone: str, after: datetime, until: datetime, at_most: int) -> list[datetime]:
    """Its times after `after` and up to `until`, at most `at_most` of them."""
    return list(takewhile(lambda time: time <= until, islice(_times(expression, zone, after), at_most)))


def count_between(expression: str, zone: str, after: datetime, until: datetime, at_most: int) -> int:
    """How many of its times lie after `after` and up to `until`; at most `at_most` are counted."""
    return len(between(expression, zone, after, until, at_most))


@lru_cache(maxsize=1_000)
def times_a_year(expression: str, year: int) -> int:
    """Its times of one day, on each of its days, in 365 days of a zone without daylight saving: quicker than one by one."""
    minute, hour, *days = expression.split()
    before = datetime(year, 1, 1, tzinfo=UTC) - timedelta(minutes=1)
    of_a_day = between(f"{minute} {hour} * * *", "UTC", before, before + timedelta(days=1), MINUTES)
    its_days = between(" ".join(["0 0", *days]), "UTC", before, before + timedelta(days=365), MINUTES)
    return len(of_a_day) * len(its_days)


def _times(expression: str, zone: str, after: datetime) -> Iterator[datetime]:
    """All its times after `after`, in UTC, each later than the one before."""
    for local in CronSim(expression, after.astimezone(ZoneInfo(zone))):
        time = local.astimezone(UTC)
        # In the hour that clocks repeat, cronsim takes the second 01:30 for the first and answers with times that have passed.
        if time > after:
            yield time
            after = time


def in_words(expression: str) -> str:
    """The schedule as a sentence."""
    return CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC)).explain()
