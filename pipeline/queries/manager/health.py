"""The overview, and the first tab of the Pipeline Manager: what needs a person, what recovers, how each job type does."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, Exists, F, Min, OuterRef, Value, When
from django.utils import timezone

from ...contract.registry import internal_names
from ...models import Incident, Run, UpstreamRun, Worker
from ...models.runs import RunQuerySet
from ...people import brands_for
from ...states import Badge, RunStatus, run_badge
from ...words import clock, counted, in_words
from ..explain import QueueView, no_worker_since, pause_words
from ..runs import waits_at
from .days import Money, TypeDays, money, type_days
from .incidents import IncidentRow, incidents_now
from .live.limits import pauses
from .needs import Need, needs, recovering
from .stale import StaleRow, freshness_of

RUNS_SHOWN = 5  # of those that are under way
READ = ("status", "attempt", "started_at", "subject_label", "job__name", "brand__name")  # of them
NOW_WORDS = {"running": "running", "fetching": "being fetched", "retrying": "retrying", "waiting": "waiting"}


@dataclass
class AtWork:
    """How many live runs of a type are where, and when its next scheduled one is due."""

    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    next_at: datetime | None = None

    @property
    def now(self) -> int:
        """All but those that are scheduled for later."""
        return sum(self.counts[name] for name in NOW_WORDS)

    @property
    def queued(self) -> int:
        """Nobody is at them: they wait for a worker, a limit or their next try."""
        return self.counts["retrying"] + self.counts["waiting"]

    @property
    def words(self) -> str:
        """'3 running, 1 retrying', '' for nothing."""
        return ", ".join(f"{self.counts[name]:,} {words}" for name, words in NOW_WORDS.items() if self.counts[name])


@dataclass(frozen=True)
class WorkerRow:
    worker: Worker
    run: Run | None  # that it works on, if its brand is open to the reader
    busy: bool


@dataclass(frozen=True)
class Health:
    at: datetime
    sentence: str
    rest: str
    tone: str
    pauses: list[str]  # a sentence each
    needs: list[Need]
    in_good_time: list[Need]  # what will need a person, in some weeks
    incidents: list[IncidentRow]  # that need a person
    recovering: list[IncidentRow]
    snoozed: list[IncidentRow]
    more_incidents: int
    resolved: list[IncidentRow]
    by_themselves: list[Need]
    at_work: AtWork
    under_way: list[tuple[Run, Badge]]
    stale: list[StaleRow]
    stale_count: int
    fresh_count: int
    types: list[tuple[TypeDays, AtWork]]
    money: Money
    workers: list[WorkerRow]
    oldest_due: datetime | None
    in_line: str

    @property
    def needing(self) -> int:
        return len(self.needs) + len(self.incidents)


def health(user: Any = None) -> Health:
    """Everything that the tab shows, of the brands that are open to the user, in a constant number of queries."""
    at = timezone.now()
    brands = brands_for(user)
    runs = Run.objects.filter(brands.q()).exclude(job_type__in=internal_names())
    at_work = _at_work(runs, at)
    every = AtWork()
    for one in at_work.values():
        for name, count in one.counts.items():
            every.counts[name] += count
    every.next_at = min((one.next_at for one in at_work.values() if one.next_at), default=None)
    found = needs(user, at, no_worker_since(at))
    wanted = [need for need in found if need.tone != "grey"]
    incidents, resolved, more = incidents_now(user, at)
    snoozed = [one for one in incidents if one.incident.state == Incident.State.SNOOZED]
    open_now = [one for one in incidents if one.incident.state == Incident.State.OPEN]
    persons = [one for one in open_now if not one.recovers]
    selfs = [one for one in open_now if one.recovers]
    by_themselves = recovering(user)
    worst, stale, fresh = freshness_of(brands)
    oldest = runs.filter(status=RunStatus.PENDING, due_at__lte=at, job_paused=False).aggregate(at=Min("due_at"))["at"]
    needing = len(wanted) + len(persons) + more
    sentence, tone = _sentence(needing, stale, fresh, bool(selfs or by_themselves))
    return Health(
        at=at,
        sentence=sentence,
        rest=_rest(every, needing, stale, stale + fresh, bool(selfs or by_themselves)),
        tone=tone,
        pauses=[pause_words(one) for one in pauses(QueueView(at, user))],
        needs=wanted,
        in_good_time=[need for need in found if need.tone == "grey"],
        incidents=persons,
        recovering=selfs,
        snoozed=snoozed,
        more_incidents=more,
        resolved=resolved,
        by_themselves=by_themselves,
        at_work=every,
        under_way=_under_way(runs, at),
        stale=worst,
        stale_count=stale,
        fresh_count=fresh,
        types=[(one, at_work[one.handler.name]) for one in type_days(brands, at)],
        money=money(brands, at),
        workers=_workers(user, at),
        oldest_due=oldest,
        in_line=in_words(at - oldest) if oldest else "",
    )


def _at_work(runs: RunQuerySet, at: datetime) -> defaultdict[str, AtWork]:
    """In one query. Not only the runs' status counts: a worker may be dead, and an upstream run over."""
    fetched = UpstreamRun.objects.filter(run=OuterRef("pk"), status=UpstreamRun.Status.RUNNING)
    where = Case(
        When(status=RunStatus.RUNNING, lease_expires_at__gt=at, then=Value("running")),
        When(status=RunStatus.PENDING, scheduled_for__isnull=False, attempt=0, due_at__gt=at, then=Value("later")),
        When(status=RunStatus.PENDING, attempt__gt=0, then=Value("retrying")),
        When(Exists(fetched), status=RunStatus.WAITING, due_at__gt=at, then=Value("fetching")),
        default=Value("waiting"),
    )
    found: defaultdict[str, AtWork] = defaultdict(AtWork)
    groups = runs.live().order_by().annotate(where=where).values("job_type", "where", "job_paused")
    for one in groups.annotate(n=Count("pk"), next=Min("due_at")):
        of = found[one["job_type"]]
        of.counts[one["where"]] += one["n"]
        if one["where"] == "later" and not one["job_paused"]:
            of.next_at = one["next"]
    return found


def _under_way(runs: RunQuerySet, at: datetime) -> list[tuple[Run, Badge]]:
    """Those that have begun first. Scheduled runs that are not due yet wait for nothing. Why the others wait, Active tells:

    it counts seconds, and would make every poll of this page new."""
    later = {"status": RunStatus.PENDING, "due_at__gt": at, "scheduled_for__isnull": False}
    begun_first = (F("started_at").desc(nulls_last=True), "-pk")
    # Found by their keys alone: with all that a row shows, thousands of them would be sorted.
    first = list(runs.live().exclude(**later).order_by(*begun_first).values_list("pk", flat=True)[:RUNS_SHOWN])
    read = Run.objects.select_related("job", "brand").prefetch_related("upstream_runs").only(*READ)
    shown = read.filter(pk__in=first).order_by(*begun_first)
    return [(run, run_badge(run.status, tries_failed=run.attempt, waits_at=waits_at(run))) for run in shown]


def _sentence(needing: int, stale: int, fresh: int, recovers: bool) -> tuple[str, str]:
    """What is true, and its tone."""
    if needing:
        return f"{counted(needing, 'thing')} need{'s' if needing == 1 else ''} you.", "red"
    if stale:
        return f"{stale:,} of {stale + fresh:,} need refreshing.", "amber"
    if recovers:
        return "Recovering on its own.", "amber"
    return ("All fresh." if fresh else "Nothing to keep fresh yet."), "green"


def _rest(every: AtWork, needing: int, stale: int, known: int, recovers: bool) -> str:
    """What happens by itself: '3 running, 1 retrying, next at 06:00.'"""
    said = ""
    if needing:
        said = f"{stale:,} of {known:,} need refreshing." if stale else "All else recovers on its own." if recovers else ""
    going = [every.words or "Nothing is running", f"next at {clock(every.next_at)}" if every.next_at else ""]
    return " ".join(filter(None, [said, f"{', '.join(filter(None, going))}."]))


def _workers(user: Any, at: datetime) -> list[WorkerRow]:
    """Those that are alive, with what they do. Which run that is, only who may see it is told."""
    alive = list(Worker.objects.alive(at).filter(kind=Worker.Kind.WORKER).order_by("host", "pid"))
    work = Run.objects.filter(status=RunStatus.RUNNING, worker__in=alive).order_by(F("started_at").asc(nulls_last=True))
    busy = {run.worker_id: run for run in work.only("worker_id", "brand_id")}
    seen = brands_for(user)
    return [
        WorkerRow(one, run if run and run.brand_id in seen else None, run is not None)
        for one in alive
        for run in [busy.get(one.pk)]
    ]
