"""What a schedule learns from: the last runs of its subject, and how old its data is."""

from datetime import timedelta

from django.db.models import Q

from ...contract.job_type import JobType
from ...models import DatasetStatus, Job, Run
from ...states import RunStatus, Verdict
from .cadence import MOST_DOUBLED, RUNS_LEARNED_FROM, Past


def read_past(job: Job, handler: JobType, subject: str) -> Past:
    """In two queries."""
    runs = Run.objects.filter(Q(brand_id=job.brand_id), job_type=job.job_type, subject=subject)
    last = list(runs.ended().filter(started_at__isnull=False).order_by("-pk")[: RUNS_LEARNED_FROM + MOST_DOUBLED])
    good = [run for run in last if run.status == RunStatus.COMPLETED and run.verdict == Verdict.OK]
    of = {"dataset_key__in": list(handler.datasets), "subject": subject}
    fetched = list(DatasetStatus.objects.filter(Q(brand_id=job.brand_id), **of).values_list("last_success_at", flat=True))
    known = [time for time in fetched if time]
    fetched_at = min(known) if known and len(known) == len(fetched) else None
    ended = [run.completed_at for run in last if run.completed_at]
    since = fetched_at or min(ended, default=None)
    bad = [run for run in last if run not in good and run.status != RunStatus.CANCELLED]
    failed = [run for run in bad if since and run.completed_at and run.completed_at >= since]
    return Past(
        took=[took for run in good if (took := _took(run)) is not None],
        guess=handler.max_runtime,
        fetched_at=fetched_at,
        ended_at=max(ended, default=None),
        failed=len(failed),
        key=f"{job.brand_id} {job.job_type} {subject}",
    )


def _took(run: Run) -> timedelta | None:
    """From when the run was due to its end. One that a person brought forward was due when it started."""
    if run.started_at is None or run.completed_at is None:
        return None
    asked = run.asked_at or run.created_at
    if run.scheduled_for and asked <= run.started_at:  # not retried by a person
        asked = min(run.scheduled_for, run.started_at)
    return max(run.completed_at - asked, timedelta(0))
