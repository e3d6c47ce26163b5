"""Everything the page of one run shows."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from django.db import DatabaseError
from django.db.models import Count, Min, Sum
from django.utils import timezone

from ..contract.job_type import Brought
from ..contract.registry import find_type
from ..contract.source import get_source, known_sources, source_label
from ..engine.execution.replay import REPLAY
from ..models import Attempt, Event, RawPage, RejectedItem, Reuse, Run, RunLog, Step, UpstreamRun
from ..states import OUTCOMES, RUNNING, Badge, Outcome, RunStatus
from .estimates import LEARNED_FROM, GoodRun, estimate_of, history, if_visible
from .manager.timelines.of_run import Entry, timeline
from .runs import RunRow, run_row
from .subjects import good_runs_of

LOG_LINES = 500
SAMPLE_CHARACTERS = 300
DEAD = [status for status in UpstreamRun.ENDED if status != UpstreamRun.Status.SUCCEEDED]


@dataclass(frozen=True)
class AttemptRow:
    attempt: Attempt
    badge: Badge
    took: timedelta


@dataclass(frozen=True)
class UpstreamRow:
    upstream: UpstreamRun
    label: str
    link: str


@dataclass(frozen=True)
class RejectedGroup:
    reason: str
    count: int
    sample: str


@dataclass(frozen=True)
class UsedScrape:
    """What a run uses instead of paying. `run`: the other run, if the person may see it."""

    words: str
    run: Run | None
    read_offset: int


@dataclass(frozen=True)
class Span:
    """Some seconds of the run's life, and where it spent them: queue, upstream or work."""

    kind: str
    seconds: float


@dataclass(frozen=True)
class RunDetail:
    run: Run
    row: RunRow
    type_label: str
    emoji: str
    parameters: list[tuple[str, str]]
    log: list[RunLog]
    log_counts: dict[str, int]  # of all its lines; warnings include errors
    steps: list[Step]
    attempts: list[AttemptRow]
    upstreams: list[UpstreamRow]
    rejected: list[RejectedGroup]
    rejected_count: int
    timeline: list[Entry]
    in_queue: float
    at_upstream: float
    working: float
    counts: list[tuple[str, int]]
    usual: str  # how many rows such a run brings, or that this is still being learned; '' for a type without a source
    usual_time: timedelta | None
    last_good: int | None  # the number of the last accepted run before this one
    brought: Brought | None
    pages: tuple[int, int]  # downloaded pages that are kept, and their items
    cap: Decimal | None
    again: Decimal | None  # about what Run again costs, with this run's options
    cost_settled: bool
    waits_for: str  # the upstream's label, for 'At …'; '' if the type has no upstream
    try_words: str
    can_replay: bool
    can_adopt: bool  # a paid start may or may not have happened
    can_start_again: bool  # paid starts failed, or may not have happened
    uses: list[UsedScrape]
    replay: RunRow | None  # the last run that re-imported this one's data, or is to
    orphan: UpstreamRow | None  # still running upstream although the run has ended
    events: list[Event]

    @property
    def offers(self) -> frozenset[str]:
        """What the run's state lets a person do who may do everything."""
        further = {
            "replay": self.can_replay,
            "adopt": self.can_adopt,
            "start_again": self.can_start_again,
            "retry": "retry" in self.row.actions and (self.can_adopt or not self.can_start_again),
            "end_upstream": self.orphan is not None,
        }
        return self.row.actions - further.keys() | {action for action, fits in further.items() if fits}


def run_detail(run: Run, user: Any = None, *, level: str = "", words: str = "") -> RunDetail:
    """`level` and `words` narrow the log."""
    attempts = list(Attempt.objects.filter(run=run))
    upstreams = list(UpstreamRun.objects.filter(run=run))
    unclear = any(one.status in UpstreamRun.UNCLEAR for one in upstreams)
    now = timezone.now()
    spans = spans_of(run, attempts, now)
    sums: defaultdict[str, float] = defaultdict(float)
    for span in spans:
        sums[span.kind] += span.seconds
    row = run_row(run, user)
    uses = _used_scrapes(run, user)
    steps = list(Step.objects.filter(run=run))
    of_type = type_fields(run)
    good = [one for one in good_runs_of(run.job_type, run.brand_id, run.subject, run.about) if one.pk != run.pk]
    return RunDetail(
        run=run,
        row=row,
        **of_type,
        **_log_fields(run, level, words),
        steps=steps,
        attempts=[_attempt(one, now) for one in attempts],
        upstreams=[_upstream(one) for one in upstreams],
        rejected=_rejected(run),
        rejected_count=run.counts.get("rejected", 0) if run.counts else 0,
        timeline=timeline(run, attempts, steps, badge=row.badge, by=row.by, waits_for=of_type["waits_for"], now=now),
        in_queue=sums["queue"],
        at_upstream=sums["upstream"],
        working=sums["work"],
        counts=counts_in_order(run.counts or {}),
        usual=_usual(run, good),
        usual_time=_usual_time(run, good),
        last_good=next((one.pk for one in good if one.pk < run.pk), None),
        brought=_brought(run),
        pages=kept_pages(run),
        again=estimate.cost_usd if not run.is_live and (estimate := estimate_of(run)) else None,
        cap=UpstreamRun.objects.filter(run=run).aggregate(cap=Sum("cost_cap"))["cap"],
        cost_settled=bool(upstreams or uses) and all(one.cost_settled or one.status in ("void", "refused") for one in upstreams),
        try_words=_try_words(run),
        uses=uses,
        can_replay=any([*(one.read_offset for one in upstreams), *(one.read_offset for one in uses)]) and "replay" in row.actions,
        replay=_replay(run, user),
        can_adopt=run.status == RunStatus.FAILED and unclear,
        orphan=next((_upstream(one) for one in upstreams if one.status == UpstreamRun.Status.RUNNING and not run.is_live), None),
        events=list(Event.objects.filter(run=run).select_related("by")),
        can_start_again=run.status == RunStatus.FAILED and (unclear or any(one.status in DEAD for one in upstreams)),
    )


def _replay(run: Run, user: Any) -> RunRow | None:
    last = Run.objects.for_rows().filter(job_type=REPLAY, subject=str(run.pk), brand=run.brand_id).order_by("-pk").first()
    return run_row(last, user) if last else None


def type_fields(run: Run) -> dict[str, Any]:
    """What the run's type says of it; the stored names where its code is gone."""
    handler = find_type(run.job_type)
    if handler is None:
        parameters = [(name, value_words(value)) for name, value in run.parameters.items()]
        return {"type_label": run.job_type, "emoji": "", "waits_for": "the data source", "parameters": parameters}
    return {
        "type_label": handler.label,
        "emoji": handler.emoji,
        "waits_for": source_label(handler.source) if handler.source else "",
        "parameters": [
            (str(field.label or name.replace("_", " ").capitalize()), value_words(run.parameters.get(name)))
            for name, field in handler.Params.base_fields.items()
        ],
    }


def _log_fields(run: Run, level: str, words: str) -> dict[str, Any]:
    lines = RunLog.objects.filter(run=run)
    numbers = dict(lines.order_by().values_list("level").annotate(Count("pk")))
    errors, warnings = numbers.get("error", 0), numbers.get("warning", 0)
    counts = {"": sum(numbers.values()), "warning": warnings + errors, "error": errors}
    if level:
        lines = lines.filter(level__in=["warning", "error"] if level == "warning" else [level])
    if words:
        lines = lines.filter(message__alike=words)
    return {"log": list(lines.order_by("-seq")[:LOG_LINES])[::-1], "log_counts": counts}


def _used_scrapes(run: Run, user: Any) -> list[UsedScrape]:
    """What the run waits for, or uses, instead of a paid start of its own."""
    found = []
    for reuse in Reuse.objects.filter(run=run).select_related("upstream_run__run"):
        other = if_visible(reuse.upstream_run.run, run.brand_id, user) if reuse.upstream_run else None
        whose = f"run {other.pk}'s" if other else "another run's"
        words = reuse.words.replace("another run's", whose) if reuse.words else f"Waits for {whose} scrape, $0."
        found.append(UsedScrape(words, other, reuse.read_offset))
    return found


def _rejected(run: Run) -> list[RejectedGroup]:
    items = RejectedItem.objects.filter(run=run)
    groups = items.order_by().values("reason").annotate(n=Count("pk"), first=Min("pk")).order_by("-n")
    samples = {item.pk: item.item for item in RejectedItem.objects.filter(pk__in=[group["first"] for group in groups])}
    return [
        RejectedGroup(group["reason"], group["n"], json.dumps(samples[group["first"]], ensure_ascii=False)[:SAMPLE_CHARACTERS])
        for group in groups
    ]


def spans_of(run: Run, attempts: list[Attempt], now: datetime) -> list[Span]:
    """Where the time went: work during an attempt, upstream after a parked one, queue otherwise."""
    spans: list[Span] = []
    at, kind = run.created_at, "queue"
    for attempt in attempts:
        spans.append(Span(kind, max((attempt.started_at - at).total_seconds(), 0)))
        at = attempt.ended_at or now
        spans.append(Span("work", max((at - attempt.started_at).total_seconds(), 0)))
        kind = "upstream" if attempt.outcome == Outcome.PARKED else "queue"
    if run.is_live and (not attempts or attempts[-1].ended_at):
        spans.append(Span(kind, max((now - at).total_seconds(), 0)))
    return [span for span in spans if span.seconds > 0]


def _try_words(run: Run) -> str:
    """'Try 2 of 4': the current or next try; the last one of a failed run."""
    most = run.job.max_retries + 1
    number = max(run.attempt, 1) if run.status == RunStatus.FAILED else run.attempt + 1
    return f"Try {min(number, most)} of {most}"


def _attempt(attempt: Attempt, now: datetime) -> AttemptRow:
    badge = OUTCOMES[Outcome(attempt.outcome)] if attempt.outcome else RUNNING
    return AttemptRow(attempt, badge, (attempt.ended_at or now) - attempt.started_at)


def _upstream(upstream: UpstreamRun) -> UpstreamRow:
    known = upstream.source in {source.name for source in known_sources()}
    link = get_source(upstream.source).link(upstream.upstream_id) if known and upstream.upstream_id else ""
    return UpstreamRow(upstream, source_label(upstream.source), link)


def counts_in_order(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    order = ["new", "changed", "unchanged", "duplicate", "rejected"]
    return [(name, counts[name]) for name in order if counts.get(name)]


def _usual(run: Run, good_runs: list[GoodRun]) -> str:
    handler = find_type(run.job_type)
    if handler is None or not handler.source:
        return ""
    return history(handler, run.parameters, good_runs, but=run).words(handler.row)


def _usual_time(run: Run, good_runs: list[GoodRun]) -> timedelta | None:
    """How long such a run takes from its start to its end; None while too few are known."""
    handler = find_type(run.job_type)
    options = handler.options(run.parameters) if handler else {}
    alike = [one.pk for one in good_runs if handler and handler.options(one.parameters) == options]
    times = Run.objects.filter(pk__in=alike).values_list("started_at", "completed_at")
    took = [(end - start).total_seconds() for start, end in times if start and end]
    return timedelta(seconds=median(took)) if len(took) >= LEARNED_FROM else None


def _brought(run: Run) -> Brought | None:
    handler = find_type(run.job_type)
    try:
        return handler.brought(run) if handler and run.counts else None
    except DatabaseError:
        raise
    except Exception:  # noqa: BLE001  its subject is gone, or the type has a bug: the page shows the rest
        return None


def kept_pages(run: Run) -> tuple[int, int]:
    """How many downloaded pages a replay of it reads, and how many items these have."""
    kept = RawPage.objects.filter(upstream_run__in=UpstreamRun.objects.of_runs([run])).aggregate(
        pages=Count("pk"), items=Sum("items")
    )
    return kept["pages"], kept["items"] or 0


def value_words(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return "–" if value in (None, "") else str(value)
