"""The one function that writes a run's state, which its data's state follows, and what state changes ask about a run."""

from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, cast

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Sum
from django.utils.functional import SimpleLazyObject

from ...contract.job_type import Subject
from ...contract.registry import find_type
from ...models import Brand, Reuse, Run, UpstreamRun
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


def still_about(run: Run) -> bool:
    """Whether the run's subject is still what the run was about. It may be gone, or stand for another product by now."""
    if not run.about or find_type(run.job_type) is None:
        return True
    now = subject_now(run)
    return now is not None and now.about == run.about


def subject_now(run: Run) -> Subject | None:
    """What the run's parameters are about by now; None where that or the type's code is gone, or the type cannot tell."""
    handler = find_type(run.job_type)
    try:
        return handler.subject(brand_of(run), run.parameters) if handler else None
    except DatabaseError:
        raise
    except Exception:  # noqa: BLE001  its subject is gone, or the type has a bug: neither stops the run from ending
        return None


def brand_of(run: Run) -> Brand | None:
    """The run's brand, read from the database only if it is used."""
    return cast("Brand | None", SimpleLazyObject(lambda: run.brand) if run.brand_id else None)


def closed(run: Run) -> str:
    """Why nothing new may start for the run's brand or subject, such as that it is archived; '' while it may."""
    subject = subject_now(run)
    return (run.brand.closed if run.brand else "") or (subject.closed if subject else "")


def cost_so_far(run: Run) -> Any:
    """What the run's upstream runs cost, USD; 0 if it uses another run's instead, None where nothing was paid."""
    handler = find_type(run.job_type)
    if handler and not handler.source:
        return None
    paid = UpstreamRun.objects.filter(run=run).aggregate(sum=Sum("cost_actual"))["sum"]
    return Decimal(0) if paid is None and Reuse.objects.filter(run=run).exists() else paid


def has_upstream_work(run: Run) -> bool:
    """Whether an upstream run of it is or may be running, or has paid-for items that are not saved yet."""
    return UpstreamRun.objects.filter(run=run).filter(UpstreamRun.unfinished()).exists()


def refused_start(run: Run, step: str = "") -> str:
    """Why the run's next paid start will be refused: its failed ones of a step cost too much. '' where it will be allowed.

    `step`: only that one. A step whose last upstream run still has something to save is not started again next.
    """
    rows = UpstreamRun.objects.filter(run=run, **({"step": step} if step else {})).order_by("step", "intent")
    for name, group in groupby(rows, key=lambda row: row.step):
        starts = list(group)
        last = starts[-1]
        if not last.ended or last.status == UpstreamRun.Status.SUCCEEDED or not (last.read_complete or step):
            continue
        dead = [row for row in starts if row.ended and row.status != UpstreamRun.Status.SUCCEEDED]
        cost = sum((row.cost_actual if row.cost_actual is not None else row.cost_estimate for row in dead), Decimal(0))
        asked = run.steps.filter(name=f"start again: {name}").values_list("result", flat=True).first() or 0
        if cost >= settings.PIPELINE_RETRY_SPEND_USD and asked < last.intent:
            again = last.cost_estimate
            return f"Automatic retries stopped: this run already cost ${cost:.2f}. Start again costs about ${again:.2f}."
    return ""


def first_in_queue(at: datetime) -> dict[str, Any]:
    """Due at once and before all others: work that has begun is finished before new work starts."""
    return {"due_at": at, "order_at": at, "priority": Run.WOKEN}


def back_in_queue(run: Run, due_at: datetime) -> dict[str, Any]:
    """The place of a run that is pending again: first if it has work upstream, else behind others of its brand and type."""
    if has_upstream_work(run):
        return first_in_queue(due_at)
    priority = Run.SCHEDULED if run.scheduled_for else Run.MANUAL
    return {"due_at": due_at, "priority": priority, "order_at": order_at_for(run.job_type, run.brand_id, due_at, priority)}
