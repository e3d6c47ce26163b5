"""What a person decides about paid starts: adopt one, pay for another, end one."""

from typing import Any

from django.db import IntegrityError, transaction

from ..contract.errors import NotAllowed
from ..engine.journal import record_event
from ..models import Run, UpstreamRun
from .runs import cancel, retry


def start_again(run: Run, by: Any) -> None:
    """Retry, and pay for a new start though the earlier ones of this run came to nothing."""
    with transaction.atomic():
        retry(run, by)  # the run's row first, as whoever works it
        for upstream in UpstreamRun.objects.filter(run=run).exclude(status=UpstreamRun.Status.SUCCEEDED):
            run.steps.update_or_create(name=f"start again: {upstream.step}", defaults={"result": upstream.intent})
        UpstreamRun.objects.filter(run=run, status__in=[UpstreamRun.Status.INTENT, UpstreamRun.Status.UNKNOWN]).update(
            status=UpstreamRun.Status.VOID, message=f"Given up by {by}, who asked for a new start."
        )
        record_event("start_again", f"{by} asked for another paid start of run {run.pk}.", run=run, by=by)


def adopt(run: Run, upstream_id: str, by: Any) -> None:
    """A person says which upstream run was ours; the run goes on with it."""
    if not upstream_id:
        raise NotAllowed("Give the id of the upstream run that is ours.")
    with transaction.atomic():
        unknown = UpstreamRun.objects.filter(run=run, status__in=[UpstreamRun.Status.INTENT, UpstreamRun.Status.UNKNOWN]).last()
        if unknown is None:
            raise NotAllowed(f"Run {run.pk} has no start whose fate is unknown.")
        retry(run, by)  # the run's row first, as whoever works it
        try:
            with transaction.atomic():
                UpstreamRun.objects.filter(pk=unknown.pk).update(
                    upstream_id=upstream_id,
                    status=UpstreamRun.Status.RUNNING,
                    started_at=unknown.intent_at,
                    extra={"by_hand": True},  # until the upstream has confirmed that it is there
                )
        except IntegrityError:
            raise NotAllowed(f"{upstream_id} already belongs to another run.") from None
        record_event("adopt", f"{by} gave {upstream_id} to run {run.pk}.", run=run, by=by)


def end_upstream(run: Run, by: Any) -> None:
    """What still works upstream for a run that is over is ended there; what it had by then was paid for, and lands."""
    with transaction.atomic():
        if not UpstreamRun.objects.filter(run=run, status=UpstreamRun.Status.RUNNING).exists():
            raise NotAllowed(f"Nothing works upstream for run {run.pk} any more.")
        retry(run, by)
        cancel(run, by)
        record_event("end_upstream", f"{by} asked for the end of what run {run.pk} left at work upstream.", run=run, by=by)
