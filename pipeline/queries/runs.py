"""Runs as lines of a table: badge, words, figures, and which actions fit."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from ..contract.registry import all_types
from ..contract.source import known_sources
from ..models import Job, Run, UpstreamRun
from ..states import LIVE, RUN_ACTIONS, Badge, RunStatus, Verdict, run_badge
from .explain import Surroundings, explain


@dataclass(frozen=True)
class RunLine:
    run: Run
    badge: Badge
    explanation: str  # why it is not running, for live runs; '' otherwise
    by: str
    took: timedelta | None
    rows: str
    cost: Decimal | None
    cost_is_estimate: bool
    result: str  # one phrase
    live: bool
    actions: frozenset[str]  # that the state allows; whether the user may is the page's question


def run_line(run: Run, user: Any = None, around: Surroundings | None = None) -> RunLine:
    """One run in words. `user`: whose own runs are 'by you'; `around`: read once where there are several."""
    now = timezone.now()
    explanation = explain(run, now, around=around) if run.status in (RunStatus.PENDING, RunStatus.WAITING) else ""
    actual = run.cost_actual
    estimate = run.cost_estimate if actual is None and _may_cost(run) else None
    return RunLine(
        run=run,
        badge=run_badge(run.status, verdict=run.verdict, tries_failed=run.attempt, waits_at=_waits_at(run)),
        explanation=explanation,
        by=by_whom(run, user),
        took=(run.completed_at or now) - run.started_at if run.started_at else None,
        rows=_rows(run),
        cost=actual if actual is not None else estimate,
        cost_is_estimate=actual is None and estimate is not None,
        result=_result(run, explanation),
        live=run.is_live,
        actions=actions_for(run),
    )


def run_lines(runs: Iterable[Run], user: Any = None) -> list[RunLine]:
    around = Surroundings(timezone.now())
    return [run_line(run, user, around) for run in runs]


def actions_for(run: Run) -> frozenset[str]:
    """What its state allows: RUN_ACTIONS, narrowed by what would make no difference."""
    allowed = {action for action, statuses in RUN_ACTIONS.items() if run.status in statuses}
    if run.verdict not in (Verdict.PARTIAL, Verdict.SUSPICIOUS):
        allowed.discard("accept")
    if run.cancel_requested_at:
        allowed.discard("cancel")
    if run.due_at <= timezone.now():
        allowed.discard("run_now")
    return frozenset(allowed)


def by_whom(run: Run, user: Any = None) -> str:
    if run.trigger_source == Job.Trigger.SCHEDULED:
        return f"Schedule: {run.job.name}" if run.job.name else "Schedule"
    if run.created_by is None:
        return "another program" if run.trigger_source == Job.Trigger.API else "the command line"
    return "you" if user is not None and run.created_by_id == user.pk else str(run.created_by)


def recent_runs(
    job_type: str, brand_id: UUID | None, subjects: list[str], *, limit: int = 5, user: Any = None
) -> dict[str, list[RunLine]]:
    """The last one-time runs of each subject, newest first; one query for all of them."""
    wanted = Run.objects.one_time().filter(Q(brand_id=brand_id), job_type=job_type, subject__in=subjects)
    numbered = wanted.annotate(back=Window(RowNumber(), partition_by=F("subject"), order_by=F("id").desc())).filter(
        back__lte=limit
    )
    found: dict[str, list[RunLine]] = {subject: [] for subject in subjects}
    shown = numbered.select_related("job", "created_by", "brand").prefetch_related("upstream_runs").order_by("-pk")
    for line in run_lines(shown, user):
        found[line.run.subject].append(line)
    return found


def live_run(job_type: str, brand_id: UUID | None, subject: str) -> Run | None:
    """The one that holds the key."""
    live = Run.objects.live().filter(Q(brand_id=brand_id), job_type=job_type, subject=subject, dedupe_key__isnull=False)
    return live.select_related("job", "created_by").prefetch_related("upstream_runs").first()


def place_in_line(run: Run) -> int | None:
    """1 for the next one of those that are due, limits and pauses aside. None where it is not due, or far behind."""
    return Surroundings(timezone.now()).line.get(run.pk)


def _may_cost(run: Run) -> bool:
    """Not if it is over and nothing was started: what it would have cost is no cost of it."""
    nothing = (UpstreamRun.Status.VOID, UpstreamRun.Status.REFUSED)
    return run.is_live or any(one.status not in nothing for one in run.upstream_runs.all())


def _waits_at(run: Run) -> str:
    """The upstream's label, where that is what it waits for."""
    if run.status != RunStatus.WAITING or not run.blocked_reason.startswith("at "):
        return ""
    label = run.blocked_reason.removeprefix("at ")
    return label if label in {source.label for source in known_sources()} else ""


def _rows(run: Run) -> str:
    counts, progress = run.counts or {}, run.progress or {}
    if run.status in LIVE:
        done = progress.get("done") or counts.get("raw")
        return f"{done:,} read" if isinstance(done, int) else "0"
    new, changed = counts.get("new", 0), counts.get("changed", 0)
    return (
        " ".join(filter(None, [f"{new:,} new" if new or not changed else "", f"{changed:,} changed" if changed else ""]))
        if counts
        else "0"
    )


def _result(run: Run, explanation: str) -> str:
    if run.status in (RunStatus.PENDING, RunStatus.WAITING):
        return explanation
    if run.status == RunStatus.RUNNING:
        return (run.progress or {}).get("note") or "Working"
    if run.status == RunStatus.FAILED:
        return run.error_message
    return run.summary or run.get_status_display()


def type_choices() -> list[tuple[str, str]]:
    """For filters."""
    return [(one.name, f"{one.emoji} {one.label}") for one in all_types()]
