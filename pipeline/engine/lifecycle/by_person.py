"""State changes that a person asks for. Each is conditional: False means that the run's state no longer allowed it."""

from typing import Any

from django.db import transaction

from ...contract.job_type import Done
from ...contract.registry import find_type
from ...contract.tally import rows_met
from ...models import Job, Reuse, Run
from ...states import LIVE, JobStatus, RunStatus, Verdict
from ..database import CLAIM_LOCK, lock, now, wake_workers
from ..incidents import folding
from ..journal import log, record_event
from ..scheduling.place import dedupe_key, follow_job, order_at_for
from . import freshness
from .ends.ending import cancel
from .state import first_in_queue, has_upstream_work


def request_cancel(run: Run, by: Any) -> bool:
    """Cancel at once if the run is pending and has nothing upstream; else a worker ends it. False: it had already ended."""
    with transaction.atomic():
        if run.scheduled_for:  # its end inserts the next tick: serialize with changes of the schedule
            lock(CLAIM_LOCK)
        found = Run.objects.select_for_update(no_key=True).filter(pk=run.pk, status__in=LIVE).first()
        if found is None:
            return False
        at = now()
        Run.objects.filter(pk=found.pk, cancel_requested_at=None).update(cancel_requested_at=at, cancel_requested_by=by)
        log(found.pk, f"Cancel requested by {by or 'the system'}.", at=at)
        joined = found.status == RunStatus.WAITING and Reuse.objects.filter(run=found, fetched_at=None).exists()
        if (found.status == RunStatus.PENDING or joined) and not has_upstream_work(found):
            words = "Cancelled" if joined else f"Cancelled before {'its next try' if found.started_at else 'it started'}"
            cancel(found, at, f"{words}.")
        else:  # a running run notices it by its heartbeat
            Run.objects.filter(pk=found.pk, status__in=[RunStatus.PENDING, RunStatus.WAITING]).update(**first_in_queue(at))
            wake_workers()
        return True


def reopen(run: Run, by: Any) -> bool:
    """A person's Retry: the same run, its steps kept, a new retry budget. Runs in the caller's transaction.

    False if its state no longer allows it. IntegrityError if another live run has its key.
    """
    at = now()
    changed = Run.objects.filter(pk=run.pk, status__in=[RunStatus.FAILED, RunStatus.CANCELLED]).update(
        status=RunStatus.PENDING,
        due_at=at,
        order_at=order_at_for(run.job_type, run.brand_id, at),
        attempt=0,
        recoveries=0,
        completed_at=None,
        error_message="",
        summary="",
        asked_at=at,
        cancel_requested_at=None,
        cancel_requested_by=None,
        priority=Run.MANUAL,
        blocked_reason="",
        blocked_since=None,
        dedupe_key=dedupe_key(run.job_type, run.brand_id, run.subject),
    )
    if changed:
        Reuse.objects.filter(run=run, fetched_at=None).delete()  # what it waited for then may be old by now
        job = Job.objects.select_for_update(no_key=True).get(pk=run.job_id)
        if not job.recurring:
            job.status = JobStatus.ACTIVE
            job.save(update_fields=["status"])
        follow_job(job)
        words = f"Retried by {by or 'the system'}. Finished work is kept."
        freshness.mark_reopened(run, words)
        log(run.pk, words, at=at)
        wake_workers()
    return bool(changed)


def bring_forward(run: Run, by: Any) -> bool:
    """Make a pending run due now. False if it is no longer pending."""
    with transaction.atomic():
        at = now()
        pending = Run.objects.filter(pk=run.pk, status=RunStatus.PENDING)
        if pending.filter(due_at__lte=at).exists():  # already due: a new place would be further back
            return True
        changed = pending.update(due_at=at, order_at=order_at_for(run.job_type, run.brand_id, at, run.priority))
        if changed:
            log(run.pk, f"Rescheduled to now by {by or 'the system'}.", at=at)
            wake_workers()
        return bool(changed)


def accept(run: Run, by: Any) -> bool:
    """A person has checked a partial or suspicious result and accepts it."""
    with transaction.atomic():
        doubted = [Verdict.PARTIAL, Verdict.SUSPICIOUS]
        if not Run.objects.filter(pk=run.pk, status=RunStatus.COMPLETED, verdict__in=doubted).update(verdict=Verdict.OK):
            return False
        before = run.verdict  # as the caller read it
        run.refresh_from_db()
        folding.run_worked(run, now())
        fetched_at = freshness.as_of(run, run.completed_at or now())
        freshness.mark_completed(run, Done(records=rows_met(run.counts)), fetched_at)
        freshness.mark_accepted(run)
        freshness.accept_parts(run)
        if handler := find_type(run.job_type):
            handler.on_completed(run, fetched_at)
        log(run.pk, f"Accepted by {by}.")
        record_event("accept", f"The result of run {run.pk} was accepted by {by}: was {before}, is good.", run=run, by=by)
        if not run.job.recurring:
            Job.objects.filter(pk=run.job_id).update(status=JobStatus.ARCHIVED)
        return True
