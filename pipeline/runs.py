"""Every transition of a run. Each is one conditional UPDATE: whoever finds the condition gone has lost and does nothing.

While a worker holds a run it writes through `fenced(lease)` only, so that after its lease was taken over it can change nothing:
not the run, not its steps, not freshness, not money. The claim itself is in claims.py.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Max, Sum, Value, When

from . import freshness, line, retry, schedules
from .contract.job_type import Done
from .contract.registry import find_type, get_type
from .engine.database import CLAIM_LOCK, lock, now, wake_workers
from .engine.journal import log, record_event
from .engine.lifecycle.lease import Lease, fenced
from .models import Attempt, Job, Run, RunLog, UpstreamRun
from .states import LIVE, JobStatus, Outcome, RunStatus, Verdict

logger = logging.getLogger(__name__)
BLOCKED_FOR_AT_MOST = timedelta(hours=2)
ASIDE = timedelta(minutes=5)
CANCEL_AGAIN = 30.0  # seconds at most until a blocked cancel is tried again
SKIPS_COUNTED = 1000


# ---- under a lease ---------------------------------------------------------------------------------------------------


def park(lease: Lease, due_at: datetime, reason: str, *, knew_cancel: bool = False) -> None:
    """It waits for something outside and holds no worker; woken, or due at the latest at `due_at`.

    `knew_cancel`: the handler has seen the cancel that there may be; one that came meanwhile must not sleep until due_at.
    """
    with fenced(lease) as (run, at):
        due = at if run.cancel_requested_at and not knew_cancel else due_at
        leave(run, RunStatus.WAITING, due_at=due, blocked_reason=reason, blocked_since=None)
        _end_attempt(lease, Outcome.PARKED, at, reason)


def hand_back(lease: Lease, reason: str = "The worker was stopped.") -> None:
    """The worker stops: due at once for another, no try spent."""
    with fenced(lease) as (run, at):
        leave(run, RunStatus.PENDING, due_at=at, order_at=at, priority=Run.WOKEN)
        _end_attempt(lease, Outcome.HANDED_BACK, at, reason)
        wake_workers()


def block(lease: Lease, reason: str, seconds: float, *, limited: bool = True, knew_cancel: bool = False) -> None:
    """Not possible just now through nobody's fault: waits with the reason, costs no try; after two hours it does, if limited."""
    with fenced(lease) as (run, at):
        if knew_cancel and not _has_something_upstream(run):  # nothing to bring home: it would wait for its own end
            _end_attempt(lease, Outcome.CANCELLED, at, reason)
            _cancel(run, at, f"Cancelled. {reason}")
            return
        since = (run.blocked_since or at) if limited else None
        if since is None or at - since <= BLOCKED_FOR_AT_MOST:
            if run.cancel_requested_at:
                seconds = min(seconds, CANCEL_AGAIN) if knew_cancel else 0
            due = at + timedelta(seconds=seconds)
            leave(run, RunStatus.PENDING, **_back_in_line(run, due), blocked_reason=reason, blocked_since=since)
            _end_attempt(lease, Outcome.HANDED_BACK, at, reason)  # it is back in line: nothing of it waits upstream
            log(run.pk, f"Waiting: {reason}", RunLog.Level.WARNING, at)
            return
    fail(lease, f"{reason} It has been so for two hours.", permanent=False, knew_cancel=knew_cancel)


def complete(lease: Lease, done: Done) -> None:
    """Finished and saved. Freshness, the job's end or next tick, and the type's own bookkeeping go with it, or none of it."""
    with fenced(lease) as (run, at):
        summary = " ".join(filter(None, [done.summary, done.reason]))
        leave(
            run,
            RunStatus.COMPLETED,
            verdict=done.verdict,
            completed_at=at,
            counts=done.counts,
            summary=summary,
            error_message="",
            blocked_since=None,
            cost_actual=spent(run),
            progress={},
        )
        _end_attempt(lease, Outcome.COMPLETED, at)
        freshness.mark_completed(run, done, at)
        log(
            run.pk,
            f"Completed: {summary}" if done.verdict == Verdict.OK else f"Completed, to be checked: {summary}",
            RunLog.Level.INFO if done.verdict == Verdict.OK else RunLog.Level.WARNING,
            at,
        )
        get_type(run.job_type).booked(run)
        _end_job(run, at)


def fail(
    lease: Lease,
    error: str,
    *,
    permanent: bool,
    traceback: str = "",
    not_before: datetime | None = None,
    knew_cancel: bool = True,
) -> None:
    """A try failed. Another follows with backoff, unless none is left or none would help.

    A cancel that came meanwhile (not `knew_cancel`) decides instead: what was paid for is still to be brought home.
    """
    with fenced(lease) as (run, at):
        if run.cancel_requested_at and not knew_cancel:
            leave(run, RunStatus.PENDING, due_at=at, order_at=at, priority=Run.WOKEN)
            _end_attempt(lease, Outcome.FAILED, at, error, traceback)
            log(run.pk, f"Cancelled meanwhile: {error}", RunLog.Level.WARNING, at)
            wake_workers()
            return
        tries = run.attempt + 1
        due = None if permanent or run.cancel_requested_at else retry.next_try(tries, run.job.max_retries, at, not_before)
        _end_attempt(lease, Outcome.FAILED, at, error, traceback)
        freshness.mark_failed(run, error)
        if due is None:
            log(run.pk, f"Failed: {error}", RunLog.Level.ERROR, at)
            fail_for_good(run, error, at, attempt=tries)
            return
        leave(run, RunStatus.PENDING, **_back_in_line(run, due), attempt=tries, error_message=error, blocked_since=None)
        log(
            run.pk,
            f"Try {tries} of {run.job.max_retries + 1} failed: {error} Next try at {due:%H:%M} UTC.",
            RunLog.Level.WARNING,
            at,
        )
        Job.objects.filter(pk=run.job_id).update(
            last_error=f"Try {tries} of {run.job.max_retries + 1} failed, next at {due:%H:%M} UTC: {error}"
        )
        wake_workers()


def finish_cancel(lease: Lease, summary: str) -> None:
    """Stopped by a person; whatever had been paid for has landed."""
    with fenced(lease) as (run, at):
        _end_attempt(lease, Outcome.CANCELLED, at)
        _cancel(run, at, summary)


# ---- without a lease -------------------------------------------------------------------------------------------------
def request_cancel(run: Run, by: Any) -> bool:
    """Pending with nothing at an upstream: over at once. Otherwise a worker brings it to its end. False: it had ended."""
    with transaction.atomic():
        if run.scheduled_for:  # its end inserts the next tick: in line with whoever moves the schedule
            lock(CLAIM_LOCK)
        found = Run.objects.select_for_update(no_key=True).filter(pk=run.pk, status__in=LIVE).first()
        if found is None:
            return False
        at = now()
        Run.objects.filter(pk=found.pk, cancel_requested_at=None).update(cancel_requested_at=at, cancel_requested_by=by)
        log(found.pk, f"Cancel asked for by {by or 'the system'}.", at=at)
        if found.status == RunStatus.PENDING and not _has_something_upstream(found):
            _cancel(found, at, f"Cancelled before {'its next try' if found.started_at else 'it started'}.")
        else:  # running ones hear of it by their heartbeat
            Run.objects.filter(pk=found.pk, status__in=[RunStatus.PENDING, RunStatus.WAITING]).update(
                due_at=at, order_at=at, priority=Run.WOKEN
            )
            wake_workers()
        return True


def reopen(run: Run, by: Any) -> bool:
    """A person's Retry: the same run, its steps kept, a new retry budget. In the caller's transaction.

    False where its state is another by now. IntegrityError where another live run holds its key.
    """
    at = now()
    changed = Run.objects.filter(pk=run.pk, status__in=[RunStatus.FAILED, RunStatus.CANCELLED]).update(
        status=RunStatus.PENDING,
        due_at=at,
        order_at=line.place(run.job_type, run.brand_id, at),
        attempt=0,
        recoveries=0,
        completed_at=None,
        error_message="",
        summary="",
        cancel_requested_at=None,
        cancel_requested_by=None,
        priority=Run.MANUAL,
        blocked_reason="",
        blocked_since=None,
        dedupe_key=line.dedupe_key(run.job_type, run.brand_id, run.subject),
    )
    if changed:
        Job.objects.filter(pk=run.job_id, schedule_type=Job.Schedule.ONE_TIME).update(status=JobStatus.ACTIVE)
        log(run.pk, f"Reopened by {by or 'the system'}: what was done is kept.", at=at)
        wake_workers()
    return bool(changed)


def bring_forward(run: Run, by: Any) -> bool:
    """Due now instead of later. False where it is not pending any more."""
    with transaction.atomic():
        at = now()
        pending = Run.objects.filter(pk=run.pk, status=RunStatus.PENDING)
        if pending.filter(due_at__lte=at).exists():  # it has its place: a new one would be behind it
            return True
        changed = pending.update(due_at=at, order_at=line.place(run.job_type, run.brand_id, at, run.priority))
        if changed:
            log(run.pk, f"Brought forward by {by or 'the system'}.", at=at)
            wake_workers()
        return bool(changed)


def wake(run_ids: Iterable[int]) -> int:
    """What these waited for has happened."""
    at = now()
    woken = Run.objects.filter(pk__in=list(run_ids), status=RunStatus.WAITING, due_at__gt=at).update(due_at=at, order_at=at)
    if woken:
        wake_workers()
    return woken


def accept(run: Run, by: Any) -> bool:
    """A person has looked at a partial or suspicious result and takes it as good."""
    with transaction.atomic():
        doubted = [Verdict.PARTIAL, Verdict.SUSPICIOUS]
        if not Run.objects.filter(pk=run.pk, status=RunStatus.COMPLETED, verdict__in=doubted).update(verdict=Verdict.OK):
            return False
        run.refresh_from_db()
        freshness.mark_completed(
            run, Done(records=run.counts.get("new", 0) + run.counts.get("changed", 0)), run.completed_at or now()
        )
        if handler := find_type(run.job_type):
            handler.booked(run)
        log(run.pk, f"Accepted as good by {by}.")
        if not run.job.recurring:
            Job.objects.filter(pk=run.job_id).update(status=JobStatus.ARCHIVED)
        return True


# ---- at the claim ---------------------------------------------------------------------------------------------------------
def take_key(run: Run, at: datetime) -> bool:
    """A scheduled run comes due: it takes its dedupe key, or gives way to the run that has it and inserts its successor."""
    key = line.dedupe_key(run.job_type, run.brand_id, run.subject)
    holder = Run.objects.filter(dedupe_key=key, status__in=LIVE).first()
    if holder is None:
        Run.objects.filter(pk=run.pk).update(dedupe_key=key)
        return True
    leave(run, RunStatus.CANCELLED, completed_at=at, summary=f"Skipped: run {holder.pk} is doing it.")
    log(run.pk, f"Skipped: run {holder.pk} is doing it.", at=at)
    _follow_up(run, run.job, at, gave_way=True)
    return False


def set_aside(run: Run, at: datetime, reason: str) -> None:
    """It cannot even be taken up: looked at again later, so that it does not stand in the way of all others."""
    run.refresh_from_db()  # what was written of it and rolled back is still in memory
    if run.status == RunStatus.RUNNING:
        Run.objects.filter(pk=run.pk).update(lease_expires_at=at + ASIDE)
    else:
        leave(run, RunStatus.PENDING, due_at=at + ASIDE, order_at=at + ASIDE, blocked_reason=reason)


# ---- shared ----------------------------------------------------------------------------------------------------------
def spent(run: Run) -> Any:
    """What the run's upstream runs cost, USD; None where nothing was paid."""
    handler = find_type(run.job_type)
    if handler and not handler.source:
        return None
    return UpstreamRun.objects.filter(run=run).aggregate(sum=Sum("cost_actual"))["sum"]


def leave(run: Run, status: RunStatus, **fields: Any) -> None:
    """Write the new state; only a running run has a lease. The caller has read and locked the row: what differs is written."""
    fields |= {"status": status, "lease_token": None, "lease_expires_at": None, "worker_id": None}
    changed = {name: value for name, value in fields.items() if getattr(run, name) != value}
    Run.objects.filter(pk=run.pk).update(**changed)
    for name, value in changed.items():
        setattr(run, name, value)


def _end_attempt(lease: Lease, outcome: Outcome, at: datetime, error: str = "", traceback: str = "") -> None:
    words = {name: value for name, value in (("error", error), ("traceback", traceback)) if value}
    Attempt.objects.filter(pk=lease.attempt_id).update(outcome=outcome, ended_at=at, **words)


def _cancel(run: Run, at: datetime, summary: str) -> None:
    leave(run, RunStatus.CANCELLED, completed_at=at, summary=summary, cost_actual=spent(run), progress={})
    freshness.mark_stopped(run)
    log(run.pk, summary, at=at)
    _end_job(run, at)


def fail_for_good(run: Run, error: str, at: datetime, **fields: Any) -> None:
    leave(run, RunStatus.FAILED, completed_at=at, error_message=error, cost_actual=spent(run), progress={}, **fields)
    Job.objects.filter(pk=run.job_id).update(last_error=error)
    _end_job(run, at)


def _end_job(run: Run, at: datetime) -> None:
    """What the end of this run means for its job: archived, done, the next tick, or (failed) kept for a person's Retry."""
    ok = run.status == RunStatus.COMPLETED
    changes: dict[str, Any] = {}
    if ok:
        changes = {"runs_completed": F("runs_completed") + 1, "last_error": ""}
    if run.scheduled_for is None:
        job = None
        if ok and run.verdict == Verdict.OK:
            changes["status"] = JobStatus.ARCHIVED if run.trigger_source == Job.Trigger.MANUAL else JobStatus.COMPLETED
        elif run.status != RunStatus.FAILED:  # one that was put away meanwhile stays so
            changes["status"] = Case(When(status=JobStatus.ARCHIVED, then=F("status")), default=Value(JobStatus.COMPLETED))
    else:  # its count and its next tick follow from what it is now
        job = Job.objects.select_for_update(no_key=True).get(pk=run.job_id)
        if ok and job.max_runs and job.runs_completed + 1 >= job.max_runs and job.status != JobStatus.ARCHIVED:
            job.status = changes["status"] = JobStatus.COMPLETED
    if changes:
        Job.objects.filter(pk=run.job_id).update(**changes)
    if job:
        _follow_up(run, job, at)


def _follow_up(tick: Run, job: Job, at: datetime, *, gave_way: bool = False) -> None:
    """A scheduled run is over: its successor, from now on. What came due in between is skipped, and said.

    `gave_way`: another did it. One that a person brought forward comes again at its own time.
    """
    if tick.scheduled_for is None or job.status not in (JobStatus.ACTIVE, JobStatus.PAUSED):
        return
    tell_skipped(tick, job, at)
    line.insert_next_tick(job, at if gave_way else max(at, tick.scheduled_for), at)


def tell_skipped(tick: Run, job: Job, at: datetime) -> None:
    """How often its schedule came due while it was at work, since that was last told or the schedule was another."""
    told = job.events.filter(kind__in=["skipped", "rescheduled"]).aggregate(at=Max("at"))["at"]
    since = max(filter(None, [job.runs.aggregate(last=Max("scheduled_for"))["last"], told]))
    skipped = schedules.count_between(job.cron_expression, line.zone_of(job), since, at, SKIPS_COUNTED)
    if skipped and job.status == JobStatus.ACTIVE:
        times = "once more" if skipped == 1 else f"{skipped:,} {'or ' if skipped == SKIPS_COUNTED else ''}more times"
        words = f"{job} came due {times} before run {tick.pk} was over. That is skipped and not made up for."
        record_event("skipped", words, job=job, run=tick)
        log(tick.pk, words, RunLog.Level.WARNING, at)


def _back_in_line(run: Run, due_at: datetime) -> dict[str, Any]:
    """For a run that is pending once more: where any other of its kind would stand that is due then; before all others where
    something of it is at work upstream, or lies there paid for.
    """
    if _has_something_upstream(run):
        return {"due_at": due_at, "priority": Run.WOKEN, "order_at": due_at}
    priority = Run.SCHEDULED if run.scheduled_for else Run.MANUAL
    return {"due_at": due_at, "priority": priority, "order_at": line.place(run.job_type, run.brand_id, due_at, priority)}


def _has_something_upstream(run: Run) -> bool:
    """At work there, or paid for and not landed yet."""
    return UpstreamRun.objects.filter(run=run).filter(UpstreamRun.to_be_brought_home()).exists()
