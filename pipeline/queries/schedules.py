"""A schedule in words: when it runs, how often a month, and what that costs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from ..contract.errors import InvalidRequest
from ..engine.scheduling import cron
from ..engine.scheduling.ticks import zone_of
from ..models import Brand, Event, Job
from ..states import JobStatus

TIMES_SHOWN = 5
WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
YEAR = timedelta(days=365)
COUNTED = 10_000  # runs a year; of more often, one day is counted
HOURLY = 745  # runs in the longest month: a schedule of a paid type that runs more often asks first


@dataclass(frozen=True)
class ScheduleRow:
    """The schedule of a subject, as a page shows it."""

    job: Job
    words: str  # 'Every day at 06:00, Los Angeles time'
    runs_a_month: Decimal
    next: str  # 'Mon 4 May 06:00' in the schedule's zone; '' while it is off

    @property
    def on(self) -> bool:
        return self.job.status == JobStatus.ACTIVE

    def cost_a_month(self, price: Decimal | None) -> Decimal | None:
        """USD, where one run costs `price`."""
        return None if price is None else self.runs_a_month * price


def schedules(job_type: str, brand_id: UUID | None, subjects: Sequence[str]) -> dict[str, ScheduleRow]:
    """By subject, its schedule, in one query. One that is switched off is among them."""
    jobs = Job.objects.filter(
        Q(brand_id=brand_id), job_type=job_type, subject__in=subjects, schedule_type=Job.Schedule.RECURRING
    ).exclude(status=JobStatus.ARCHIVED)
    return {job.subject: schedule_row(job) for job in jobs.select_related("brand", "created_by")}


def schedule_row(job: Job) -> ScheduleRow:
    zone = zone_of(job)
    coming = next_times(job.cron_expression, zone, 1) if job.status == JobStatus.ACTIVE else []
    words = f"{cron_in_words(job.cron_expression)}, {zone_in_words(zone)}"
    return ScheduleRow(job, words, runs_a_month(job.cron_expression, zone), next((tick_in_words(time) for time in coming), ""))


def when_in_words(job: Job) -> str:
    """'Every day at 03:00, America/Los_Angeles. Next: …'; 'Once' for a one-time job."""
    if not job.recurring:
        return "Once"
    zone = zone_of(job)
    following = ", ".join(tick_in_words(time) for time in next_times(job.cron_expression, zone))
    return f"{cron_in_words(job.cron_expression)}, {zone}. Next: {following}"


def cron_in_words(expression: str) -> str:
    """'Every Monday at 06:00' for what the page's form makes; other expressions as the cron library describes them."""
    fields = plain_cron(expression)
    if fields is None:
        return cron.in_words(expression)
    minute, hour, day, weekday = fields
    every = (
        f"Every {WEEKDAYS[int(weekday) % 7]}" if weekday != "*" else f"Every month on day {day}" if day != "*" else "Every day"
    )
    return f"{every} at {int(hour):02}:{int(minute):02}"


def plain_cron(expression: str) -> tuple[str, str, str, str] | None:
    """Minute, hour, day and weekday of once a day, a week or a month, which the page's form makes; None for any other."""
    plain = re.fullmatch(r"(\d+) (\d+) (\d+|\*) \* ([0-7]|\*)", expression.strip())
    if plain is None or "*" not in plain.groups()[2:]:
        return None
    minute, hour, day, weekday = plain.groups()
    return minute, hour, day, weekday


def zone_in_words(zone: str) -> str:
    return f"{zone.rpartition('/')[2].replace('_', ' ')} time"


def zone_for(brand: Brand | None, job: Job | None = None) -> str:
    """The zone that a schedule of the brand runs in."""
    return zone_of(job or Job(brand=brand))


def tick_in_words(time: datetime) -> str:
    """'Mon 4 May 06:00', in the zone that the time has."""
    return f"{time:%a} {time.day} {time:%b %H:%M}"


def next_times(expression: str, zone: str, count: int = TIMES_SHOWN) -> list[datetime]:
    """Its next times, in its zone."""
    return [time.astimezone(ZoneInfo(zone)) for time in cron.next_times(expression, zone, timezone.now(), count)]


def runs_a_month(expression: str, zone: str) -> Decimal:
    """A twelfth of the runs of a year: 30 for every day, 4.3 for every week."""
    now = timezone.now()
    count = cron.count_between(expression, zone, now, now + YEAR, COUNTED)
    if count == COUNTED:
        count = 365 * cron.count_between(expression, zone, now, now + timedelta(days=1), COUNTED)
    return (Decimal(count) / 12).quantize(Decimal(1) if count >= 120 else Decimal("0.1"))


def question(runs: Decimal, price: Decimal | None) -> str:
    """What to ask before a schedule of a paid type is saved that runs very often or costs much; '' where it may just be saved."""
    if not price or (runs <= HOURLY and runs * price <= settings.PIPELINE_SCHEDULE_ASK_USD):
        return ""
    return f"That is {runs:,} runs and ≈ ${runs * price:,.2f} a month."


def changes(job: Job, count: int = TIMES_SHOWN) -> list[Event]:
    """Who changed the schedule, newest first."""
    kinds = ["scheduled", "rescheduled", "switch_on", "switch_off", "pause", "resume", "archive"]
    return list(job.events.filter(kind__in=kinds).order_by("-pk")[:count])


def wrong_cron(expression: str) -> str:
    """What is wrong with a cron expression; '' if nothing is."""
    try:
        cron.check(expression)
    except InvalidRequest as error:
        return str(error)
    return ""
