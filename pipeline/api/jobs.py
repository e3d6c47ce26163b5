"""One job: run it now, pause, resume or archive it."""

from typing import Any

from django.db import transaction

from ..contract.errors import NotAllowed
from ..engine.database import CLAIM_LOCK, lock, wake_workers
from ..engine.journal import record_event
from ..engine.lifecycle import by_person
from ..engine.scheduling.place import follow_job, locked_with_run
from ..engine.scheduling.ticks import reschedule
from ..models import Job
from ..people import require, require_spend
from ..states import JOB_ACTIONS, JobStatus, RunStatus
from .enqueue import Queued, queue_one_time_job

SCHEDULE = "pipeline.change_job"
PARTICIPLE = {"run_now": "run", "pause": "paused", "resume": "resumed", "archive": "archived"}


def job_run_now(job: Job, by: Any) -> Queued:
    """Queue one run now, apart from the schedule."""
    require_spend(by, job.brand_id, job.job_type)
    _allow("run_now", job)
    return queue_one_time_job(
        job.brand_id, job.job_type, job.parameters, name=job.name or None, max_retries=job.max_retries, created_by=by
    )


def pause(job: Job, by: Any) -> None:
    """Pause the job. Its queued runs keep their place, and the claim skips them."""
    require(by, SCHEDULE, job.brand_id)
    with transaction.atomic():
        lock(CLAIM_LOCK)
        locked_with_run(job)
        _change(job, "pause", JobStatus.PAUSED, by)


def resume(job: Job, by: Any) -> None:
    """Resume the job. Its future run moves to the next scheduled time after now. Missed times are not made up for."""
    require(by, SCHEDULE, job.brand_id)
    require_spend(by, job.brand_id, job.job_type)
    with transaction.atomic():
        lock(CLAIM_LOCK)
        locked_with_run(job)
        _change(job, "resume", JobStatus.ACTIVE, by)
        reschedule(job)
        wake_workers()


def archive(job: Job, by: Any) -> None:
    """Cancel its queued runs and end the job. A run that is in progress continues to its end."""
    require(by, SCHEDULE, job.brand_id)
    with transaction.atomic():
        lock(CLAIM_LOCK)
        locked_with_run(job)
        _change(job, "archive", JobStatus.ARCHIVED, by)
        for run in job.runs.filter(status=RunStatus.PENDING):
            by_person.request_cancel(run, by)
        Job.objects.filter(pk=job.pk).update(status=JobStatus.ARCHIVED)


def _change(job: Job, action: str, to: JobStatus, by: Any) -> None:
    _allow(action, job)
    if not Job.objects.filter(pk=job.pk, status=job.status).update(status=to):
        raise NotAllowed(f"Somebody else just changed {job}. Reload the page and try again.")
    job.status = to
    follow_job(job)
    record_event(action, f"{action.capitalize()} by {by}.", job=job, by=by)


def _allow(action: str, job: Job) -> None:
    if job.status not in JOB_ACTIONS[action]:
        raise NotAllowed(f"{job} is {job.get_status_display().lower()}, so it cannot be {PARTICIPLE[action]} now.")
