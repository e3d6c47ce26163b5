"""Why a pending or waiting run is not running, and when it will: one sentence, from the claim's own conditions."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from statistics import median_low

from ..contract.registry import find_type, label_of
from ..contract.source import source_label
from ..engine.queue.candidates import has_code_for
from ..engine.queue.limits import KEEPS_BACK, Kind, Stop, stage_of
from ..engine.queue.stops import current_stops
from ..models import Event, Pause, Run, UpstreamRun, Worker
from ..states import JobStatus, RunStatus
from ..words import clock, in_words

RECENT = 20  # upstream runs that tell what is usual
LINE = 500  # places in line that are numbered; whoever is further back reads that


@dataclass
class Surroundings:
    """What holds runs back apart from the runs themselves. Read once, however many runs a page explains."""

    at: datetime

    _usual: dict[str, timedelta | None] = field(default_factory=dict)
    _limited: dict[Stop, str] = field(default_factory=dict)

    def usual(self, job_type: str) -> timedelta | None:
        """How long the type's upstream runs take: the median of the last that succeeded."""
        if job_type not in self._usual:
            good = UpstreamRun.objects.filter(run__job_type=job_type, status=UpstreamRun.Status.SUCCEEDED)
            times = good.order_by("-pk").values_list("started_at", "finished_at")[:RECENT]
            took = [finished - started for started, finished in times if started and finished]
            self._usual[job_type] = median_low(took) if took else None
        return self._usual[job_type]

    def limited(self, limit: Stop) -> str:
        """What uses a limit's slots."""
        if limit not in self._limited:
            self._limited[limit] = _limited(limit)
        return self._limited[limit]

    @cached_property
    def stops(self) -> list[Stop]:
        return current_stops()

    @cached_property
    def pauses(self) -> list[Pause]:
        return list(Pause.objects.select_related("by", "brand"))

    @cached_property
    def job_pauses(self) -> dict[int | None, Event]:
        """Who paused each job that is, and when."""
        found = Event.objects.filter(job__status=JobStatus.PAUSED, kind__in=["pause", "switch_off"]).select_related("by")
        return {event.job_id: event for event in found.order_by("pk")}

    @cached_property
    def line(self) -> dict[int, int]:
        """Who of the due is the how-manieth, in the claim's order; limits and pauses aside."""
        due = Run.objects.filter(status=RunStatus.PENDING, due_at__lte=self.at)
        return {pk: place for place, pk in enumerate(due.in_queue_order().values_list("pk", flat=True)[:LINE], start=1)}

    @cached_property
    def no_worker(self) -> str | None:
        return no_worker_since(self.at)


def explain(run: Run, at: datetime, around: Surroundings | None = None) -> str:
    """'' where the run is neither pending nor waiting."""
    if run.status not in (RunStatus.PENDING, RunStatus.WAITING):
        return ""
    around = around or Surroundings(at)
    if run.due_at > at:
        return _waiting(run, at, around) if run.status == RunStatus.WAITING else _not_due(run, at, around)
    if held := held_back(run, around):
        return held
    if around.no_worker is not None:
        return around.no_worker
    if run.cancel_requested_at:
        return "Being cancelled. It ends when a worker is free."
    if run.status == RunStatus.WAITING:
        return "Woken. It goes on when a worker is free."
    place = around.line.get(run.pk)
    if place == 1:
        return "Next in line. It starts when a worker is free."
    return f"In line, {f'number {place}' if place else f'behind more than {LINE} others'}. It starts when a worker is free."


def held_back(run: Run, around: Surroundings) -> str:
    """What keeps a due run from being claimed; '' where it only waits for a free worker."""
    stage = stage_of(run)
    if not has_code_for(run, around.at):
        return _unknown(run)
    if run.job.status == JobStatus.PAUSED and stage in KEEPS_BACK[Kind.JOB_PAUSE]:
        return _paused(run, around)
    covering = (stop for stop in around.stops if stop.covers(run.job_type, run.brand_id))
    stop = next((stop for stop in covering if stop.keeps_back(stage)), None)
    if stop is None:
        return ""
    if stop.kind in (Kind.FULL, Kind.ZERO):
        return around.limited(stop)
    if stop.kind is not Kind.PAUSE:
        return stop.reason
    pause = next((p for p in around.pauses if p.job_type in ("", run.job_type) and p.brand_id in (None, run.brand_id)), None)
    return f"Paused by {pause.by or 'the system'} since {clock(pause.since)}: {pause}." if pause else "Paused."


def _unknown(run: Run) -> str:
    handler = find_type(run.job_type)
    if handler is None:
        return f"Nothing here has code for the job type {run.job_type!r}. Deploy code that has it, or cancel the run."
    return (
        f"Newer code began this run (version {run.code_version}, here it is {handler.version})."
        " A worker with that code continues it."
    )


def _paused(run: Run, around: Surroundings) -> str:
    event = around.job_pauses.get(run.job_id)
    what = "Its schedule is" if run.scheduled_for else "It is"
    return f"{what} paused by {event.by or 'the system'} since {clock(event.at)}." if event else f"{what} paused."


def no_worker_since(at: datetime) -> str | None:
    """The sentence for a stand-still: no worker has given a sign of life for a minute. None while one lives."""
    workers = Worker.objects.filter(kind=Worker.Kind.WORKER)
    if workers.alive(at).exists():
        return None
    last = workers.order_by("-last_seen_at").first()
    if last is None:
        return "No worker has ever reported. Runs wait until one starts (manage.py worker)."
    return f"No worker has reported for {in_words(at - last.last_seen_at)}. Runs wait until one starts."


def _not_due(run: Run, at: datetime, around: Surroundings) -> str:
    left = in_words(run.due_at - at)
    if run.blocked_reason:
        return f"{run.blocked_reason} Looked at again in {left}."
    if run.attempt:
        return f"Try {run.attempt + 1} of {run.job.max_retries + 1}, next in {left}: {run.error_message}"
    due = f"Due in {left}, at {clock(run.due_at)}."
    # Whose schedule is paused does not start then either.
    return f"{due} {_paused(run, around)}" if run.job.status == JobStatus.PAUSED else due


def _waiting(run: Run, at: datetime, around: Surroundings) -> str:
    # Through the relation, so that a page may fetch them for all its runs at once.
    upstream = next((one for one in run.upstream_runs.all() if one.status == UpstreamRun.Status.RUNNING), None)
    if upstream is None:
        left = in_words(max(run.due_at - at, timedelta(0)))
        reason = (run.blocked_reason or "waiting").removesuffix(".")
        return f"{reason[0].upper()}{reason[1:]}, looked at again in {left}."
    began = upstream.started_at or upstream.intent_at
    words = f"At {source_label(upstream.source)} for {in_words(at - began)}"
    if usual := around.usual(run.job_type):
        words += f", {(at - began) / usual:.0%} of its usual time".replace("%", " %")
    return f"{words}: {upstream.message}" if upstream.message else f"{words}."


def _limited(limit: Stop) -> str:
    what = label_of(limit.job_type) if limit.job_type else "all runs"
    if not limit.max_running:
        return f"The limit for {what} is 0: nothing starts until it is raised."
    scope = Run.objects.filter(status=RunStatus.RUNNING)
    if limit.job_type:
        scope = scope.filter(job_type=limit.job_type)
    if limit.brand_id:
        scope = scope.filter(brand_id=limit.brand_id)
    using = [str(pk) for pk in scope.values_list("pk", flat=True)]
    more = f" and {len(using) - 5} more" if len(using) > 5 else ""
    return f"{len(using)} of {limit.max_running} slots for {what} in use by runs {', '.join(using[:5])}{more}."
