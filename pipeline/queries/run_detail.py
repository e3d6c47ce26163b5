"""Everything the page of one run shows."""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Min, Sum
from django.utils import timezone

from ..contract.errors import InvalidRequest
from ..contract.registry import get_type
from ..contract.source import get_source, known_sources, source_label
from ..models import Attempt, Event, RejectedItem, Run, RunLog, Step, UpstreamRun
from ..states import OUTCOMES, RUNNING, Badge, Outcome, RunStatus
from .runs import RunLine, run_line

LOG_LINES = 500
SAMPLE_CHARACTERS = 300
DEAD = [status for status in UpstreamRun.ENDED if status != UpstreamRun.Status.SUCCEEDED]


@dataclass(frozen=True)
class AttemptLine:
    attempt: Attempt
    badge: Badge
    took: timedelta


@dataclass(frozen=True)
class UpstreamLine:
    upstream: UpstreamRun
    label: str
    link: str


@dataclass(frozen=True)
class RejectedGroup:
    reason: str
    count: int
    sample: str


@dataclass(frozen=True)
class Span:
    """Some seconds of the run's life, by what it did: line, upstream or work."""

    kind: str
    seconds: float


@dataclass(frozen=True)
class RunDetail:
    run: Run
    line: RunLine
    type_label: str
    emoji: str
    parameters: list[tuple[str, str]]
    log: list[RunLog]
    log_count: int
    steps: list[Step]
    attempts: list[AttemptLine]
    upstreams: list[UpstreamLine]
    rejected: list[RejectedGroup]
    rejected_count: int
    spans: list[Span]
    in_line: float
    at_upstream: float
    working: float
    counts: list[tuple[str, int]]
    cap: Decimal | None
    again: Decimal | None  # what Run again costs, about: what this one did, if it got to its end, else what it was to cost
    cost_settled: bool
    waits_for: str  # the upstream's label for 'At …'
    try_words: str
    can_replay: bool
    can_adopt: bool  # a start whose fate nobody knows
    can_start_again: bool  # paid starts that came to nothing
    orphan: UpstreamLine | None  # what still works upstream though the run is over
    events: list[Event]


def run_detail(run: Run, user: Any = None, *, level: str = "", words: str = "") -> RunDetail:
    """`level` and `words` narrow the log."""
    try:
        handler = get_type(run.job_type)
        label, emoji, form = handler.label, handler.emoji, handler.Params
        waits_for = source_label(handler.source) if handler.source else "upstream"
        parameters = [
            (str(field.label or name.replace("_", " ").capitalize()), _value(run.parameters.get(name)))
            for name, field in form.base_fields.items()
        ]
    except InvalidRequest:  # rows outlive the code that made them
        label, emoji, waits_for = run.job_type, "", "upstream"
        parameters = [(name, _value(value)) for name, value in run.parameters.items()]
    logs = RunLog.objects.filter(run=run)
    log_count = logs.count()
    if level:
        logs = logs.filter(level__in=["warning", "error"] if level == "warning" else [level])
    if words:
        logs = logs.filter(message__icontains=words)
    attempts = list(Attempt.objects.filter(run=run))
    upstreams = list(UpstreamRun.objects.filter(run=run))
    unclear = any(one.status in (UpstreamRun.Status.INTENT, UpstreamRun.Status.UNKNOWN) for one in upstreams)
    rejected = RejectedItem.objects.filter(run=run)
    groups = rejected.order_by().values("reason").annotate(n=Count("pk"), first=Min("pk")).order_by("-n")
    samples = {item.pk: item.item for item in RejectedItem.objects.filter(pk__in=[group["first"] for group in groups])}
    now = timezone.now()
    spans = spans_of(run, attempts, now)
    sums: defaultdict[str, float] = defaultdict(float)
    for span in spans:
        sums[span.kind] += span.seconds
    line = run_line(run, user)
    return RunDetail(
        run=run,
        line=line,
        type_label=label,
        emoji=emoji,
        parameters=parameters,
        log=list(logs.order_by("-seq")[:LOG_LINES])[::-1],
        log_count=log_count,
        steps=list(Step.objects.filter(run=run)),
        attempts=[_attempt(one, now) for one in attempts],
        upstreams=[_upstream(one) for one in upstreams],
        rejected=[
            RejectedGroup(
                group["reason"], group["n"], json.dumps(samples[group["first"]], ensure_ascii=False)[:SAMPLE_CHARACTERS]
            )
            for group in groups
        ],
        rejected_count=run.counts.get("rejected", 0) if run.counts else 0,
        spans=spans,
        in_line=sums["line"],
        at_upstream=sums["upstream"],
        working=sums["work"],
        counts=_counts(run),
        again=run.cost_estimate if run.cost_actual is None or run.status != RunStatus.COMPLETED else run.cost_actual,
        cap=UpstreamRun.objects.filter(run=run).aggregate(cap=Sum("cost_cap"))["cap"],
        cost_settled=bool(upstreams) and all(one.cost_settled or one.status in ("void", "refused") for one in upstreams),
        waits_for=waits_for,
        try_words=_try_words(run),
        can_replay=any(one.read_offset for one in upstreams) and "replay" in line.actions,
        can_adopt=run.status == RunStatus.FAILED and unclear,
        orphan=next((_upstream(one) for one in upstreams if one.status == UpstreamRun.Status.RUNNING and not run.is_live), None),
        events=list(Event.objects.filter(run=run).select_related("by")),
        can_start_again=run.status == RunStatus.FAILED and (unclear or any(one.status in DEAD for one in upstreams)),
    )


def spans_of(run: Run, attempts: list[Attempt], now: datetime) -> list[Span]:
    """Where the time went, from the attempts alone: worked while one lasted, upstream after a park, in line otherwise."""
    spans: list[Span] = []
    at, kind = run.created_at, "line"
    for attempt in attempts:
        spans.append(Span(kind, max((attempt.started_at - at).total_seconds(), 0)))
        at = attempt.ended_at or now
        spans.append(Span("work", max((at - attempt.started_at).total_seconds(), 0)))
        kind = "upstream" if attempt.outcome == Outcome.PARKED else "line"
    if run.is_live and (not attempts or attempts[-1].ended_at):
        spans.append(Span(kind, max((now - at).total_seconds(), 0)))
    return [span for span in spans if span.seconds > 0]


def _try_words(run: Run) -> str:
    """'Try 2 of 4': the one that it is at, or comes next; of a run that failed, its last."""
    most = run.job.max_retries + 1
    number = max(run.attempt, 1) if run.status == RunStatus.FAILED else run.attempt + 1
    return f"Try {min(number, most)} of {most}"


def _attempt(attempt: Attempt, now: datetime) -> AttemptLine:
    badge = OUTCOMES[Outcome(attempt.outcome)] if attempt.outcome else RUNNING
    return AttemptLine(attempt, badge, (attempt.ended_at or now) - attempt.started_at)


def _upstream(upstream: UpstreamRun) -> UpstreamLine:
    known = upstream.source in {source.name for source in known_sources()}
    link = get_source(upstream.source).link(upstream.upstream_id) if known and upstream.upstream_id else ""
    return UpstreamLine(upstream, source_label(upstream.source), link)


def _counts(run: Run) -> list[tuple[str, int]]:
    order = ["new", "changed", "unchanged", "duplicate", "rejected"]
    counts = run.counts or {}
    return [(name, counts[name]) for name in order if counts.get(name)]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return "–" if value in (None, "") else str(value)
