"""The first page: what runs, what is stale, what failed, each in one line."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, F
from django.utils import timezone

from .. import states
from ..contract.registry import all_types
from ..engine.upstreams import budget, health
from ..models import Brand, DatasetStatus, Run, UpstreamRun, Worker
from ..states import RunStatus
from .explain import no_worker_since
from .freshness import FreshnessLine, line_of
from .runs import RunLine, run_lines

FAILED_WITHIN = timedelta(hours=24)
SHOWN = 8


@dataclass(frozen=True)
class StaleLine:
    label: str
    brand: Brand | None
    subject: str
    url: str
    line: FreshnessLine


@dataclass(frozen=True)
class Overview:
    running: int
    waiting: int
    queued: int
    scheduled: int
    active: list[RunLine]
    stale: list[StaleLine]
    stale_count: int
    fresh_count: int
    failed: list[RunLine]
    failed_count: int
    closed: list[str]  # which upstream is down or rejects us
    orphans: list[tuple[Run, str]]  # runs that are over and have left something upstream, and what
    workers: int
    no_worker: str | None
    spent_today: Decimal
    spend_limit: Decimal


def overview(user: Any = None) -> Overview:
    """Everything `/` says."""
    now = timezone.now()
    live = dict(Run.objects.live().order_by().values_list("status").annotate(n=Count("pk")))
    later = Run.objects.filter(status=RunStatus.PENDING, due_at__gt=now, scheduled_for__isnull=False).count()
    active = Run.objects.live().exclude(status=RunStatus.PENDING, due_at__gt=now, scheduled_for__isnull=False)
    failed = Run.objects.filter(status=RunStatus.FAILED, completed_at__gt=now - FAILED_WITHIN)
    stale, fresh = _freshness()
    return Overview(
        running=live.get(RunStatus.RUNNING, 0),
        waiting=live.get(RunStatus.WAITING, 0),
        queued=live.get(RunStatus.PENDING, 0) - later,
        scheduled=later,
        active=run_lines(
            active.select_related("job", "created_by", "brand")
            .prefetch_related("upstream_runs")
            .order_by(F("started_at").desc(nulls_last=True), "-pk")[:SHOWN],  # or PostgreSQL shows first what has not begun
            user,
        ),
        stale=stale[:SHOWN],
        stale_count=len(stale),
        fresh_count=fresh,
        failed=run_lines(
            failed.select_related("job", "created_by", "brand")
            .prefetch_related("upstream_runs")
            .order_by("-completed_at")[:SHOWN],
            user,
        ),
        failed_count=failed.count(),
        closed=list(health.closed_sources().values()),
        orphans=[
            (one.run, _left(one))
            for one in UpstreamRun.objects.filter(status__in=UpstreamRun.OPEN, run__status__in=states.TERMINAL).select_related(
                "run"
            )
        ],
        workers=Worker.objects.alive(now).filter(kind=Worker.Kind.WORKER).count(),
        no_worker=no_worker_since(now),
        spent_today=budget.spent_today(),
        spend_limit=settings.PIPELINE_DAILY_SPEND_LIMIT_USD,
    )


def _left(upstream: UpstreamRun) -> str:
    if upstream.status == UpstreamRun.Status.RUNNING:
        return f"Run {upstream.run_id} is over, but what it started upstream was still at work when last seen."
    return f"Run {upstream.run_id} is over, but whether its paid start took is not known. A Retry asks before it pays."


def _freshness() -> tuple[list[StaleLine], int]:
    """Over every subject that a brand has, scraped or not: those that are not fresh, worst first, and how many are."""
    now = timezone.now()
    known = {(row.brand_id, row.dataset_key, row.subject): row for row in DatasetStatus.objects.select_related("last_run")}
    found, fresh = [], 0
    for handler in all_types():
        for brand in Brand.objects.all():
            for subject in handler.subjects(brand):
                for key, label in handler.datasets.items():
                    line = line_of(known.get((brand.pk, key, subject.key)), handler.max_age, now)
                    if line.badge is states.FRESH:
                        fresh += 1
                    else:
                        found.append(StaleLine(label, brand, subject.label, subject.url, line))
    order = {"stale": 0, "late": 1, "never": 2}
    return sorted(found, key=lambda one: (order[one.line.badge.key], -(one.line.age or timedelta()))), fresh
