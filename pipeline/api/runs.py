"""One run: cancel it, retry it, run it again or now, accept its result."""

from typing import Any

from django.db import IntegrityError, transaction

from ..contract.errors import NotAllowed
from ..engine.database import CLAIM_LOCK, lock
from ..engine.lifecycle import by_person
from ..engine.lifecycle.state import closed, still_about
from ..engine.scheduling.place import dedupe_key
from ..engine.scheduling.ticks import drop_future_tick
from ..models import Run
from ..people import require, require_spend
from ..states import RUN_ACTIONS, RunStatus
from .enqueue import Queued, queue_one_time_job

PARTICIPLE = {"cancel": "cancelled", "retry": "retried", "run_now": "run now", "accept": "accepted"}


def cancel(run: Run, by: Any) -> None:
    """Request the cancel. Paid-for data is saved first."""
    require(by, "pipeline.cancel_run", run.brand_id)
    if not by_person.request_cancel(run, by):
        _refuse("cancel", run)


def retry(run: Run, by: Any) -> None:
    """Reopen the same run with its steps and a new retry budget. Its schedule continues after it."""
    require_spend(by, run.brand_id, run.job_type)
    if words := closed(run):
        raise NotAllowed(words)
    reopen(run, by)


def reopen(run: Run, by: Any) -> None:
    """retry(), for callers that have checked who asks."""
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
        if run.scheduled_for:  # The rollback restored the next tick; ignore it and look for the real conflict.
            there = run.job.runs.filter(scheduled_for=run.scheduled_for).exclude(status=RunStatus.CANCELLED).exclude(pk=run.pk)
            if other := there.first():
                raise NotAllowed(
                    f"Run {run.pk} cannot be retried: run {other.pk} was already made for the same scheduled time."
                ) from None
        key = dedupe_key(run.job_type, run.brand_id, run.subject)
        holder = Run.objects.holding(key).first() or run.job.runs.live().first()
        raise NotAllowed(f"Run {run.pk} cannot be retried: run {holder.pk if holder else '?'} is doing the same now.") from None


def run_again(run: Run, by: Any) -> Queued:
    """A new run with the same parameters."""
    require_spend(by, run.brand_id, run.job_type)
    return queue_one_time_job(run.brand_id, run.job_type, run.parameters, created_by=by)


def run_now(run: Run, by: Any) -> None:
    """Make a run due now that waits for its next try or its scheduled time."""
    require_spend(by, run.brand_id, run.job_type)
    if not by_person.bring_forward(run, by):
        _refuse("run_now", run)


def accept(run: Run, by: Any) -> None:
    """Accept a partial or suspicious result: the freshness clock moves to when it was fetched."""
    require(by, "pipeline.accept_run", run.brand_id)
    if not still_about(run):
        raise NotAllowed(f"Run {run.pk} is about {run.subject_label}, which is no longer scraped under this name.")
    if not by_person.accept(run, by):
        _refuse("accept", run)


def _refuse(action: str, run: Run) -> None:
    try:
        run.refresh_from_db(fields=["status", "verdict"])
    except Run.DoesNotExist:
        raise NotAllowed(f"Run {run.pk} no longer exists: its schedule was changed.") from None
    if action == "accept" and run.status == RunStatus.COMPLETED:
        raise NotAllowed(f"The result of run {run.pk} already counts as good.")
    raise NotAllowed(f"Run {run.pk} is {run.get_status_display().lower()}, so it cannot be {PARTICIPLE[action]}.")
