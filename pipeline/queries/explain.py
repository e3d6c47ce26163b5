"""Who works on a live run, else why nobody does and when it goes on: one sentence, from the claim's own conditions."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from statistics import median_low
from typing import Any
from uuid import UUID

from django.utils import timezone

from ..contract.registry import find_type, internal_names, label_of
from ..contract.source import source_label
from ..engine.queue.limits import KEEPS_BACK, Kind, Stage, Stop, stage_of
from ..engine.queue.next_run.candidates import DEPLOYED_WITHIN, has_code_for
from ..engine.queue.stops import current_stops
from ..models import Brand, Event, Pause, Run, UpstreamRun, Worker
from ..people import Brands, brands_for
from ..states import JobStatus, RunStatus
from ..words import clock, in_words, plural

TIMED_RUNS = 20  # recent upstream runs whose median is the usual time
PLACES_NUMBERED = 500  # for a run further back, the sentence says only "at least this many"


@dataclass
class QueueView:
    """The queue as a page sees it: order, limits and pauses. Read once, however many runs the page explains."""

    at: datetime
    user: Any = None  # who reads it: what other brands do is not told to who may not see them

    _usual: dict[str, timedelta | None] = field(default_factory=dict)
    _limited: dict[Stop, str] = field(default_factory=dict)

    def usual(self, job_type: str) -> timedelta | None:
        """How long the type's upstream runs take: the median of the last ones that succeeded."""
        if job_type not in self._usual:
            good = UpstreamRun.objects.filter(
                self.brands.q("run__brand"), run__job_type=job_type, status=UpstreamRun.Status.SUCCEEDED
            )
            times = good.order_by("-pk").values_list("started_at", "finished_at")[:TIMED_RUNS]
            took = [finished - started for started, finished in times if started and finished]
            self._usual[job_type] = median_low(took) if took else None
        return self._usual[job_type]

    def limited(self, limit: Stop) -> str:
        """Which runs use up a limit, in words."""
        if limit not in self._limited:
            self._limited[limit] = _limited(limit, self)
        return self._limited[limit]

    @property
    def brands(self) -> Brands:
        return brands_for(self.user)

    @cached_property
    def stops(self) -> list[Stop]:
        return current_stops(self.at)

    @cached_property
    def pauses(self) -> list[Pause]:
        return list(Pause.objects.lasting(self.at).select_related("by", "brand"))

    @cached_property
    def running(self) -> list[tuple[int, str, UUID | None]]:
        """Number, type and brand of each running run, whosever it is: limits count them."""
        found = Run.objects.filter(status=RunStatus.RUNNING).order_by("pk")
        return list(found.values_list("pk", "job_type", "brand_id"))

    @cached_property
    def limited_brands(self) -> dict[UUID, Brand]:
        """The brands that a limit in use is for."""
        return Brand.objects.in_bulk([stop.brand_id for stop in self.stops if stop.brand_id])

    @cached_property
    def job_pauses(self) -> dict[int | None, Event]:
        """Who paused each paused job, and when."""
        found = Event.objects.filter(job__status=JobStatus.PAUSED, kind__in=["pause", "switch_off"]).select_related("by")
        return {event.job_id: event for event in found.order_by("pk")}

    @cached_property
    def places(self) -> dict[int, int]:
        """Position of each due run in the claim's order. Ignores limits and pauses."""
        due = Run.objects.filter(status=RunStatus.PENDING, due_at__lte=self.at)
        return {
            pk: place for place, pk in enumerate(due.in_queue_order().values_list("pk", flat=True)[:PLACES_NUMBERED], start=1)
        }

    @cached_property
    def no_worker(self) -> str | None:
        return no_worker_since(self.at)


class Activity(StrEnum):
    """Who is at work on a run."""

    WORKER = "worker"
    UPSTREAM = "upstream"
    NOBODY = ""


def activity(run: Run, at: datetime) -> Activity:
    """Who is at work on the run now. Not the run's status: its worker may be dead, or its upstream run over."""
    if run.status == RunStatus.RUNNING and run.lease_expires_at and run.lease_expires_at > at:
        return Activity.WORKER
    if run.status == RunStatus.WAITING and run.due_at > at and _running_upstream(run):
        return Activity.UPSTREAM
    return Activity.NOBODY


def explain(run: Run, at: datetime, around: QueueView | None = None) -> str:
    """Why nobody works on the live run, or what the upstream does; '' while a worker is at it, and after its end."""
    if not run.is_live or activity(run, at) is Activity.WORKER:
        return ""
    around = around or QueueView(at)
    if run.status == RunStatus.RUNNING:
        return f"Its worker stopped responding. {around.no_worker or 'It continues when a worker is free.'}"
    if run.due_at > at:
        return _waiting(run, at, around) if run.status == RunStatus.WAITING else _not_due(run, at, around)
    if reason := kept_back(run, around):
        return reason
    if around.no_worker is not None:
        return around.no_worker
    if run.cancel_requested_at:
        return "Being cancelled. It ends when a worker is free."
    if run.status == RunStatus.WAITING:
        return _woken(run)
    place = around.places.get(run.pk) if around.brands.every else None  # a place would count the runs of other brands
    claimed = place is None and len(around.places) < PLACES_NUMBERED  # since it was read
    if not around.brands.every or claimed:
        return "In the queue. It starts when a worker is free."
    if place == 1:
        return "Next in the queue. It starts when a worker is free."
    where = f"Number {place} in the queue" if place else f"Behind at least {PLACES_NUMBERED} others in the queue"
    return f"{where}. It starts when a worker is free."


def kept_back(run: Run, around: QueueView) -> str:
    """What keeps a due run from being claimed; '' where it only waits for a free worker."""
    stage = stage_of(run)
    if missing := missing_code(run, around.at):
        return missing
    if run.job.status == JobStatus.PAUSED and stage in KEEPS_BACK[Kind.JOB_PAUSE]:
        return _paused(run, around)
    return _stop_words(run.job_type, run.brand_id, stage, around)


def before_the_click(job_type: str, brand_id: UUID | None, user: Any = None) -> list[str]:
    """What would keep a new run of that type and brand from starting now: a pause, a limit, an upstream at rest, no worker."""
    around = QueueView(timezone.now(), user)
    return [words for words in (_stop_words(job_type, brand_id, Stage.NEW, around), around.no_worker) if words]


def _stop_words(job_type: str, brand_id: UUID | None, stage: Stage, around: QueueView) -> str:
    covering = (stop for stop in around.stops if stop.covers(job_type, brand_id))
    stop = next((stop for stop in covering if stop.keeps_back(stage)), None)
    return words_of(stop, job_type, brand_id, around) if stop else ""


def words_of(stop: Stop, job_type: str, brand_id: UUID | None, around: QueueView) -> str:
    """What the stop tells of the runs of that type and brand, which it covers."""
    if stop.kind in (Kind.FULL, Kind.ZERO):
        return around.limited(stop)
    if stop.kind is not Kind.PAUSE:
        return stop.reason
    handler = find_type(job_type)
    source = handler.source if handler else ""
    pause = next((one for one in around.pauses if one.stops(stop.job_type, stop.brand_id, source)), None)
    return pause_words(pause) if pause else "Paused."


def pause_words(pause: Pause) -> str:
    """'Paused by Nadia since 14:02 until 18:00: Toy of Acme. New price list.'"""
    until = f" until {clock(pause.until)}" if pause.until else ""
    what = scope_words(pause.job_type, pause.brand, pause.source)
    why = f" {pause.reason.removesuffix('.')}." if pause.reason else ""
    return f"Paused by {pause.by or 'the system'} since {clock(pause.since)}{until}: {what}.{why}"


def missing_code(run: Run, at: datetime) -> str:
    """Why no worker with the code that is deployed here may take the run; '' where one may."""
    if has_code_for(run, at):
        return ""
    if run.cancel_requested_at:
        return f"Nothing here has its code, so the cancel takes up to {in_words(DEPLOYED_WITHIN)}."
    handler = find_type(run.job_type)
    if handler is None:
        return f"Nothing here has code for the job type {run.job_type!r}. Deploy code that has it, or cancel the run."
    return (
        f"Newer code began this run (version {run.code_version}, here it is {handler.version})."
        " A worker with that code continues it."
    )


def _paused(run: Run, around: QueueView) -> str:
    event = around.job_pauses.get(run.job_id)
    what = "Schedule paused" if run.scheduled_for else "Paused"
    if event is None:
        return f"{what}."
    why = "" if event.by else f" {event.message}"
    return f"{what} by {event.by or 'the system'} since {clock(event.at)}.{why}"


def no_worker_since(at: datetime) -> str | None:
    """What to say when no worker has reported for a minute. None while one is alive."""
    alive, last = Worker.objects.filter(kind=Worker.Kind.WORKER).seen(at)
    if alive:
        return None
    if last is None:
        return "No worker has ever reported. Runs wait until one starts (manage.py worker)."
    return f"No worker has reported for {in_words(at - last)}. Runs wait until one starts."


def _not_due(run: Run, at: datetime, around: QueueView) -> str:
    left = in_words(run.due_at - at)
    if run.blocked_reason:
        return f"{run.blocked_reason} Checked again in {left}."
    if run.attempt:
        return f"Try {run.attempt + 1} of {run.job.max_retries + 1} in {left}. Last error: {run.error_message}"
    due = f"Due in {left}, at {clock(run.due_at)}."
    # While its schedule is paused, it does not start then either.
    return f"{due} {_paused(run, around)}" if run.job.status == JobStatus.PAUSED else due


def _woken(run: Run) -> str:
    """For a waiting run that is due."""
    upstream = _running_upstream(run)
    # wake() sets both times to the same moment. A run that is due to ask for itself keeps its old order_at.
    if upstream and run.due_at == run.order_at:
        return f"{source_label(upstream.source)} is done. Saving starts when a worker is free."
    return "Continues when a worker is free."


def _waiting(run: Run, at: datetime, around: QueueView) -> str:
    upstream = _running_upstream(run)
    if upstream is None:
        reason = (run.blocked_reason or "waiting").removesuffix(".")
        again = f" Checked again in {in_words(run.due_at - at)}." if run.due_at - at >= timedelta(minutes=1) else ""
        return f"{reason[0].upper()}{reason[1:]}.{again}"
    label, usual = source_label(upstream.source), around.usual(run.job_type)
    took = in_words(at - (upstream.started_at or upstream.intent_at))
    if usual:
        took += f", usually {in_words(usual)}"
    return f"{label}: {upstream.message.removesuffix('.')} ({took})." if upstream.message else f"At {label} for {took}."


def _running_upstream(run: Run) -> UpstreamRun | None:
    # Through the relation, so that a page can fetch them for all its runs at once.
    return next((one for one in run.upstream_runs.all() if one.status == UpstreamRun.Status.RUNNING), None)


def scope_words(job_type: str, brand: Brand | None, source: str = "", more: str = "") -> str:
    """Which runs a limit or pause is for: 'all runs except exports and notifications', 'Toy of Acme', 'everything at Toyland'."""
    if source:
        return f"everything at {source_label(source)}"
    what = label_of(job_type) if job_type else "all runs"
    going_on = "" if job_type else " and ".join(sorted(plural(label_of(name).lower()) for name in internal_names()))
    return f"{what}{f' of {brand}' if brand else ''}{more}{f' except {going_on}' if going_on else ''}"


def _limited(limit: Stop, around: QueueView) -> str:
    what = scope_words(limit.job_type, around.limited_brands.get(limit.brand_id) if limit.brand_id else None)
    if not limit.max_running:
        return f"The limit for {what} is 0: nothing starts until it is raised."
    if not around.brands.every and limit.brand_id is None:  # the runs that use it may be of other brands
        return f"The limit for {what} is reached."
    using = [str(pk) for pk, job_type, brand_id in around.running if limit.covers(job_type, brand_id)]
    more = f" and {len(using) - 5} more" if len(using) > 5 else ""
    runs = f" (run{'' if len(using) == 1 else 's'} {', '.join(using[:5])}{more})" if using else ""
    return f"The limit for {what} is reached: {len(using)} of {limit.max_running} running{runs}."
