"""A schedule in words: when it runs, how often a month, and what that costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone

from ...contract.errors import InvalidRequest
from ...engine.scheduling import cadence, cron
from ...engine.scheduling.ticks import zone_of
from ...models import Brand, Event, Job, Run
from ...states import JobStatus
from ...words.zones import validate_time_zone

TIMES_SHOWN = 5
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
    found = list(jobs.select_related("brand", "created_by"))
    told = next_ticks([job.pk for job in found if cadence.learns(job.cron_expression)])
    return {job.subject: schedule_row(job, told.get(job.pk)) for job in found}


def next_ticks(job_ids: Sequence[int]) -> dict[int, Run]:
    """By job, its run that is due next."""
    if not job_ids:
        return {}
    ticks = Run.objects.live().filter(job_id__in=job_ids, scheduled_for__isnull=False)
    return {run.job_id: run for run in ticks.only("job_id", "due_at", "deadline", "status", "subject_label")}


def schedule_row(job: Job, tick: Run | None = None) -> ScheduleRow:
    """`tick`: its next run, where the time of that cannot be told from the schedule alone; read if it is not given."""
    zone, coming = zone_of(job), ""
    if job.status == JobStatus.ACTIVE and cadence.learns(job.cron_expression):
        tick = tick or next_ticks([job.pk]).get(job.pk)
        coming = tick_in_words(tick.due_at.astimezone(ZoneInfo(zone))) if tick else ""
    elif job.status == JobStatus.ACTIVE:
        coming = next((tick_in_words(time) for time in next_times(job.cron_expression, zone, 1)), "")
    return ScheduleRow(job, when_it_runs(job.cron_expression, zone), runs_a_month(job.cron_expression, zone), coming)


def when_it_runs(expression: str, zone: str) -> str:
    """'Every day at 06:00, Los Angeles time'."""
    words = cadence.in_words(expression)
    return words if cadence.kind(expression) == cadence.FRESH else f"{words}, {zone_in_words(zone)}"


def when_in_words(job: Job) -> str:
    """'Every day at 03:00, America/Los_Angeles. Next: …'; 'Once' for a one-time job."""
    if not job.recurring:
        return "Once"
    zone = zone_of(job)
    words = f"{cadence.in_words(job.cron_expression)}, {zone}."
    if cadence.learns(job.cron_expression):
        return words
    following = ", ".join(tick_in_words(time) for time in next_times(job.cron_expression, zone))
    return f"{words} Next: {following}" if following else words


def zone_exists(zone: str) -> bool:
    try:
        validate_time_zone(zone)
    except ValidationError:
        return False
    return True


def zone_in_words(zone: str) -> str:
    return f"{zone.rpartition('/')[2].replace('_', ' ')} time"


def zone_for(brand: Brand | None, job: Job | None = None) -> str:
    """The zone that a schedule of the brand runs in."""
    return zone_of(job or Job(brand=brand))


def tick_in_words(time: datetime) -> str:
    """'Mon 4 May 06:00', in the zone that the time has."""
    return f"{time:%a} {time.day} {time:%b %H:%M}"


def next_times(expression: str, zone: str, count: int = TIMES_SHOWN) -> list[datetime]:
    """Its next times, in its zone: of `ready` the deadlines; none of `fresh`."""
    now = timezone.now()
    if expression and cadence.kind(expression) == cadence.ONCE:
        times = [time for time in [cadence.once_at(expression, zone)] if time > now]
    else:
        found = cadence.cron_of(expression)
        times = cron.next_times(found, zone, now, count) if found else []
    return [time.astimezone(ZoneInfo(zone)) for time in times]


def runs_a_month(expression: str, zone: str) -> Decimal:
    """A twelfth of the runs of a year: 30 for every day, 4.3 for every week."""
    count = cadence.runs_a_year(expression, zone, timezone.now())
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
        cadence.check(expression)
    except InvalidRequest as error:
        return str(error)
    return ""
