"""State changes that a worker makes to the run that it has leased. Each is fenced: after a takeover it changes nothing."""

from datetime import datetime, timedelta
from typing import Any

from ...contract.job_type import Done
from ...contract.registry import get_type, version_of
from ...models import Job, Reuse, Run, RunLog, Step
from ...states import Outcome, RunStatus, Verdict
from ...words import clock
from ..database import wake_workers
from ..incidents import folding
from ..journal import log
from ..scheduling import retry
from . import freshness
from .ends.ending import cancel, completed_words, end_attempt, end_job, fail_for_good, with_saved
from .lease import Lease, fenced
from .state import (
    back_in_queue,
    cost_so_far,
    first_in_queue,
    has_upstream_work,
    refused_start,
    set_state,
    still_about,
    subject_now,
)

MAX_BLOCKED_TIME = timedelta(hours=2)
MAX_CANCEL_PAUSE = 30.0  # seconds until a blocked cancel is tried again


def park(lease: Lease, due_at: datetime, reason: str, *, cancel_seen: bool = False, step: str = "") -> None:
    """The run waits for something outside and needs no worker. It continues when woken, at the latest at `due_at`.

    `cancel_seen`: the handler has already seen any cancel request. Otherwise a cancel makes the run due at once.
    `step`: a sleep begins, whose end it keeps.
    """
    with fenced(lease) as (run, at):
        due = at if run.cancel_requested_at and not cancel_seen else due_at
        fields: dict[str, Any] = {}
        if step:
            version = version_of(run.job_type)
            Step.objects.update_or_create(run=run, name=step, defaults={"result": due_at.isoformat(), "version": version})
            fields = {"recoveries": 0, "code_version": version}
        set_state(run, RunStatus.WAITING, due_at=due, blocked_reason=reason, blocked_since=None, **fields)
        end_attempt(lease, Outcome.PARKED, at, reason)


def hand_back(lease: Lease, reason: str = "The worker was stopped.") -> None:
    """The worker stops: the run is due at once for another worker, and no try is spent."""
    with fenced(lease) as (run, at):
        set_state(run, RunStatus.PENDING, **first_in_queue(at), blocked_reason=reason)
        end_attempt(lease, Outcome.HANDED_BACK, at, reason)
        wake_workers()


def block(lease: Lease, reason: str, seconds: float, *, limited: bool = True, cancel_seen: bool = False) -> None:
    """The run cannot continue now: it waits with the reason and spends no try. If `limited`, two hours of this cost a try."""
    with fenced(lease) as (run, at):
        if cancel_seen and not has_upstream_work(run):  # nothing of it is upstream: cancel it now
            end_attempt(lease, Outcome.CANCELLED, at, reason)
            cancel(run, at, f"Cancelled. {reason}")
            return
        since = (run.blocked_since or at) if limited else None
        if since is None or at - since <= MAX_BLOCKED_TIME:
            if run.cancel_requested_at:
                seconds = min(seconds, MAX_CANCEL_PAUSE) if cancel_seen else 0
            due = at + timedelta(seconds=seconds)
            set_state(run, RunStatus.PENDING, **back_in_queue(run, due), blocked_reason=reason, blocked_since=since)
            end_attempt(lease, Outcome.HANDED_BACK, at, reason)
            log(run.pk, f"Waiting: {reason}", RunLog.Level.WARNING, at)
            return
    fail(lease, f"{reason} This has lasted for two hours.", permanent=False, kind="BlockedError", cancel_seen=cancel_seen)


def complete(lease: Lease, done: Done) -> None:
    """The run is finished and saved. Freshness, job, next tick and the type's own records change in the same transaction."""
    with fenced(lease) as (run, at):
        uses = Reuse.objects.filter(run=run).values_list("words", flat=True)
        summary = " ".join(filter(None, [done.summary, *uses, done.reason]))
        folding.run_worked(run, at) if done.verdict == Verdict.OK else folding.run_told_nothing(run)
        set_state(
            run,
            RunStatus.COMPLETED,
            verdict=done.verdict,
            completed_at=at,
            counts=done.counts,
            summary=summary,
            error_message="",
            blocked_since=None,
            cost_actual=cost_so_far(run),
            progress={},
        )
        end_attempt(lease, Outcome.COMPLETED, at)
        log(
            run.pk,
            completed_words(summary) if done.verdict == Verdict.OK else f"Completed, but check the result: {summary}",
            RunLog.Level.INFO if done.verdict == Verdict.OK else RunLog.Level.WARNING,
            at,
        )
        if still_about(run):
            fetched_at = freshness.as_of(run, at)
            freshness.mark_completed(run, done, fetched_at)
            get_type(run.job_type).on_completed(run, fetched_at)
            named = subject_now(run)  # its name may have come with the data
            if named and named.label != run.subject_label:
                Run.objects.filter(pk=run.pk).update(subject_label=named.label)
        end_job(run, at)


def fail(
    lease: Lease,
    error: str,
    *,
    permanent: bool,
    kind: str = "RunError",
    traceback: str = "",
    not_before: datetime | None = None,
    cancel_seen: bool = False,
) -> None:
    """A try failed. Another follows with backoff, unless none is left or another would not help.

    A cancel request that the handler has not seen takes precedence: the run is due at once, to save what was paid for.
    `kind`: the class of the error. Runs that fail of the same are one incident.
    """
    with fenced(lease) as (run, at):
        if run.cancel_requested_at and not cancel_seen:
            words = f"Cancelling. This try failed: {error}"
            set_state(run, RunStatus.PENDING, **first_in_queue(at), blocked_reason=words)
            end_attempt(lease, Outcome.FAILED, at, error, traceback)
            log(run.pk, words, RunLog.Level.WARNING, at)
            wake_workers()
            return
        cause, error = error, with_saved(run, error)
        tries = run.attempt + 1
        if not permanent and (refused := refused_start(run)):  # no next try is promised that would then be refused
            error, permanent = f"{error} {refused}", True
        due = None if permanent or run.cancel_requested_at else retry.next_try(tries, run.job.max_retries, at, not_before)
        end_attempt(lease, Outcome.FAILED, at, error, traceback)
        if due is None:
            log(run.pk, f"Failed: {error}", RunLog.Level.ERROR, at)
            fail_for_good(run, error, at, kind=kind, cause=cause, attempt=tries)
            return
        set_state(run, RunStatus.PENDING, **back_in_queue(run, due), attempt=tries, error_message=error, blocked_since=None)
        log(
            run.pk,
            f"Try {tries} of {run.job.max_retries + 1} failed: {error} Next try at {clock(due)}.",
            RunLog.Level.WARNING,
            at,
        )
        Job.objects.filter(pk=run.job_id).update(
            last_error=f"Try {tries} of {run.job.max_retries + 1} failed, next at {clock(due)}: {error}"
        )
        wake_workers()


def fail_alone(lease: Lease, error: str, traceback: str) -> None:
    """Fail the run and nothing beside it: when what hangs on its end cannot be written. Healing repairs its schedule."""
    with fenced(lease) as (run, at):
        end_attempt(lease, Outcome.FAILED, at, error, traceback)
        set_state(run, RunStatus.FAILED, completed_at=at, error_message=error, progress={})
        log(run.pk, f"Failed: {error}", RunLog.Level.ERROR, at)


def finish_cancel(lease: Lease, summary: str) -> None:
    """End a cancelled run. The caller has saved what it could of the paid-for items; the summary says how much that is."""
    with fenced(lease) as (run, at):
        end_attempt(lease, Outcome.CANCELLED, at)
        cancel(run, at, summary)
