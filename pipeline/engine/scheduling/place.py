"""A run's place in the queue, and the key that keeps it single.

Everything that is going to happen is a Run row. All of this happens in the caller's transaction."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q

from ...contract.job_type import Subject
from ...models import Job, Run
from ...states import RunStatus

# Between the places of two runs of one brand and type. Longer than one run keeps the line from moving: were it a second, a flood
# queued an hour ago would by now stand before whatever is queued now, however little of it was done in that hour.
PLACE_GAP = timedelta(hours=1)


def dedupe_key(job_type: str, brand_id: UUID | None, subject: str) -> str:
    return f"{job_type}:{brand_id or ''}:{subject}"


def order_at_for(
    job_type: str, brand_id: UUID | None, due_at: datetime, priority: int = Run.MANUAL, ahead: Q | None = None
) -> datetime:
    """The order_at of one more run that is due then: behind those of its own brand and type, so that no flood of one brand or
    type holds up another's. Never before due_at, so that what is due stands before what is not.

    `ahead`: which of its own it stands behind; all that are due by then.
    """
    own = Run.objects.filter(Q(brand_id=brand_id), job_type=job_type, status=RunStatus.PENDING, priority=priority)
    own = own.filter(order_at__gt=due_at - PLACE_GAP)  # what stands before that moves nobody, and may be a hundred thousand rows
    last = own.filter(ahead or Q(due_at__lte=due_at)).order_by("-order_at").values_list("order_at", flat=True).first()
    return max(due_at, last + PLACE_GAP) if last else due_at


def build_run(job: Job, *, due_at: datetime, order_at: datetime, at: datetime, subject: Subject, **fields: Any) -> Run:
    """A pending run, not saved yet."""
    return Run(
        job=job,
        brand_id=job.brand_id,
        job_type=job.job_type,
        parameters=job.parameters,
        subject=subject.key,
        subject_label=subject.label,
        subject_url=subject.url,
        due_at=due_at,
        order_at=order_at,
        created_at=at,
        **fields,
    )


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
    """A pending run of the job. IntegrityError where a constraint already has such a one. The caller wakes the workers."""
    order_at = order_at_for(job.job_type, job.brand_id, due_at, priority, ahead)
    run = build_run(job, due_at=due_at, order_at=order_at, at=at, subject=subject, priority=priority, **fields)
    run.save(force_insert=True)
    return run
