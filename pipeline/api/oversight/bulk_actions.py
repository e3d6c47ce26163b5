"""One action on many runs: start it, abort it. Workers carry it out (engine/queue/asked/bulk_actions.py)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from ...contract.errors import NotAllowed
from ...engine.database import now
from ...engine.journal import record_event
from ...engine.queue.asked import bulk_actions as work
from ...models import BulkAction, BulkItem, Run
from ...people import brands_for, may, require

NO_FILTER = "Choose at least one filter first: a bulk action never takes all runs."


@dataclass(frozen=True)
class Wanted:
    """What a person has confirmed. `runs`: by number, the state that the filter found each in. `token`: of that page."""

    token: UUID
    kind: str
    query: str
    words: str
    runs: Mapping[int, str]
    cost: Decimal | None
    at: datetime


def start_bulk_action(wanted: Wanted, by: Any) -> tuple[BulkAction, bool]:
    """The bulk action, and whether it is new: the same page sent twice is one.

    Whoever asks must be allowed to do it to each of the runs.
    """
    if not wanted.query:
        raise NotAllowed(NO_FILTER)
    if len(wanted.runs) > BulkAction.MOST:
        raise NotAllowed(too_many())
    brands_for(by, anew=True)  # once for all: may() uses it, require() would read it again for each
    found = {run.pk: run for run in Run.objects.filter(pk__in=wanted.runs).only("brand_id", "job_type")}
    for brand_id, job_type in {(run.brand_id, run.job_type) for run in found.values()}:
        if not work.may_ask(wanted.kind, by, brand_id, job_type):
            work.require_right(wanted.kind, by, brand_id, job_type)
    if not found:
        raise NotAllowed("None of these runs exists any more.")
    try:
        with transaction.atomic():
            action = BulkAction.objects.create(
                token=wanted.token,
                kind=wanted.kind,
                query=wanted.query,
                words=wanted.words,
                count=len(found),
                cost=wanted.cost,
                frozen_at=wanted.at,
                created_at=now(),
                requested_by=by,
            )
            items = [
                BulkItem(action=action, run=run, number=pk, brand_id=run.brand_id, was=wanted.runs[pk])
                for pk, run in sorted(found.items())
            ]
            BulkItem.objects.bulk_create(items)
            words = f"{action} was started by {by}: {action.get_kind_display()}, {action.count} runs. {action.words}"
            record_event("bulk_started", words, by=by)
    except IntegrityError:
        if same := BulkAction.objects.filter(token=wanted.token, requested_by=by).first():
            return same, False
        raise NotAllowed("Some of these runs were deleted just now. Look at the runs again.") from None
    return action, True


def abort_bulk_action(action: BulkAction, by: Any) -> None:
    """Leave its other runs as they are. For whoever may cancel each of its runs."""
    brands_for(by, anew=True)
    for brand_id in action.items.order_by().values_list("brand_id", flat=True).distinct():
        if not may(by, work.CANCEL, brand_id):
            require(by, work.CANCEL, brand_id)
    with transaction.atomic():
        if not work.finish(action, f"Aborted by {by or 'the system'}.", aborted_by=by):
            raise NotAllowed(f"{action} has ended already.")


def too_many() -> str:
    return f"More than {BulkAction.MOST:,} runs match. Narrow the filter, as by brand, type or days, and do it in parts."
