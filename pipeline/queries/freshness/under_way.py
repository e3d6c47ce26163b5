"""What is being done about old data: live runs, when they will end, and schedules that keep being skipped."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from uuid import UUID

from django.db.models import Q

from ... import states
from ...engine.queue.limits import stage_of
from ...engine.queue.stops import current_stops
from ...engine.scheduling import cadence
from ...engine.scheduling.ticks import zone_of
from ...models import Brand, Run, Worker
from ...states import Badge, JobStatus, RunStatus, Verdict
from .datasets import of_brands
from .judged import Judged
from .rows import UNDER_WAY

READ = (  # of a run and its job
    *("pk", "job_type", "brand_id", "subject", "subject_label", "status", "attempt", "due_at", "started_at", "scheduled_for"),
    *("blocked_reason", "lease_expires_at", "priority", "cancel_requested_at", "deadline"),
    *("job__status", "job__cron_expression", "job__time_zone"),
)
SKIPPED_TICKS = 3  # so many in a row make data late, however young it is
TIMED_RUNS, TIMED_WITHIN = 20, timedelta(days=30)  # good runs whose median is the usual time


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A live run. `held`: it goes on only once a person, a limit or an upstream lets it."""

    run: Run
    held: bool
    ends_at: datetime | None  # as such runs usually do; None if it takes longer than that already, or nothing is known

    @property
    def retries(self) -> bool:
        return self.run.status == RunStatus.PENDING and self.run.attempt > 0


@dataclass(frozen=True, slots=True)
class State:
    """What a subject's cell says. Red only if a person is needed: amber while a run that mends it is on its way."""

    badge: Badge
    under_way: UnderWay | None = None
    on_track: bool = False  # the run will end before the data gets worse
    skipped: bool = False


class Doing:
    """The live runs of some brands, read in a constant number of queries."""

    def __init__(self, brands: Mapping[UUID | None, Brand | None], now: datetime):
        coming = Q(status=RunStatus.PENDING, due_at__gt=now, attempt=0, blocked_reason="")  # a tick that is not due yet
        live = Run.objects.live().filter(of_brands(brands)).exclude(coming).select_related("job").only(*READ)
        self._now = now
        self._runs = {run.pk: run for run in live}
        for run in self._runs.values():
            run.job.brand = brands[run.brand_id]
        self._by_subject = {(run.job_type, run.brand_id, run.subject): run for run in self._runs.values()}
        self._stops = current_stops(now) if self._runs else []
        self._no_worker = bool(self._runs) and not Worker.objects.alive(now).filter(kind=Worker.Kind.WORKER).exists()
        self._usual = _usual_times({run.job_type for run in self._runs.values()}, now)
        self._skips = Skips(now)

    def state(self, one: Judged) -> State:
        run = self._run_of(one)
        doing = self._under_way(run) if run else None
        skipped = self._skipped(one)
        badge = states.LATE if one.badge is states.FRESH and skipped else one.badge
        worse_at = one.due_at
        if worse_at and one.badge is not states.FRESH:
            worse_at += one.max_age
        on_track = bool(doing and not doing.held and doing.ends_at and worse_at and doing.ends_at <= worse_at)
        if badge in (states.LATE, states.STALE) and doing and not doing.held:
            badge = _mending(doing, on_track)
        return State(badge, doing, on_track, skipped)

    def _run_of(self, one: Judged) -> Run | None:
        for handler in one.feeds:
            if run := self._by_subject.get((handler.name, one.brand_id, one.subject.key)):
                return run
        # A run of several subjects has begun this one.
        return self._runs.get(one.known.run_id or 0) if one.known.last in UNDER_WAY else None

    def _under_way(self, run: Run) -> UnderWay:
        working = run.status == RunStatus.RUNNING and run.lease_expires_at and run.lease_expires_at > self._now
        held = not working and (
            self._no_worker
            or bool(run.blocked_reason)
            or (run.status == RunStatus.PENDING and run.job.status == JobStatus.PAUSED)
            or any(stop.covers(run.job_type, run.brand_id) and stop.keeps_back(stage_of(run)) for stop in self._stops)
        )
        usual = self._usual.get(run.job_type)
        begins = max(run.due_at, self._now) if run.status == RunStatus.PENDING else run.started_at or self._now
        ends_at = begins + usual if usual else None
        return UnderWay(run, held, ends_at if ends_at and ends_at > self._now else None)

    def _skipped(self, one: Judged) -> bool:
        """Whether its schedule's time has come three times more while one of its runs did not end."""
        for handler in one.feeds:
            run = self._by_subject.get((handler.name, one.brand_id, one.subject.key))
            if run and run.job.status == JobStatus.ACTIVE and self._skips.skipped(run):
                return True
        return False


class Skips:
    """Whether a schedule's time has come three times more since a run was due. Worked out about once for each schedule."""

    def __init__(self, now: datetime):
        self._now = now
        self._known: dict[tuple[str, str], tuple[datetime, datetime]] = {}  # skipped if due until then; not if due from then on

    def skipped(self, run: Run) -> bool:
        if run.scheduled_for is None:
            return False
        due = run.deadline or run.scheduled_for
        schedule = (run.job.cron_expression, zone_of(run.job))
        until, since = self._known.get(schedule, (due - timedelta(1), self._now))
        if due <= until or due >= since:
            return due <= until
        skipped = cadence.count_between(*schedule, due, self._now, SKIPPED_TICKS) == SKIPPED_TICKS
        self._known[schedule] = (due, since) if skipped else (until, due)
        return skipped


def with_skips(brands: Mapping[UUID | None, Brand | None], job_types: Collection[str], now: datetime) -> set[UUID | None]:
    """The brands with a run that is late by so many ticks of its schedule."""
    live = Run.objects.live().filter(
        of_brands(brands), job_type__in=job_types, scheduled_for__lt=now, job__status=JobStatus.ACTIVE
    )
    skips, found = Skips(now), set[UUID | None]()
    for run in live.select_related("job").only(*READ):
        run.job.brand = brands[run.brand_id]
        if run.brand_id not in found and skips.skipped(run):
            found.add(run.brand_id)
    return found


def _mending(doing: UnderWay, on_track: bool) -> Badge:
    if doing.retries:
        return states.RETRY
    if on_track:
        return states.ON_TRACK
    return states.QUEUED if doing.run.status == RunStatus.PENDING else states.RUNNING


def _usual_times(job_types: Collection[str], now: datetime) -> dict[str, timedelta]:
    """From start to end of the last good runs, a query for each type."""
    found = {}
    for name in job_types:
        good = Run.objects.filter(
            job_type=name, status=RunStatus.COMPLETED, verdict=Verdict.OK, completed_at__gt=now - TIMED_WITHIN
        )
        times = good.order_by("-completed_at").values_list("started_at", "completed_at")[:TIMED_RUNS]
        took = [(end - start).total_seconds() for start, end in times if start and end]
        if took:
            found[name] = timedelta(seconds=median(took))
    return found
