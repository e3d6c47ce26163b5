"""A run's place in the queue, and the key that allows one live run of the same thing.

All functions work in the caller's transaction.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q

from ...contract.job_type import Subject
from ...models import Job, Run
from ...states import JobStatus, RunStatus

# Between the places of two runs of one brand and type. Must exceed a run's length: with 1 s, the rest of a flood that was queued
# an hour ago would go before new work.
PLACE_GAP = timedelta(hours=1)


def dedupe_key(job_type: str, brand_id: UUID | None, subject: str) -> str:
    return f"{job_type}:{brand_id or ''}:{subject}"


def order_at_for(
    job_type: str, brand_id: UUID | None, due_at: datetime, priority: int = Run.MANUAL, ahead: Q | None = None
) -> datetime:
    """The order_at of a new run: behind the last run of its brand and type, so that one brand's flood delays nobody else.
    Never before due_at, so that due runs come before later ones.

    `ahead`: which runs of its brand and type it goes behind; by default all that are due by then. Runs of paused jobs hold up
    nobody.
    """
    own = Run.objects.filter(Q(brand_id=brand_id), job_type=job_type, status=RunStatus.PENDING, priority=priority)
    own = own.filter(job_paused=False, order_at__gt=due_at - PLACE_GAP)  # earlier places change nothing, and may be 100,000 rows
    last = own.filter(ahead or Q(due_at__lte=due_at)).order_by("-order_at").values_list("order_at", flat=True).first()
    return max(due_at, last + PLACE_GAP) if last else due_at


def new_run(job: Job, subject: Subject, **fields: Any) -> Run:
    """A pending run of the job, not saved yet, without its times and its place."""
    return Run(
        job=job,
        brand_id=job.brand_id,
        job_type=job.job_type,
        job_paused=job.status == JobStatus.PAUSED,
        parameters=job.parameters,
        **of_subject(subject),
        **fields,
    )


def of_subject(subject: Subject) -> dict[str, str]:
    """The fields of a run that say what it is about."""
    return {"subject": subject.key, "about": subject.about, "subject_label": subject.label, "subject_url": subject.url}


def build_run(job: Job, *, due_at: datetime, order_at: datetime, at: datetime, subject: Subject, **fields: Any) -> Run:
    """A pending run, not saved yet."""
    return new_run(job, subject, due_at=due_at, order_at=order_at, created_at=at, asked_at=at, **fields)


def insert_run(
    job: Job,
    *,
    due_at: datetime,
    at: datetime,
    subject: Subject,
    priority: int = Run.MANUAL,
    ahead: Q | None = None,
    **fields: Any,
) -> Run:
    """Save a pending run of the job. IntegrityError if a constraint forbids it. The caller wakes the workers."""
    order_at = order_at_for(job.job_type, job.brand_id, due_at, priority, ahead)
    run = build_run(job, due_at=due_at, order_at=order_at, at=at, subject=subject, priority=priority, **fields)
    run.save(force_insert=True)
    return run


def follow_job(job: Job) -> None:
    """Tell its live runs whether the job is paused now. In the transaction that changes its status, under the claim's lock."""
    paused = job.status == JobStatus.PAUSED
    Run.objects.live().filter(job=job).exclude(job_paused=paused).update(job_paused=paused)


def locked_with_run(job: Job) -> Job:
    """The job as it is now, locked until the transaction ends. Locks its run first, as the end of a run does: no deadlock."""
    list(job.runs.live().select_for_update(no_key=True).values_list("pk"))
    return Job.objects.select_for_update(no_key=True).get(pk=job.pk)
