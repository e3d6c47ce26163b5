"""One schedule is made, changed or ended, in the caller's transaction, under the claim's lock. Its future run moves with it."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from ...models import Brand, Job, ScheduleRule
from ...states import JobStatus, RunStatus
from ..database import CLAIM_LOCK, lock, now
from ..journal import record_event
from . import cadence
from .place import follow_job, locked_with_run
from .ticks import drop_future_tick, reschedule, tell_skipped


@dataclass(frozen=True)
class ScheduleOptions:
    """What a schedule is to be, beyond its cron expression and parameters.

    `enabled`: False switches it off, True on again, None changes nothing. A person's pause stays unless `keep_pause` is False.
    `rule`: that it follows; None makes it the subject's own.
    """

    enabled: bool | None = True
    name: str | None = None
    time_zone: str = ""
    max_runs: int | None = None
    max_retries: int = 3
    keep_pause: bool = True
    created_by: Any = None
    rule: ScheduleRule | None = None


def schedule_of(brand: Brand | None, job_type: str, subject: str) -> Job | None:
    """The one schedule of (brand, type, subject) that is not archived."""
    found = Job.objects.filter(brand=brand, job_type=job_type, subject=subject, schedule_type=Job.Schedule.RECURRING)
    return found.exclude(status=JobStatus.ARCHIVED).first()


def save_schedule(
    brand: Brand | None,
    job_type: str,
    label: str,
    subject: str,
    cron_expression: str,
    params: dict[str, Any],
    wanted: ScheduleOptions,
) -> Job:
    """Create or update it. The caller has checked all values. `label`: of the type."""
    found = schedule_of(brand, job_type, subject)
    if found:
        job = locked_with_run(found)
        before = (job.cron_expression, job.time_zone, job.status)
        _switch(job, wanted)
        if before[:2] != (cron_expression, wanted.time_zone):
            _record_old_skips(job, cron_expression, wanted.created_by)
    else:
        before = None
        job = Job(
            brand=brand,
            job_type=job_type,
            subject=subject,
            schedule_type=Job.Schedule.RECURRING,
            created_by=wanted.created_by,
            trigger_source=Job.Trigger.SCHEDULED,
            status=JobStatus.PAUSED if wanted.enabled is False else JobStatus.ACTIVE,
        )
    job.cron_expression, job.parameters, job.time_zone = cron_expression, params, wanted.time_zone
    job.max_runs, job.max_retries = wanted.max_runs, wanted.max_retries
    job.rule, job.rule_version = wanted.rule, wanted.rule.version if wanted.rule else 0
    if wanted.max_runs is not None and job.runs_completed >= wanted.max_runs:  # or it would make, and pay for, one more run
        job.status = JobStatus.COMPLETED
    job.name = wanted.name or job.name or label
    job.save()
    if before is None:
        by = f"the schedule of all by {wanted.created_by}" if wanted.rule else wanted.created_by
        record_event(
            "scheduled",
            f"Scheduled by {by or 'another program'}: {cadence.told(cron_expression)}.",
            job=job,
            by=wanted.created_by,
        )
    if before == (job.cron_expression, job.time_zone, job.status):  # its tick stays, even if it is due already
        job.runs.filter(status=RunStatus.PENDING, started_at=None).update(parameters=params)
    else:
        follow_job(job)
        reschedule(job)
    return job


def _switch(job: Job, wanted: ScheduleOptions) -> None:
    """Switch an existing schedule on or off. The caller saves it."""
    by = wanted.created_by
    if wanted.enabled is False and (job.status == JobStatus.ACTIVE or job.outage_id):
        job.status, job.outage = JobStatus.PAUSED, None  # the end of an outage does not switch it on
        record_event("switch_off", f"Switched off by {by or 'another program'}.", job=job, by=by)
    elif wanted.enabled and job.status == JobStatus.PAUSED:
        last = job.events.filter(kind__in=["pause", "switch_off"]).first()
        if not wanted.keep_pause or last is None or last.kind == "switch_off":
            job.status = JobStatus.ACTIVE
            record_event("switch_on", f"Switched on by {by or 'another program'}.", job=job, by=by)
    elif (
        wanted.enabled and job.status == JobStatus.COMPLETED and (wanted.max_runs is None or job.runs_completed < wanted.max_runs)
    ):
        job.status = JobStatus.ACTIVE  # its limit of runs was raised, or it got new times


def _record_old_skips(job: Job, cron_expression: str, by: Any) -> None:
    """Record the times that were skipped under the old schedule, before it changes."""
    at = now()
    for tick in job.runs.live().filter(scheduled_for__lte=at):
        tell_skipped(tick, job, at)
    other = "another time zone"
    if cron_expression != job.cron_expression:
        other = f"{cadence.told(cron_expression)}; before: {cadence.told(job.cron_expression)}"
    record_event("rescheduled", f"Schedule changed by {by or 'another program'}: {other}.", job=job, by=by)


def end_schedules(jobs: QuerySet[Job], why: str) -> int:
    """Archive those of the jobs that are schedules, in the caller's transaction. Returns how many there were."""
    lock(CLAIM_LOCK)
    ended = list(jobs.filter(schedule_type=Job.Schedule.RECURRING).exclude(status=JobStatus.ARCHIVED))
    for job in ended:
        locked_with_run(job)  # or a run that is just ending could insert one more tick, or deadlock with us
        drop_future_tick(job)
        Job.objects.filter(pk=job.pk).update(status=JobStatus.ARCHIVED, last_error=why)
        job.status = JobStatus.ARCHIVED
        follow_job(job)
        record_event("archive", why, job=job)
    return len(ended)
