"""Figures for monitors. Nothing here reads ended runs one by one: a scrape each 15 seconds must not notice a million of them."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import connection
from django.db.models import Case, Count, Min, Q, Value, When
from django.utils import timezone

from ....engine.upstreams.budget import spent_by_source
from ....engine.upstreams.health import closed_sources
from ....models import Attempt, Brand, DayTotal, Incident, Run, Worker
from ....states import RunStatus
from ...freshness import Counts

STATES = ("running", "waiting", "due", "later")
ATTEMPTS_WITHIN = timedelta(hours=1)
RUNS_LOOKED_AT = 20_000  # live ones, and as many that ended within the hour
RESULTS = ("good", "doubted", "failed")


@dataclass(frozen=True)
class Readiness:
    """`oldest_due`: how long the due run that waits longest has waited for a worker, in seconds; None if none is due."""

    workers: int
    oldest_due: float | None

    @property
    def ready(self) -> bool:
        return self.workers > 0


@dataclass(frozen=True)
class Figures:
    """`runs`: live ones by job type and state. `attempts`: of the last hour, by outcome. `today`: ended, by type and result."""

    runs: Mapping[tuple[str, str], int]
    oldest_due: float
    attempts: Mapping[str, int]
    today: Mapping[tuple[str, str], int]
    spent: Mapping[str, Decimal]
    limit: Decimal
    stale: int
    fresh: int
    workers: int
    busy: int
    incidents: int
    closed: list[str]


def readiness() -> Readiness:
    """Raises the database's error if it cannot be asked."""
    connection.ensure_connection()
    at = timezone.now()
    alive, _ = Worker.objects.filter(kind=Worker.Kind.WORKER).seen(at)
    oldest = Run.objects.filter(_due(at)).aggregate(at=Min("due_at"))["at"]
    return Readiness(alive, (at - oldest).total_seconds() if oldest else None)


def figures() -> Figures:
    at = timezone.now()
    runs, oldest = _live(at)
    alive = Worker.objects.alive(at).filter(kind=Worker.Kind.WORKER)
    brands: dict[object, Brand | None] = {brand.pk: brand for brand in Brand.objects.filter(archived_at=None)}
    stale, fresh = Counts({**brands, None: None}, at).fresh()  # type: ignore[dict-item]
    totals = DayTotal.objects.filter(day=timezone.localdate(at))
    return Figures(
        runs=runs,
        oldest_due=(at - oldest).total_seconds() if oldest else 0.0,
        attempts=_attempts(at - ATTEMPTS_WITHIN),
        today={(one.job_type, result): getattr(one, result) for one in totals for result in RESULTS},
        spent=spent_by_source(at),
        limit=settings.PIPELINE_DAILY_SPEND_LIMIT_USD,
        stale=stale,
        fresh=fresh,
        workers=alive.count(),
        busy=Run.objects.filter(status=RunStatus.RUNNING, worker__in=alive).count(),
        incidents=Incident.objects.filter(state=Incident.State.OPEN).count(),
        closed=sorted(closed_sources()),
    )


def _due(at: datetime) -> Q:
    return Q(status=RunStatus.PENDING, due_at__lte=at, job_paused=False)


def _live(at: datetime) -> tuple[dict[tuple[str, str], int], datetime | None]:
    """By type and state, and since when the oldest is due."""
    state = Case(
        When(status=RunStatus.RUNNING, then=Value("running")),
        When(status=RunStatus.WAITING, then=Value("waiting")),
        When(_due(at), then=Value("due")),
        default=Value("later"),
    )
    found: dict[tuple[str, str], int] = defaultdict(int)
    oldest = []
    for row in (
        Run.objects.live().order_by().annotate(state=state).values("job_type", "state").annotate(n=Count("pk"), at=Min("due_at"))
    ):
        found[row["job_type"], row["state"]] = row["n"]
        oldest += [row["at"]] if row["state"] == "due" else []
    return found, min(oldest, default=None)


def _attempts(since: datetime) -> dict[str, int]:
    """Ended since then. Only runs that are live, or have ended since then, can have such attempts."""
    found: dict[str, int] = defaultdict(int)
    for runs in (Run.objects.live().filter(started_at__isnull=False), Run.objects.filter(completed_at__gt=since)):
        # Their numbers first: with a subquery PostgreSQL reads every attempt that there is.
        numbers = list(runs.order_by().values_list("pk", flat=True)[:RUNS_LOOKED_AT])
        ended = Attempt.objects.filter(run__in=numbers, ended_at__gt=since).order_by()
        for outcome, number in ended.values_list("outcome").annotate(Count("pk")):
            found[outcome] += number
    return found
