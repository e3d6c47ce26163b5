"""Times, durations and numbers of things in words."""

from datetime import datetime, timedelta

from django.utils import timezone


def in_words(duration: timedelta) -> str:
    """'9 min', '12 s', '2 h 5 min'."""
    seconds = max(int(duration.total_seconds()), 0)
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours = seconds // 60 % 60, seconds // 3600
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def clock(moment: datetime) -> str:
    """'14:02', or '4 May 14:02' on another day."""
    local = timezone.localtime(moment)
    return f"{local:%H:%M}" if local.date() == timezone.localdate() else f"{local.day} {local:%b %H:%M}"


def time_of_day(moment: datetime) -> str:
    """'08:41', in the zone that the moment has: that of a schedule may not be the site's."""
    return f"{moment:%H:%M}"


def to_the_second(moment: datetime | None = None) -> str:
    """'14:02:11', for what is followed as it happens. Now, where no moment is given."""
    return f"{timezone.localtime(moment):%H:%M:%S}"


def stamp(moment: datetime) -> str:
    """'2026-05-04T07:02:11.123-07:00': for files, in the same zone as every page and log, with its distance from UTC."""
    return timezone.localtime(moment).isoformat(timespec="milliseconds")


def days(age: timedelta) -> str:
    """'2 days', '5 hours', '10 minutes'."""
    seconds = int(age.total_seconds())
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            return f"{seconds // size} {unit}{'' if seconds // size == 1 else 's'}"
    return "less than a minute"


def words_ago(moment: datetime, now: datetime) -> str:
    """'5 minutes ago', or 'in 5 minutes' for a time ahead."""
    seconds = (now - moment).total_seconds()
    ahead, seconds = seconds < -1, abs(seconds)
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size:
            count = int(seconds // size)
            words = f"{count} {unit}{'' if count == 1 else 's'}"
            return f"in {words}" if ahead else f"{words} ago"
    return "just now"


def counted(number: int, thing: str) -> str:
    """'1 run', '1,840 runs'."""
    return f"{number:,} {thing if number == 1 else plural(thing)}"


def plural(thing: str) -> str:
    """'runs', 'searches'."""
    return f"{thing}{'es' if thing.endswith(('s', 'x', 'ch', 'sh')) else 's'}"
