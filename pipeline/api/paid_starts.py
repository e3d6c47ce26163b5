"""What a person decides about paid starts: adopt one, pay for another, stop one."""

from typing import Any

from django.db import IntegrityError, transaction

from ..contract.errors import NotAllowed
from ..contract.source import get_source
from ..engine.journal import record_event
from ..models import Reuse, Run, UpstreamRun
from ..people import require, require_spend
from .runs import cancel, reopen, retry

DECIDE = "pipeline.start_again_run"


def start_again(run: Run, by: Any) -> None:
    """Retry with a new paid start, although earlier ones of this run failed or are in doubt."""
    require(by, DECIDE, run.brand_id)
    with transaction.atomic():
        retry(run, by)  # locks the run's row first, as its worker does: no deadlock
        Reuse.objects.filter(run=run).delete()
        for upstream in UpstreamRun.objects.filter(run=run).exclude(status=UpstreamRun.Status.SUCCEEDED):
            run.steps.update_or_create(name=f"start again: {upstream.step}", defaults={"result": upstream.intent})
        UpstreamRun.objects.filter(run=run, status__in=UpstreamRun.UNCLEAR).update(
            status=UpstreamRun.Status.VOID, message=f"Given up: {by} asked for a new start."
        )
        record_event("start_again", f"{by} started run {run.pk} again, at new cost.", run=run, by=by)


def adopt(run: Run, upstream_id: str, by: Any) -> None:
    """Continue with the upstream run that a person says is ours."""
    require(by, DECIDE, run.brand_id)
    require_spend(by, run.brand_id, run.job_type)
    if not upstream_id:
        raise NotAllowed("Enter the run's ID, as the data source shows it.")
    with transaction.atomic():
        unknown = UpstreamRun.objects.filter(run=run, status__in=UpstreamRun.UNCLEAR).last()
        if unknown is None:
            raise NotAllowed(f"It is known what run {run.pk} paid for, so there is no run to adopt.")
        if not get_source(unknown.source).id_pattern.fullmatch(upstream_id):
            raise NotAllowed("This is not an ID of a run. Copy it from the data source.")
        retry(run, by)  # locks the run's row first, as its worker does: no deadlock
        try:
            with transaction.atomic():
                UpstreamRun.objects.filter(pk=unknown.pk).update(
                    upstream_id=upstream_id,
                    status=UpstreamRun.Status.RUNNING,
                    started_at=unknown.intent_at,
                    extra={"by_hand": True},  # until the upstream confirms that it exists
                )
        except IntegrityError:
            raise NotAllowed(f"{upstream_id} cannot be used: what it fetched already belongs to a run.") from None
        record_event("adopt", f"{by} said that {upstream_id} belongs to run {run.pk}.", run=run, by=by)


def end_upstream(run: Run, by: Any) -> None:
    """Stop what still runs upstream for an ended run. What it fetched so far is paid for, so it is saved."""
    require(by, "pipeline.cancel_run", run.brand_id)
    with transaction.atomic():
        if not UpstreamRun.objects.filter(run=run, status=UpstreamRun.Status.RUNNING).exists():
            raise NotAllowed(f"Nothing of run {run.pk} is running at the data source any more.")
        reopen(run, by)  # to stop it: whoever may cancel needs no right to spend
        cancel(run, by)
        record_event("end_upstream", f"{by} asked to stop what run {run.pk} left running.", run=run, by=by)
