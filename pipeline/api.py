"""The write door: what pages, admin, commands and other apps call to change work.

Each function raises InvalidRequest or NotAllowed, in words to show, and then has changed nothing.
"""

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from .contract.errors import NotAllowed
from .contract.registry import get_type
from .engine.database import CLAIM_LOCK, lock, now, wake_workers
from .engine.execution.replay import replay
from .engine.journal import record_event
from .engine.lifecycle import by_person
from .engine.scheduling import cron
from .engine.scheduling.place import dedupe_key
from .engine.scheduling.ticks import drop_future_tick, insert_next_tick, tell_skipped
from .enqueue import Queued, checked, queue_many, queue_one_time_job, start_here
from .models import Brand, Job, Run, UpstreamRun
from .states import JOB_ACTIONS, RUN_ACTIONS, JobStatus, RunStatus

__all__ = [
    "Queued",
    "accept",
    "adopt",
    "archive",
    "cancel",
    "end_schedules_of",
    "end_upstream",
    "ensure_recurring_job",
    "job_run_now",
    "pause",
    "queue_many",
    "queue_one_time_job",
    "replay",
    "reschedule_brand",
    "resume",
    "retry",
    "run_again",
    "run_now",
    "schedule_of",
    "start_again",
    "start_here",
]
DONE = {"run_now": "run", "pause": "paused", "resume": "resumed", "archive": "archived"}  # of a job, in a refusal


def ensure_recurring_job(
    brand_id: UUID | str | None,
    job_type: str,
    cron_expression: str,
    parameters: dict[str, Any] | None = None,
    *,
    enabled: bool | None = True,
    name: str | None = None,
    time_zone: str = "",
    max_runs: int | None = None,
    max_retries: int = 3,
    keep_pause: bool = True,
    created_by: Any = None,
) -> Job:
    """Create or update the one schedule of (brand, type, subject); its single future run moves in the same transaction.

    `enabled`: False switches it off, True on again, None leaves that as it is. What a person paused stays so unless
    `keep_pause` is False as well.
    """
    cron.check(cron_expression, time_zone)
    brand, params, subject = checked(brand_id, job_type, parameters)
    with transaction.atomic():
        lock(CLAIM_LOCK)
        found = schedule_of(brand, job_type, subject.key)
        if found:
            job = _locked(found)
            before = (job.cron_expression, job.time_zone, job.status)
            _switch(job, enabled, keep_pause, max_runs, created_by)
            if before[:2] != (cron_expression, time_zone):
                _leave_times(job, created_by)
        else:
            before = None
            job = Job(
                brand=brand,
                job_type=job_type,
                subject=subject.key,
                schedule_type=Job.Schedule.RECURRING,
                created_by=created_by,
                trigger_source=Job.Trigger.SCHEDULED,
                status=JobStatus.PAUSED if enabled is False else JobStatus.ACTIVE,
            )
        job.cron_expression, job.parameters, job.time_zone = cron_expression, params, time_zone
        job.max_runs, job.max_retries = max_runs, max_retries
        if max_runs is not None and job.runs_completed >= max_runs:  # not one more, which would be paid for
            job.status = JobStatus.COMPLETED
        job.name = name or job.name or get_type(job_type).label
        job.save()
        if before == (job.cron_expression, job.time_zone, job.status):  # its tick stays, also one that is due by now
            job.runs.filter(status=RunStatus.PENDING, started_at=None).update(parameters=params)
        else:
            reschedule(job)
    return job


def schedule_of(brand: Brand | None, job_type: str, subject: str) -> Job | None:
    """The one schedule of (brand, type, subject) that is not put away."""
    found = Job.objects.filter(brand=brand, job_type=job_type, subject=subject, schedule_type=Job.Schedule.RECURRING)
    return found.exclude(status=JobStatus.ARCHIVED).first()


def _locked(job: Job) -> Job:
    """The job as it is now, held until the end of the transaction. Its run first, as whoever ends a run does it."""
    list(job.runs.live().select_for_update(no_key=True).values_list("pk"))
    return Job.objects.select_for_update(no_key=True).get(pk=job.pk)


def _switch(job: Job, enabled: bool | None, keep_pause: bool, max_runs: int | None, by: Any) -> None:
    """On or off, for a schedule that is there. Not saved yet."""
    if enabled is False and job.status == JobStatus.ACTIVE:
        job.status = JobStatus.PAUSED
        record_event("switch_off", f"Switched off by {by or 'another program'}.", job=job, by=by)
    elif enabled and job.status == JobStatus.PAUSED:
        last = job.events.filter(kind__in=["pause", "switch_off"]).first()
        if not keep_pause or last is None or last.kind == "switch_off":
            job.status = JobStatus.ACTIVE
    elif enabled and job.status == JobStatus.COMPLETED and (max_runs is None or job.runs_completed < max_runs):
        job.status = JobStatus.ACTIVE  # it is allowed more runs than it had


def _leave_times(job: Job, by: Any) -> None:
    """What has come due by the times that are given up is counted by them, not by the new ones."""
    at = now()
    for tick in job.runs.live().filter(scheduled_for__lte=at):
        tell_skipped(tick, job, at)
    record_event("rescheduled", f"Its times were changed by {by or 'another program'}.", job=job, by=by)


def reschedule(job: Job) -> None:
    """Put the job's one future run where its schedule now says. In the caller's transaction, under the claim's lock."""
    at = now()
    drop_future_tick(job)
    if (
        job.recurring
        and job.status in (JobStatus.ACTIVE, JobStatus.PAUSED)
        and not job.runs.live().filter(scheduled_for__isnull=False).exists()
    ):
        insert_next_tick(job, at, at)


def end_schedules_of(job_type: str, subject: str) -> None:
    """What they were about is gone. In the transaction that removes it, which may be about to remove them as well."""
    lock(CLAIM_LOCK)
    ended = Job.objects.filter(job_type=job_type, subject=subject, schedule_type=Job.Schedule.RECURRING)
    for job in ended.exclude(status=JobStatus.ARCHIVED):
        _locked(job)  # or a run that ends just now inserts one more tick, or waits for us and we for it
        drop_future_tick(job)
        Job.objects.filter(pk=job.pk).update(status=JobStatus.ARCHIVED, last_error="What it was about was removed.")


def reschedule_brand(brand: Brand) -> None:
    """The brand's own time zone has changed: its schedules that name no other move with it."""
    with transaction.atomic():
        lock(CLAIM_LOCK)
        for job in brand.jobs.filter(schedule_type=Job.Schedule.RECURRING, time_zone="").exclude(status=JobStatus.ARCHIVED):
            reschedule(_locked(job))


# ---- one run -----------------------------------------------------------------------------------------------------------
def cancel(run: Run, by: Any) -> None:
    """Ask for the end. What was already paid for is landed first."""
    if not by_person.request_cancel(run, by):
        _refuse("cancel", run)


def retry(run: Run, by: Any) -> None:
    """The same run once more, with its steps and a new retry budget. A schedule goes on after it."""
    if run.status not in RUN_ACTIONS["retry"]:
        _refuse("retry", run)
    try:
        with transaction.atomic():
            if run.scheduled_for:
                lock(CLAIM_LOCK)
                drop_future_tick(run.job)
            if not by_person.reopen(run, by):
                _refuse("retry", run)
    except IntegrityError:
        if run.scheduled_for:  # the next tick, which made room for it, is there again, and is not what stands in its way
            there = run.job.runs.filter(scheduled_for=run.scheduled_for).exclude(status=RunStatus.CANCELLED).exclude(pk=run.pk)
            if other := there.first():
                raise NotAllowed(f"Run {run.pk} cannot be retried: run {other.pk} had its time instead.") from None
        key = dedupe_key(run.job_type, run.brand_id, run.subject)
        holder = Run.objects.live().filter(Q(dedupe_key=key) | Q(job=run.job_id)).first()
        raise NotAllowed(f"Run {run.pk} cannot be retried: run {holder.pk if holder else '?'} is doing the same now.") from None


def start_again(run: Run, by: Any) -> None:
    """Retry, and pay for a new start though the earlier ones of this run came to nothing."""
    with transaction.atomic():
        retry(run, by)  # the run's row first, as whoever works it
        for upstream in UpstreamRun.objects.filter(run=run).exclude(status=UpstreamRun.Status.SUCCEEDED):
            run.steps.update_or_create(name=f"start again: {upstream.step}", defaults={"result": upstream.intent})
        UpstreamRun.objects.filter(run=run, status__in=[UpstreamRun.Status.INTENT, UpstreamRun.Status.UNKNOWN]).update(
            status=UpstreamRun.Status.VOID, message=f"Given up by {by}, who asked for a new start."
        )
        record_event("start_again", f"{by} asked for another paid start of run {run.pk}.", run=run, by=by)


def adopt(run: Run, upstream_id: str, by: Any) -> None:
    """A person says which upstream run was ours; the run goes on with it."""
    if not upstream_id:
        raise NotAllowed("Give the id of the upstream run that is ours.")
    with transaction.atomic():
        unknown = UpstreamRun.objects.filter(run=run, status__in=[UpstreamRun.Status.INTENT, UpstreamRun.Status.UNKNOWN]).last()
        if unknown is None:
            raise NotAllowed(f"Run {run.pk} has no start whose fate is unknown.")
        retry(run, by)  # the run's row first, as whoever works it
        try:
            with transaction.atomic():
                UpstreamRun.objects.filter(pk=unknown.pk).update(
                    upstream_id=upstream_id,
                    status=UpstreamRun.Status.RUNNING,
                    started_at=unknown.intent_at,
                    extra={"by_hand": True},  # until the upstream has confirmed that it is there
                )
        except IntegrityError:
            raise NotAllowed(f"{upstream_id} already belongs to another run.") from None
        record_event("adopt", f"{by} gave {upstream_id} to run {run.pk}.", run=run, by=by)


def end_upstream(run: Run, by: Any) -> None:
    """What still works upstream for a run that is over is ended there; what it had by then was paid for, and lands."""
    with transaction.atomic():
        if not UpstreamRun.objects.filter(run=run, status=UpstreamRun.Status.RUNNING).exists():
            raise NotAllowed(f"Nothing works upstream for run {run.pk} any more.")
        retry(run, by)
        cancel(run, by)
        record_event("end_upstream", f"{by} asked for the end of what run {run.pk} left at work upstream.", run=run, by=by)


def run_again(run: Run, by: Any) -> Queued:
    """A new run with the same parameters."""
    return queue_one_time_job(run.brand_id, run.job_type, run.parameters, created_by=by)


def run_now(run: Run, by: Any) -> None:
    """A run that waits for its next try, or for its hour, is due now."""
    if not by_person.bring_forward(run, by):
        _refuse("run_now", run)


def accept(run: Run, by: Any) -> None:
    """Take a partial or suspicious result as good: the freshness clock moves to when it was fetched."""
    if not by_person.accept(run, by):
        _refuse("accept", run)


# ---- one job -----------------------------------------------------------------------------------------------------------
def job_run_now(job: Job, by: Any) -> Queued:
    """A separate run of a schedule's work, now."""
    _allow("run_now", job)
    return queue_one_time_job(
        job.brand_id, job.job_type, job.parameters, name=job.name or None, max_retries=job.max_retries, created_by=by
    )


def pause(job: Job, by: Any) -> None:
    """Its runs stay where they are and are passed over."""
    _change(job, "pause", JobStatus.PAUSED, by)


def resume(job: Job, by: Any) -> None:
    """Its future run is put to the next time from now: what was missed is not made up for."""
    with transaction.atomic():
        lock(CLAIM_LOCK)
        _locked(job)
        _change(job, "resume", JobStatus.ACTIVE, by)
        reschedule(job)
        wake_workers()


def archive(job: Job, by: Any) -> None:
    """Put away. Its pending runs are cancelled; one that is under way goes to its end."""
    with transaction.atomic():
        lock(CLAIM_LOCK)
        _locked(job)
        _change(job, "archive", JobStatus.ARCHIVED, by)
        for run in job.runs.filter(status=RunStatus.PENDING):
            by_person.request_cancel(run, by)
        Job.objects.filter(pk=job.pk).update(status=JobStatus.ARCHIVED)


def _change(job: Job, action: str, to: JobStatus, by: Any) -> None:
    _allow(action, job)
    if not Job.objects.filter(pk=job.pk, status=job.status).update(status=to):
        raise NotAllowed(f"{job} was changed by somebody else meanwhile. Look again.")
    job.status = to
    record_event(action, f"{action.capitalize()} by {by}.", job=job, by=by)


def _allow(action: str, job: Job) -> None:
    if job.status not in JOB_ACTIONS[action]:
        raise NotAllowed(f"{job} is {job.get_status_display().lower()}, so it cannot be {DONE[action]} now.")


def _refuse(action: str, run: Run) -> None:
    try:
        run.refresh_from_db(fields=["status"])
    except Run.DoesNotExist:
        raise NotAllowed(f"Run {run.pk} is not there any more: its schedule was changed meanwhile.") from None
    raise NotAllowed(f"Run {run.pk} is {run.get_status_display().lower()} by now: {action.replace('_', ' ')} does not fit.")
