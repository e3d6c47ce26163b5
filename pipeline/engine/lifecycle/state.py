"""The one function that writes a run's state, which its data's state follows, and what state changes ask about a run."""

from datetime import datetime
from typing import Any

from django.db.models import Sum

from ...contract.registry import find_type
from ...models import Run, UpstreamRun
from ...states import RunStatus
from ..scheduling.place import order_at_for
from . import freshness


def set_state(run: Run, status: RunStatus, **fields: Any) -> None:
    """Write the fields that differ, and drop the lease: only the claim makes a run running. The caller has locked the row.

    The state of its data follows from the row: `blocked_reason` or `error_message` says why the run waits.
    """
    fields |= {"status": status, "lease_token": None, "lease_expires_at": None, "worker_id": None}
    changed = {name: value for name, value in fields.items() if getattr(run, name) != value}
    Run.objects.filter(pk=run.pk).update(**changed)
    for name, value in changed.items():
        setattr(run, name, value)
    freshness.follow(run)


def cost_so_far(run: Run) -> Any:
    """What the run's upstream runs cost, USD; None where nothing was paid."""
    handler = find_type(run.job_type)
    if handler and not handler.source:
        return None
    return UpstreamRun.objects.filter(run=run).aggregate(sum=Sum("cost_actual"))["sum"]


def has_upstream_work(run: Run) -> bool:
    """Whether an upstream run of it is or may be running, or has paid-for items that are not saved yet."""
    return UpstreamRun.objects.filter(run=run).filter(UpstreamRun.unfinished()).exists()


def first_in_queue(at: datetime) -> dict[str, Any]:
    """Due at once and before all others: work that has begun is finished before new work starts."""
    return {"due_at": at, "order_at": at, "priority": Run.WOKEN}


def back_in_queue(run: Run, due_at: datetime) -> dict[str, Any]:
    """The place of a run that is pending again: first if it has work upstream, else behind others of its brand and type."""
    if has_upstream_work(run):
        return first_in_queue(due_at)
    priority = Run.SCHEDULED if run.scheduled_for else Run.MANUAL
    return {"due_at": due_at, "priority": priority, "order_at": order_at_for(run.job_type, run.brand_id, due_at, priority)}
