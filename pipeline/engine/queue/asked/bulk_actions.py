"""Bulk actions, run by run, by the housekeeping threads of workers.

What is done to a run and its item are one transaction, in which the bulk action's row is locked: a process that dies between two
lines repeats no run and loses none, and after an abort nothing more is done.
"""

import logging
import time
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction

from ....contract.errors import NotAllowed
from ....models import BulkAction, BulkItem, Run
from ....people import may, may_spend, require, require_spend
from ...database import CLAIM_LOCK, lock, now
from ...journal import record_event
from . import one_run

logger = logging.getLogger(__name__)
Kind, State = BulkAction.Kind, BulkItem.State
SLICE = 2.0  # seconds of one turn: the thread has other things to look after
CANCEL = "pipeline.cancel_run"


def may_ask(kind: str, by: Any, brand_id: UUID | None, job_type: str) -> bool:
    """The same right as for one run."""
    return may(by, CANCEL, brand_id) if kind == Kind.CANCEL else may_spend(by, brand_id, job_type)


def require_right(kind: str, by: Any, brand_id: UUID | None, job_type: str) -> None:
    """NotAllowed, with a sentence, unless may_ask()."""
    if kind == Kind.CANCEL:
        require(by, CANCEL, brand_id)
    else:
        require_spend(by, brand_id, job_type)


def advance() -> None:
    """Go on with what is unfinished, for a short while."""
    if not BulkAction.objects.filter(finished_at=None).exists():  # nearly always, and it takes no lock
        return
    ends = time.monotonic() + SLICE
    while _go_on() and time.monotonic() < ends:
        pass


def finish(action: BulkAction, stopped: str = "", **fields: Any) -> bool:
    """End it, in the caller's transaction. False if it had ended."""
    open_ = BulkAction.objects.filter(pk=action.pk, finished_at=None)
    if not open_.update(finished_at=now(), stopped=stopped, **fields):
        return False
    record_event("bulk_ended", f"{action} ended. {stopped}".strip(), by=fields.get("aborted_by"))
    return True


def _go_on() -> bool:
    """The next run of the oldest one that no other worker is at. False if there is nothing to do."""
    with transaction.atomic():
        free = BulkAction.objects.select_for_update(no_key=True, skip_locked=True).filter(finished_at=None)
        action = free.order_by("pk").first()
        if action is None:
            return False
        item = action.items.filter(state=State.WAITING).select_related("run").order_by("number").first()
        if item is None:
            finish(action)
        elif words := _no_longer_wanted(action, item):
            finish(action, f"Stopped before run {item.number}: {words}")
        else:
            state, message = _act(action, item)
            BulkItem.objects.filter(pk=item.pk, state=State.WAITING).update(state=state, message=message, at=now())
        return True


def _no_longer_wanted(action: BulkAction, item: BulkItem) -> str:
    """Why whoever asked for it may not do it any more; '' while they may."""
    by = action.requested_by
    if by is None:
        return "the account of whoever asked for it is deleted."
    if not by.is_active:
        return f"the account of {by} is switched off."
    try:
        if item.run:
            require_right(action.kind, by, item.run.brand_id, item.run.job_type)
    except NotAllowed as error:
        return f"{by} may not do it any more. {error}"
    return ""


def _act(action: BulkAction, item: BulkItem) -> tuple[str, str]:
    """What came of it, and why if nothing was done."""
    by, gone = action.requested_by, (State.SKIPPED, f"Run {item.number} no longer exists.")
    if item.run is None:
        return gone
    if item.run.scheduled_for:
        lock(CLAIM_LOCK)  # before the run's row, as everywhere
    run = Run.objects.select_for_update(no_key=True).filter(pk=item.run.pk).first()
    if run is None:
        return gone
    if words := _left_its_state(action, item, run):
        return State.SKIPPED, words
    try:
        with transaction.atomic():
            one_run.ACTIONS[action.kind](run, by)
            words = f"{by} asked for “{action.get_kind_display()}” of many runs ({action})."
            record_event(f"bulk_{action.kind}", words, run=run, by=by)
    except NotAllowed as error:
        return State.SKIPPED, str(error)
    except (OperationalError, InterfaceError):  # of the database, not of this run: the next turn tries it again
        raise
    except Exception:
        logger.exception("%s could not act on run %s.", action, run.pk)
        return State.FAILED, "An error that should not happen. The log of the workers has it. Try this run alone."
    return State.DONE, ""


def _left_its_state(action: BulkAction, item: BulkItem, run: Run) -> str:
    """Why the run is no longer meant; '' if it is."""
    if run.status != item.was and (action.of_one_state or action.kind == Kind.RETRY):
        by_now, then = run.get_status_display().lower(), item.get_was_display().lower()
        return f"Run {run.pk} is {by_now} by now. The filter found it {then}."
    if action.kind == Kind.RETRY and run.completed_at and run.completed_at > action.frozen_at:
        return f"Run {run.pk} has ended once more since then. Look at it first."
    if action.kind == Kind.CANCEL and run.cancel_requested_at:
        return f"Run {run.pk} is being cancelled already."
    return ""
