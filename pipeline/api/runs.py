"""One run: cancel it, retry it, run it again or earlier, accept its result."""

from typing import Any

from django.db import IntegrityError, transaction

from ..contract.errors import NotAllowed
from ..engine.database import CLAIM_LOCK, lock
from ..engine.lifecycle import by_person
from ..engine.scheduling.place import dedupe_key
from ..engine.scheduling.ticks import drop_future_tick
from ..models import Run
from ..states import RUN_ACTIONS, RunStatus
from .enqueue import Queued, queue_one_time_job


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
        holder = Run.objects.holding(key).first() or run.job.runs.live().first()
        raise NotAllowed(f"Run {run.pk} cannot be retried: run {holder.pk if holder else '?'} is doing the same now.") from None


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


def _refuse(action: str, run: Run) -> None:
    try:
        run.refresh_from_db(fields=["status"])
    except Run.DoesNotExist:
        raise NotAllowed(f"Run {run.pk} is not there any more: its schedule was changed meanwhile.") from None
    raise NotAllowed(f"Run {run.pk} is {run.get_status_display().lower()} by now: {action.replace('_', ' ')} does not fit.")
