"""The write door: what pages, admin, commands and other apps call to change work.

Each function raises InvalidRequest or NotAllowed, in words to show, and then has changed nothing.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from . import claims, runs, schedules
from .errors import InvalidRequest, NotAllowed
from .models import Brand, Job, Run, UpstreamRun, Worker
from .parameters import clean_parameters
from .registry import Subject, get_type
from .replay import replay
from .states import JOB_ACTIONS, LIVE, RUN_ACTIONS, JobStatus, RunStatus

__all__ = [
    "Queued",
    "accept",
    "adopt",
    "archive",
    "cancel",
    "ensure_recurring_job",
    "job_run_now",
    "pause",
    "queue_one_time_job",
    "replay",
    "reschedule",
    "resume",
    "retry",
    "run_again",
    "run_now",
    "start_again",
    "start_here",
]


@dataclass(frozen=True)
class Queued:
    """`created` is False where a live run already held the key: `run` is that one, and nothing was added."""

    job: Job
    run: Run
    created: bool


def queue_one_time_job(
    brand_id: UUID | str | None,
    job_type: str,
    parameters: dict[str, Any] | None = None,
    *,
    trigger_source: str = Job.Trigger.MANUAL,
    name: str | None = None,
    max_retries: int = 3,
    created_by: Any = None,
) -> Queued:
    """Queue the work for a brand (None: the platform). A second call while a run for the same subject is live returns that."""
    brand, params, subject = _checked(brand_id, job_type, parameters)
    return _queue(brand, job_type, params, subject, trigger_source, name, max_retries, created_by)


def start_here(
    brand_id: UUID | str | None,
    job_type: str,
    parameters: dict[str, Any] | None = None,
    *,
    worker: Worker,
    mode: str = Run.Mode.LEGACY,
    max_retries: int = 3,
    created_by: Any = None,
) -> tuple[Queued, runs.Lease | None]:
    """As queue_one_time_job, but the run is this process's from its first moment: no worker can come in between.

    The caller does the work under the lease (see here.py). No lease where a live run already held the key.
    NotAllowed where a limit or pause keeps such a run from starting now.
    """
    brand, params, subject = _checked(brand_id, job_type, parameters)
    with transaction.atomic():
        claims.lock(claims.CLAIM_LOCK)
        stops = claims.blocking(job_type, brand.pk if brand else None)
        queued = (
            None if stops else _queue(brand, job_type, params, subject, Job.Trigger.MANUAL, None, max_retries, created_by, mode)
        )
        if queued and queued.created:
            run, attempt = claims.take(queued.run.pk, worker, claims.now())
            queued = Queued(queued.job, run, created=True)
            return queued, runs.Lease(queued.run.pk, attempt.lease_token, attempt.pk)
    if queued is None:
        raise NotAllowed(
            f"{get_type(job_type).label} cannot start here now: it is paused, or as many run as its limit allows."
            " Queue it instead."
        )
    return queued, None


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
    created_by: Any = None,
) -> Job:
    """Create or update the one schedule of (brand, type, subject); its single future run moves in the same transaction.

    A person's pause is kept unless `enabled` is given for an existing job as False (pause) or the job is new.
    """
    schedules.check(cron_expression)
    brand, params, subject = _checked(brand_id, job_type, parameters)
    with transaction.atomic():
        claims.lock(claims.CLAIM_LOCK)
        job = (
            Job.objects.filter(brand=brand, job_type=job_type, subject=subject.key, schedule_type=Job.Schedule.RECURRING)
            .exclude(status=JobStatus.ARCHIVED)
            .first()
        )
        if job is None:
            job = Job(
                brand=brand,
                job_type=job_type,
                subject=subject.key,
                schedule_type=Job.Schedule.RECURRING,
                created_by=created_by,
                trigger_source=Job.Trigger.SCHEDULED,
                status=JobStatus.ACTIVE if enabled else JobStatus.PAUSED,
            )
        elif enabled is False:
            job.status = JobStatus.PAUSED
        job.cron_expression, job.parameters, job.time_zone, job.max_runs = cron_expression, params, time_zone, max_runs
        job.name = name or job.name or get_type(job_type).label
        job.save()
        reschedule(job)
    return job


def reschedule(job: Job) -> None:
    """Put the job's one future run where its schedule now says, in the caller's transaction."""
    at = claims.now()
    job.runs.filter(status=RunStatus.PENDING, scheduled_for__isnull=False, attempt=0, started_at=None).delete()
    if (
        job.recurring
        and job.status in (JobStatus.ACTIVE, JobStatus.PAUSED)
        and not job.runs.live().filter(scheduled_for__isnull=False).exists()
    ):
        runs.insert_next_tick(job, at, at)


# ---- one run -----------------------------------------------------------------------------------------------------------
def cancel(run: Run, by: Any) -> None:
    """Ask for the end. What was already paid for is landed first."""
    if not runs.request_cancel(run, by):
        _refuse("cancel", run)


def retry(run: Run, by: Any) -> None:
    """The same run once more, with its steps and a new retry budget."""
    if run.status not in RUN_ACTIONS["retry"]:
        _refuse("retry", run)
    try:
        with transaction.atomic():
            reopened = runs.reopen(run, by)
    except IntegrityError:
        holder = Run.objects.live().filter(dedupe_key=runs.dedupe_key(run.job_type, run.brand_id, run.subject)).first()
        raise NotAllowed(f"Run {run.pk} cannot be retried: run {holder.pk if holder else '?'} is doing the same now.") from None
    if not reopened:
        _refuse("retry", run)


def start_again(run: Run, by: Any) -> None:
    """Retry, and pay for a new start though the earlier ones of this run came to nothing."""
    with transaction.atomic():
        for upstream in UpstreamRun.objects.filter(run=run).exclude(status=UpstreamRun.Status.SUCCEEDED):
            run.steps.update_or_create(name=f"start again: {upstream.step}", defaults={"result": upstream.intent})
        UpstreamRun.objects.filter(run=run, status__in=[UpstreamRun.Status.INTENT, UpstreamRun.Status.UNKNOWN]).update(
            status=UpstreamRun.Status.VOID, message=f"Given up by {by}, who asked for a new start."
        )
        retry(run, by)
        runs.record_event("start_again", f"{by} asked for another paid start of run {run.pk}.", run=run, by=by)


def adopt(run: Run, upstream_id: str, by: Any) -> None:
    """A person says which upstream run was ours; the run goes on with it."""
    with transaction.atomic():
        unknown = UpstreamRun.objects.filter(run=run, status__in=[UpstreamRun.Status.INTENT, UpstreamRun.Status.UNKNOWN]).last()
        if unknown is None:
            raise NotAllowed(f"Run {run.pk} has no start whose fate is unknown.")
        try:
            with transaction.atomic():
                UpstreamRun.objects.filter(pk=unknown.pk).update(upstream_id=upstream_id, status=UpstreamRun.Status.RUNNING)
        except IntegrityError:
            raise NotAllowed(f"{upstream_id} already belongs to another run.") from None
        retry(run, by)
        runs.record_event("adopt", f"{by} gave {upstream_id} to run {run.pk}.", run=run, by=by)


def run_again(run: Run, by: Any) -> Queued:
    """A new run with the same parameters."""
    return queue_one_time_job(run.brand_id, run.job_type, run.parameters, created_by=by)


def run_now(run: Run, by: Any) -> None:
    """A run that waits for its next try, or for its hour, is due now."""
    if not runs.bring_forward(run, by):
        _refuse("run_now", run)


def accept(run: Run, by: Any) -> None:
    """Take a partial or suspicious result as good: the freshness clock moves to when it was fetched."""
    if not runs.accept(run, by):
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
        _change(job, "resume", JobStatus.ACTIVE, by)
        reschedule(job)
        claims.wake_workers()


def archive(job: Job, by: Any) -> None:
    """Put away. Its pending runs are cancelled; one that is under way goes to its end."""
    with transaction.atomic():
        _change(job, "archive", JobStatus.ARCHIVED, by)
        for run in job.runs.filter(status=RunStatus.PENDING):
            runs.request_cancel(run, by)
        Job.objects.filter(pk=job.pk).update(status=JobStatus.ARCHIVED)


def _change(job: Job, action: str, to: JobStatus, by: Any) -> None:
    _allow(action, job)
    if not Job.objects.filter(pk=job.pk, status=job.status).update(status=to):
        raise NotAllowed(f"{job} was changed by somebody else meanwhile. Look again.")
    job.status = to
    runs.record_event(action, f"{action.capitalize()} by {by}.", job=job, by=by)


def _allow(action: str, job: Job) -> None:
    if job.status not in JOB_ACTIONS[action]:
        raise NotAllowed(f"{job} is {job.get_status_display().lower()}, so it cannot be {action.replace('_', ' ')} now.")


def _refuse(action: str, run: Run) -> None:
    run.refresh_from_db(fields=["status"])
    raise NotAllowed(f"Run {run.pk} is {run.get_status_display().lower()} by now: {action.replace('_', ' ')} does not fit.")


# ---- shared ------------------------------------------------------------------------------------------------------------
def _checked(
    brand_id: UUID | str | None, job_type: str, parameters: dict[str, Any] | None
) -> tuple[Brand | None, dict[str, Any], Subject]:
    handler = get_type(job_type)
    brand = None
    if brand_id is not None:
        try:
            brand = Brand.objects.get(pk=brand_id)
        except (Brand.DoesNotExist, ValidationError, ValueError, TypeError) as error:
            raise InvalidRequest(f"There is no brand {brand_id}.", {"brand": ["Unknown brand."]}) from error
    params = clean_parameters(handler.Params, parameters or {}, brand)
    return brand, params, handler.subject(brand, params)


def _queue(
    brand: Brand | None,
    job_type: str,
    params: dict[str, Any],
    subject: Subject,
    trigger: str,
    name: str | None,
    max_retries: int,
    created_by: Any,
    mode: str = Run.Mode.WORKER,
) -> Queued:
    """Job and run in one savepoint, so that the loser of a race leaves nothing. If the winner ended meanwhile, try again."""
    key = runs.dedupe_key(job_type, brand.pk if brand else None, subject.key)
    for _ in range(10):
        live = Run.objects.filter(dedupe_key=key, status__in=LIVE).select_related("job", "created_by").first()
        if live:
            return Queued(live.job, live, created=False)
        handler = get_type(job_type)
        estimate = handler.estimate(brand, params)
        try:
            with transaction.atomic():
                at = claims.wake_workers()
                job = Job.objects.create(
                    brand=brand,
                    job_type=job_type,
                    subject=subject.key,
                    name=name or f"{handler.label} {subject.label}".strip()[:200],
                    parameters=params,
                    trigger_source=trigger,
                    max_retries=max_retries,
                    created_by=created_by,
                )
                run = runs.insert(
                    job,
                    due_at=at,
                    at=at,
                    subject=subject,
                    dedupe_key=key,
                    trigger_source=trigger,
                    created_by=created_by,
                    mode=mode,
                    cost_estimate=estimate.cost_usd if estimate else None,
                )
            return Queued(job, run, created=True)
        except IntegrityError as error:
            if "run_one_live_per_key" not in str(error) and "dedupe_key" not in str(error):
                raise
    raise NotAllowed("The same work starts and ends faster than it can be queued. Try again.")
