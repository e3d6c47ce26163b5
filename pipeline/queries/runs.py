"""Runs as rows of a table: badge, words, figures, and which actions fit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

from django.db.models import F, Q, Window, prefetch_related_objects
from django.db.models.functions import RowNumber
from django.utils import timezone

from ..contract.registry import all_types, find_type, label_of
from ..contract.source import source_label
from ..contract.tally import rows_met
from ..models import Job, Run, UpstreamRun
from ..states import LIVE, RUN_ACTIONS, Badge, RunStatus, Verdict, run_badge
from .explain import QueueView, explain

# By key what each subject is about now, to which its history is limited; or keys alone, for all of their runs.
Subjects: TypeAlias = "Mapping[str, str] | Sequence[str]"


@dataclass(frozen=True)
class RunRow:
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
    actions: frozenset[str]  # those that the state allows; the page checks whether the user may

    @property
    def emoji(self) -> str:
        handler = find_type(self.run.job_type)
        return handler.emoji if handler else ""

    @property
    def type_label(self) -> str:
        return label_of(self.run.job_type)


def run_row(run: Run, user: Any = None, around: QueueView | None = None) -> RunRow:
    """One run in words. `user`: whose own runs are 'by you'. `around`: pass it to read the queue once for several runs."""
    now = timezone.now()
    explanation = explain(run, now, around=around or QueueView(now, user))
    actual = run.cost_actual
    estimate = _expected_cost(run) if actual is None else None
    return RunRow(
        run=run,
        badge=run_badge(run.status, verdict=run.verdict, tries_failed=run.attempt, waits_at=waits_at(run)),
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


def run_rows(runs: Iterable[Run], user: Any = None) -> list[RunRow]:
    around = QueueView(timezone.now(), user)
    return [run_row(run, user, around) for run in runs]


def actions_for(run: Run) -> frozenset[str]:
    """What its state allows: RUN_ACTIONS without those that would change nothing."""
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
    job_type: str, brand_id: UUID | None, subjects: Subjects, *, limit: int = 5, user: Any = None
) -> dict[str, list[RunRow]]:
    """The latest runs of each subject, newest first. A schedule's run is among them once it has started."""
    wanted = Run.objects.asked_or_started().filter(Q(brand_id=brand_id), of_subjects(subjects), job_type=job_type)
    back = Window(RowNumber(), partition_by=[F("subject"), F("about")], order_by=F("id").desc())
    keys = wanted.annotate(back=back).filter(back__lte=limit).order_by().values("pk")  # sorts keys, not rows
    latest = Run.objects.filter(pk__in=keys).select_related("created_by").order_by("-pk")
    runs = [run for run in latest if is_about(subjects, run.subject, run.about)]
    # Only of these, run_row() reads more than the run itself.
    prefetch_related_objects([run for run in runs if run.is_live or run.cost_actual is None], "upstream_runs")
    scheduled = Job.Trigger.SCHEDULED
    prefetch_related_objects([run for run in runs if run.is_live or run.trigger_source == scheduled], "job", "brand")
    found: dict[str, list[RunRow]] = {subject: [] for subject in subjects}
    for row in run_rows(runs, user):
        found[row.run.subject].append(row)
    return {subject: rows[:limit] for subject, rows in found.items()}


def of_subjects(subjects: Subjects, prefix: str = "") -> Q:
    """Runs that may be of these subjects; is_about() tells which are."""
    where: dict[str, Any] = {f"{prefix}subject__in": list(subjects)}
    if isinstance(subjects, Mapping):
        where[f"{prefix}about__in"] = {*subjects.values()}
    return Q(**where)


def is_about(subjects: Subjects, subject: str, about: str) -> bool:
    """Whether a run belongs to the history of one of these subjects, as it is now."""
    return not isinstance(subjects, Mapping) or subjects[subject] == about


def live_run(job_type: str, brand_id: UUID | None, subject: str) -> Run | None:
    """The live run that has the subject's dedupe key."""
    return Run.objects.for_rows().with_key().filter(Q(brand_id=brand_id), job_type=job_type, subject=subject).first()


def place_in_queue(run: Run) -> int | None:
    """1 for the next due run; ignores limits and pauses. None where it is not due, or too far behind to be numbered."""
    return QueueView(timezone.now()).places.get(run.pk)


def _expected_cost(run: Run) -> Decimal | None:
    """Until it is final, or more if the upstream says so by now. None for an ended run that started nothing there."""
    started = [one for one in run.upstream_runs.all() if one.status not in UpstreamRun.NOTHING]
    if started:
        return sum((one.expected_cost for one in started), Decimal(0))
    return run.cost_estimate if run.is_live else None


def waits_at(run: Run) -> str:
    """The label of the upstream whose run it waits for, '' if none."""
    if run.status != RunStatus.WAITING:
        return ""
    return next((source_label(one.source) for one in run.upstream_runs.all() if one.status == UpstreamRun.Status.RUNNING), "")


def _rows(run: Run) -> str:
    """What the run holds. A live run that has saved nothing yet says how far reading is."""
    counts, progress = run.counts or {}, run.progress or {}
    saved = rows_met(counts)
    if run.status in LIVE:
        done = progress.get("done") or counts.get("raw")
        return f"{saved:,} saved" if saved else f"{done:,} read" if isinstance(done, int) else "0"
    new, changed = counts.get("new", 0), counts.get("changed", 0)
    if not new and not changed:
        return f"{saved:,} unchanged" if saved else "0"
    return " ".join(filter(None, [f"{new:,} new" if new else "", f"{changed:,} changed" if changed else ""]))


def _result(run: Run, explanation: str) -> str:
    if run.is_live:
        return explanation or (run.progress or {}).get("note") or "Working"
    if run.status == RunStatus.FAILED:
        return run.error_message
    return run.summary or run.get_status_display()


def type_choices() -> list[tuple[str, str]]:
    """Choices for filters."""
    return [(one.name, f"{one.emoji} {one.label}") for one in all_types()]
