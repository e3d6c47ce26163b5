"""When a schedule is next due. A cadence is one expression; all functions here are pure.

0 6 * * 1-5              at these times: a cron expression
fresh 72h                before the data is 72 hours old
ready 0 9 * * 1-5        so early that the data is there at these times
once 2026-05-04T09:00    at this time alone
"""

import hashlib
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, islice, takewhile
from zoneinfo import ZoneInfo

from ...contract.errors import InvalidRequest
from ...words import counted
from . import cron

CRON, FRESH, READY, ONCE = "cron", "fresh", "ready", "once"
_FRESH = re.compile(r"fresh (\d{1,4})h")
MOST_HOURS = 90 * 24
RUNS_LEARNED_FROM = 10  # the last runs tell how long the next one takes
LEARNED_FROM = 3  # fewer tell too little
EARLIEST = timedelta(hours=3)  # before a deadline, however long runs took
SPREAD = timedelta(minutes=30)  # over which subjects that are due together start
MOST_SPREAD = timedelta(hours=2)
PAUSE = timedelta(hours=1)  # after a run that did not make the data fresh; twice as long after the next one
MOST_DOUBLED = 10
LAST_MINUTE = 59  # of an hour
YEAR = timedelta(days=365)
WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
TWICE = re.compile(r"(\d+) (\d+),(\d+) \* \* \*")  # a day


@dataclass(frozen=True)
class Past:
    """What the next due time depends on besides the clock.

    `took`: the last good runs, newest first, each from when it was due to its end, its time in line included. `guess`: what
    to expect while there are too few of them. `failed`: runs since `fetched_at` that did not refresh the data. `key`: of the
    subject; it spreads subjects that are due together.
    """

    took: Sequence[timedelta] = ()
    guess: timedelta = timedelta(minutes=30)
    fetched_at: datetime | None = None
    ended_at: datetime | None = None
    failed: int = 0
    key: str = ""

    @property
    def lead(self) -> timedelta:
        """How long before its deadline a run starts: 9 of 10 runs were quicker."""
        if len(self.took) < LEARNED_FROM:
            return min(max([self.guess, *self.took]), EARLIEST)
        took = sorted(self.took[:RUNS_LEARNED_FROM])
        return min(took[math.ceil(0.9 * len(took)) - 1], EARLIEST)

    def offset(self, spread: timedelta) -> timedelta:
        """The subject's own part of `spread`, always the same."""
        digest = hashlib.sha256(self.key.encode()).digest()
        return timedelta(seconds=int(spread.total_seconds() * int.from_bytes(digest[:4], "big") / 2**32))


@dataclass(frozen=True)
class Due:
    """A run is to start `at`. `deadline`: when its data has to be there; None where the time itself was asked for."""

    at: datetime
    deadline: datetime | None = None


def kind(expression: str) -> str:
    first = expression.partition(" ")[0]
    return first if first in (FRESH, READY, ONCE) else CRON


def learns(expression: str) -> bool:
    """Whether the next due time depends on the past."""
    return kind(expression) in (FRESH, READY)


def cron_of(expression: str) -> str:
    """The cron expression in it; '' where it has none."""
    match kind(expression):
        case "ready":
            return expression.partition(" ")[2]
        case "cron":
            return expression
        case _:
            return ""


def within(expression: str) -> timedelta:
    """How old the data may become, of `fresh`."""
    found = _FRESH.fullmatch(expression)
    return timedelta(hours=int(found[1])) if found else timedelta(0)


def once_at(expression: str, zone: str) -> datetime:
    """The time of `once`, in UTC. Where clocks are put forward over it, the time that they then show; of two, the first."""
    return datetime.fromisoformat(expression.partition(" ")[2]).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def spreads(expression: str) -> bool:
    """Whether its runs can be spread over the rest of the hour: it starts at one minute of it, which is not the last."""
    minute = expression.partition(" ")[0]
    return kind(expression) == CRON and minute.isdecimal() and int(minute) < LAST_MINUTE


def spread(expression: str, place: int, of: int) -> str:
    """The cadence of one of `of` subjects that start one after the other, all after the minute that it says, in the same hour."""
    minute, rest = expression.split(" ", 1)
    left = LAST_MINUTE + 1 - int(minute)
    return f"{int(minute) + (place + 1) * left // (of + 1)} {rest}"


def check(expression: str, zone: str = "") -> None:
    """InvalidRequest if there is no such cadence, or no such zone."""
    match kind(expression):
        case "fresh":
            if not timedelta(hours=1) <= within(expression) <= timedelta(hours=MOST_HOURS):
                raise _refused(f"{expression!r} is not a schedule. Write the hours like fresh 72h, from 1 to {MOST_HOURS}.")
            cron.check("0 0 * * *", zone)
        case "once":
            cron.check("0 0 * * *", zone)
            try:
                local = datetime.fromisoformat(expression.partition(" ")[2])
            except ValueError as error:
                raise _refused(f"{expression!r} is not a schedule. Write the time like once 2026-05-04T09:00.") from error
            if local.tzinfo or not 2000 <= local.year <= 2200:
                raise _refused(f"{expression!r} is not a schedule. Write the time in the schedule's own zone, without an offset.")
        case _:
            cron.check(cron_of(expression), zone)


def next_due(
    expression: str, zone: str, after: datetime, at: datetime, past: Past, taken: Collection[datetime] = ()
) -> Due | None:
    """The next run after `after`, as seen at `at`. None if no time is left.

    `taken`: times after `after`, or deadlines of `ready`, that already had their run.
    """
    match kind(expression):
        case "fresh":
            return _before_it_is_stale(within(expression), at, past)
        case "once":
            once = once_at(expression, zone)
            return Due(once) if once > after and once not in taken else None
    times = cron.next_times(cron_of(expression), zone, after, len(taken) + 1)
    time = next((time for time in times if time not in taken), None)
    if time is None or kind(expression) == CRON:
        return Due(time) if time else None
    return Due(latest_start(time, past, at), time)


def latest_start(deadline: datetime, past: Past, at: datetime) -> datetime:
    return max(deadline - past.lead, at)


def _before_it_is_stale(may_be: timedelta, at: datetime, past: Past) -> Due:
    """Early enough to end in time. Subjects that are due together start one after the other; one that failed waits longer."""
    if past.fetched_at is None:
        due = stale = at + past.offset(SPREAD)
    else:
        stale = past.fetched_at + may_be
        early = min(past.lead, may_be / 4) + past.offset(min(may_be / 12, MOST_SPREAD))
        due = max(stale - early, at + past.offset(SPREAD) if stale - early <= at else at)
    if past.ended_at:
        pause = min(PAUSE * 2 ** min(max(past.failed - 1, 0), MOST_DOUBLED), max(may_be / 2, PAUSE))
        due = max(due, past.ended_at + pause)
    return Due(due, stale)


def count_between(expression: str, zone: str, after: datetime, until: datetime, at_most: int) -> int:
    """How many of its times, or deadlines, lie after `after` and up to `until`; at most `at_most` are counted."""
    found = cron_of(expression)
    return cron.count_between(found, zone, after, until, at_most) if found else 0


def runs_a_year(expression: str, zone: str, at: datetime) -> int:
    """How many runs it makes from then on."""
    match kind(expression):
        case "fresh":
            return YEAR // within(expression)
        case "once":
            return int(at < once_at(expression, zone) <= at + YEAR)
        case _:
            return cron.times_a_year(cron_of(expression), at.year)


def starts(expression: str, zone: str, first: Due, until: datetime, at_most: int) -> list[datetime]:
    """The starts that are foreseen from its next one, `first`, up to `until`."""
    match kind(expression):
        case "fresh":
            every = (first.at + number * within(expression) for number in count())
            return list(takewhile(lambda time: time <= until, islice(every, at_most)))
        case "once":
            return [first.at] if first.at <= until else []
    lead = first.deadline - first.at if first.deadline else timedelta(0)
    later = cron.between(cron_of(expression), zone, first.deadline or first.at, until + lead, at_most)
    return [time for time in [first.at, *(time - lead for time in later)] if time <= until][:at_most]


def _refused(words: str) -> InvalidRequest:
    return InvalidRequest(words, {"cron_expression": [words]})


def in_words(expression: str) -> str:
    """'Every Monday at 06:00' for what the page's form makes; other expressions as the cron library describes them."""
    match kind(expression):
        case "fresh":
            hours = within(expression) // timedelta(hours=1)
            return f"Kept fresh within {counted(hours, 'hour') if hours % 24 else counted(hours // 24, 'day')}"
        case "ready":
            return f"Ready by {_deadline_in_words(cron_of(expression))}"
        case "once":
            local = once_at(expression, "UTC")
            return f"Once at {local.day} {local:%b %Y, %H:%M}"
    fields = plain_cron(expression)
    if fields is None:
        if twice := TWICE.fullmatch(expression.strip()):
            return "Every day at " + " and ".join(f"{int(hour):02}:{int(twice[1]):02}" for hour in twice.groups()[1:])
        return cron.in_words(expression)
    minute, hour, day, weekday = fields
    every = (
        f"Every {WEEKDAYS[int(weekday) % 7]}" if weekday != "*" else f"Every month on day {day}" if day != "*" else "Every day"
    )
    return f"{every} at {int(hour):02}:{int(minute):02}"


def _deadline_in_words(expression: str) -> str:
    """'09:00, Monday to Friday'."""
    plain = re.fullmatch(r"(\d+) (\d+) \* \* (\*|1-5)", expression)
    if plain is None:
        words = in_words(expression)
        return words[:1].lower() + words[1:]
    return f"{int(plain[2]):02}:{int(plain[1]):02}, {'every day' if plain[3] == '*' else 'Monday to Friday'}"


def plain_cron(expression: str) -> tuple[str, str, str, str] | None:
    """Minute, hour, day and weekday of once a day, a week or a month, which the page's form makes; None for any other."""
    plain = re.fullmatch(r"(\d+) (\d+) (\d+|\*) \* ([0-7]|\*)", expression.strip())
    if plain is None or "*" not in plain.groups()[2:]:
        return None
    minute, hour, day, weekday = plain.groups()
    return minute, hour, day, weekday


def said_in_full(expression: str) -> bool:
    """Whether its words say all about its times, so that examples of them say no more."""
    return kind(expression) != CRON or bool(plain_cron(expression) or TWICE.fullmatch(expression.strip()))


def told(expression: str) -> str:
    """'every day at 06:00', within a sentence. A cron expression that says more than its words stands as it is."""
    words = in_words(expression)
    return f"{words[:1].lower()}{words[1:]}" if said_in_full(expression) else expression
