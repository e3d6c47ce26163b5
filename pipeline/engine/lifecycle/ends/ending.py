"""What the end of a run means: for its data, its job, its schedule, and the runs that wait for its data."""

from datetime import datetime
from typing import Any

from django.db.models import Case, F, Value, When

from ....contract.registry import saved_words
from ....models import Attempt, Job, Reuse, Run
from ....states import JobStatus, Outcome, RunStatus, Verdict
from ...database import wake_workers
from ...incidents import folding
from ...journal import log
from ...scheduling.ticks import insert_next_tick, tell_skipped
from ..lease import Lease
from ..state import cost_so_far, set_state


def end_attempt(lease: Lease, outcome: Outcome, at: datetime, error: str = "", traceback: str = "") -> None:
    words = {name: value for name, value in (("error", error), ("traceback", traceback)) if value}
    Attempt.objects.filter(pk=lease.attempt_id).update(outcome=outcome, ended_at=at, **words)


def with_saved(run: Run, words: str) -> str:
    """The words, and what the run holds by now: a failed or cancelled run keeps its rows."""
    saved = saved_words(run.job_type, run.counts)
    if saved in words:
        return words
    return f"{words if words.endswith('.') else f'{words}.'} {saved}"


def completed_words(summary: str) -> str:
    """The log's last line of a good result."""
    return f"Completed: {summary}"


def cancel(run: Run, at: datetime, summary: str) -> None:
    summary = with_saved(run, summary)
    folding.run_told_nothing(run)
    set_state(run, RunStatus.CANCELLED, completed_at=at, summary=summary, cost_actual=cost_so_far(run), progress={})
    log(run.pk, summary, at=at)
    end_job(run, at)


def fail_for_good(run: Run, error: str, at: datetime, *, kind: str, cause: str = "", **fields: Any) -> None:
    """`kind`: the class of the error. `cause`: its words, if `error` says more."""
    cause, error = cause or error, with_saved(run, error)
    folding.run_failed(run, kind, cause, error, at)
    set_state(run, RunStatus.FAILED, completed_at=at, error_message=error, cost_actual=cost_so_far(run), progress={}, **fields)
    Job.objects.filter(pk=run.job_id).update(last_error=error)
    end_job(run, at)


def wake_joiners(at: datetime, **upstream: Any) -> None:
    """The runs that wait for the data of such upstream runs are due now: it is there, or will not come."""
    joined = Reuse.objects.filter(fetched_at=None, **{f"upstream_run__{name}": value for name, value in upstream.items()})
    waiting = Run.objects.filter(pk__in=joined.values("run_id"), status=RunStatus.WAITING, due_at__gt=at)
    if waiting.update(due_at=at, order_at=at):
        wake_workers()


def end_job(run: Run, at: datetime) -> None:
    """Update the job of a run that ended: archived, completed, scheduled again, or (failed) kept for a person's Retry."""
    wake_joiners(at, run=run)
    ok = run.status == RunStatus.COMPLETED
    changes: dict[str, Any] = {}
    if ok:
        changes = {"runs_completed": F("runs_completed") + 1, "last_error": ""}
    if run.scheduled_for is None:
        job = None
        if ok and run.verdict == Verdict.OK:
            changes["status"] = JobStatus.ARCHIVED if run.trigger_source == Job.Trigger.MANUAL else JobStatus.COMPLETED
        elif run.status != RunStatus.FAILED:  # a job that was archived meanwhile stays archived
            changes["status"] = Case(When(status=JobStatus.ARCHIVED, then=F("status")), default=Value(JobStatus.COMPLETED))
    else:  # locked and read again: its count and next tick depend on its current state
        job = Job.objects.select_for_update(no_key=True).get(pk=run.job_id)
        if ok and job.max_runs and job.runs_completed + 1 >= job.max_runs and job.status != JobStatus.ARCHIVED:
            job.status = changes["status"] = JobStatus.COMPLETED
    if changes:
        Job.objects.filter(pk=run.job_id).update(**changes)
    if job:
        follow_up(run, job, at)


def follow_up(tick: Run, job: Job, at: datetime, *, gave_way: bool = False) -> None:
    """A scheduled run is over: record the times that were skipped, and insert the next tick after now.

    `gave_way`: another run did its work. A tick that a person had brought forward then runs again at its own time.
    """
    if tick.scheduled_for is None or job.status not in (JobStatus.ACTIVE, JobStatus.PAUSED):
        return
    tell_skipped(tick, job, at)
    before_its_time = gave_way and at < tick.scheduled_for
    insert_next_tick(job, at if before_its_time else max(at, tick.deadline or tick.scheduled_for), at)
