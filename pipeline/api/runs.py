"""One run: cancel it, retry it, run it again or now, accept its result, and decide about its paid starts."""

from typing import Any

from django.db import IntegrityError, transaction

from ..contract.errors import NotAllowed
from ..contract.source import get_source
from ..engine.journal import record_event
from ..engine.lifecycle import by_person
from ..engine.lifecycle.state import still_about
from ..engine.queue.asked import one_run
from ..models import Reuse, Run, UpstreamRun
from ..people import require, require_spend
from .enqueue import Queued, queue_one_time_job

DECIDE = "pipeline.start_again_run"


def cancel(run: Run, by: Any) -> None:
    """Request the cancel. Paid-for data is saved first."""
    require(by, "pipeline.cancel_run", run.brand_id)
    one_run.cancel(run, by)


def retry(run: Run, by: Any) -> None:
    """Reopen the same run with its steps and a new retry budget. Its schedule continues after it."""
    require_spend(by, run.brand_id, run.job_type)
    before = run.status
    with transaction.atomic():
        one_run.retry(run, by)
        record_event("retry", f"Run {run.pk} was retried by {by or 'the system'}: was {before}, is queued.", run=run, by=by)


def run_again(run: Run, by: Any) -> Queued:
    """A new run with the same parameters."""
    require_spend(by, run.brand_id, run.job_type)
    return queue_one_time_job(run.brand_id, run.job_type, run.parameters, created_by=by)


def run_now(run: Run, by: Any) -> None:
    """Make a run due now that waits for its next try or its scheduled time."""
    require_spend(by, run.brand_id, run.job_type)
    one_run.run_now(run, by)


def accept(run: Run, by: Any) -> None:
    """Accept a partial or suspicious result: the freshness clock moves to when it was fetched."""
    require(by, "pipeline.accept_run", run.brand_id)
    if not still_about(run):
        raise NotAllowed(f"Run {run.pk} is about {run.subject_label}, which is no longer scraped under this name.")
    if not by_person.accept(run, by):
        one_run.refuse("accept", run)


def start_again(run: Run, by: Any) -> None:
    """Retry with a new paid start, although earlier ones of this run failed or are in doubt."""
    require(by, DECIDE, run.brand_id)
    require_spend(by, run.brand_id, run.job_type)
    with transaction.atomic():
        one_run.retry(run, by)  # locks the run's row first, as its worker does: no deadlock
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
        one_run.retry(run, by)  # locks the run's row first, as its worker does: no deadlock
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
        one_run.reopen(run, by)  # to stop it: whoever may cancel needs no right to spend
        cancel(run, by)
        record_event("end_upstream", f"{by} asked to stop what run {run.pk} left running.", run=run, by=by)
