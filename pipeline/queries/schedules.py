"""A schedule in words."""

from zoneinfo import ZoneInfo

from django.utils import timezone

from ..engine.scheduling import cron
from ..engine.scheduling.ticks import zone_of
from ..models import Job

TIMES_SHOWN = 5


def when_in_words(job: Job) -> str:
    """'At 03:00 every day, America/Los_Angeles. Next: …'; 'Once' for a one-time job."""
    if not job.recurring:
        return "Once"
    zone = zone_of(job)
    times = cron.next_times(job.cron_expression, zone, timezone.now(), TIMES_SHOWN)
    following = ", ".join(f"{one.astimezone(ZoneInfo(zone)):%d %b %H:%M}" for one in times)
    return f"{cron.in_words(job.cron_expression)}, {zone}. Next: {following}"
