"""What a person asks of one run. NotAllowed, with the sentence for people, where its state does not allow it.

Nobody asks here whether the person may: the callers have done that.
"""

from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction

from ....contract.errors import NotAllowed
from ....models import Run
from ....states import RUN_ACTIONS, RunStatus
from ...database import CLAIM_LOCK, lock
from ...lifecycle import by_person
from ...lifecycle.state import closed
from ...scheduling.place import dedupe_key
from ...scheduling.ticks import drop_future_tick

PARTICIPLE = {"cancel": "cancelled", "retry": "retried", "run_now": "run now", "accept": "accepted"}


def cancel(run: Run, by: Any) -> None:
    """Request the cancel. Paid-for data is saved first."""
    if not by_person.request_cancel(run, by):
        refuse("cancel", run)


def retry(run: Run, by: Any) -> None:
    """Reopen the run, unless what it is about is archived."""
    if words := closed(run):
        raise NotAllowed(words)
    reopen(run, by)


def reopen(run: Run, by: Any) -> None:
    """The same run with its steps and a new retry budget. Its schedule continues after it."""
    if run.status not in RUN_ACTIONS["retry"]:
        refuse("retry", run)
    try:
        with transaction.atomic():
            if run.scheduled_for:
                lock(CLAIM_LOCK)
                drop_future_tick(run.job)
            if not by_person.reopen(run, by):
                refuse("retry", run)
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


def run_now(run: Run, by: Any) -> None:
    """Make a run due now that waits for its next try or its scheduled time."""
    if not by_person.bring_forward(run, by):
        refuse("run_now", run)


def refuse(action: str, run: Run) -> None:
    try:
        run.refresh_from_db(fields=["status", "verdict"])
    except Run.DoesNotExist:
        raise NotAllowed(f"Run {run.pk} no longer exists: its schedule was changed.") from None
    if action == "accept" and run.status == RunStatus.COMPLETED:
        raise NotAllowed(f"The result of run {run.pk} already counts as good.")
    raise NotAllowed(f"Run {run.pk} is {run.get_status_display().lower()}, so it cannot be {PARTICIPLE[action]}.")


ACTIONS: dict[str, Callable[[Run, Any], None]] = {"cancel": cancel, "retry": retry, "run_now": run_now}
