"""The first page: what is running, what needs refreshing, what failed."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Case, Count, Exists, F, OuterRef, Q, Value, When
from django.utils import timezone

from ... import states
from ...contract.source import source_label
from ...engine.upstreams import budget, health
from ...models import Brand, DatasetStatus, Run, UpstreamRun, Worker
from ...models.runs import RunQuerySet
from ...people import Brands, brands_for
from ...states import RunStatus
from ..explain import Activity, QueueView, no_worker_since, pause_words
from ..freshness import WORST_FIRST, FreshnessRow, datasets, freshness_row, judged
from ..runs import RunRow, run_rows
from .live.limits import pauses

FAILED_WITHIN = timedelta(hours=24)
ROWS_SHOWN = 8


@dataclass(frozen=True)
class StaleRow:
    label: str
    brand: Brand | None
    subject: str
    url: str
    freshness: FreshnessRow


@dataclass(frozen=True)
class Overview:
    running: int  # a worker is at it
    fetching: int  # the upstream is at it
    queued: int  # due, but nobody works on it
    scheduled: int
    active: list[RunRow]
    stale: list[StaleRow]
    stale_count: int
    fresh_count: int
    failed: list[RunRow]
    failed_count: int
    pauses: list[str]  # a sentence each
    closed: list[str]  # per upstream that is down or rejects us, a sentence
    orphans: list[tuple[Run, str]]  # ended runs that left something upstream, and a sentence about it
    workers: int
    no_worker: str | None
    spent_today: Decimal
    spend_limit: Decimal

    @property
    def activity(self) -> str:
        """'2 scrapes running, 4 being fetched, 1 waiting.'"""
        counts = ((self.running, "running"), (self.fetching, "being fetched"), (self.queued, "waiting"))
        some = [(count, where) for count, where in counts if count]
        if not some:
            return "Nothing is running."
        (count, where), *others = some
        first = f"{count} scrape{'' if count == 1 else 's'} {where}"
        return ", ".join([first, *(f"{count} {where}" for count, where in others)]) + "."


def overview(user: Any = None) -> Overview:
    """Everything that the overview page shows, of the brands that are open to the user."""
    now = timezone.now()
    brands = brands_for(user)
    runs = Run.objects.filter(brands.q())
    at_work = _at_work(runs, now)
    later = runs.filter(status=RunStatus.PENDING, due_at__gt=now, scheduled_for__isnull=False).count()
    active = runs.for_rows().live().exclude(status=RunStatus.PENDING, due_at__gt=now, scheduled_for__isnull=False)
    failed = runs.for_rows().filter(status=RunStatus.FAILED, completed_at__gt=now - FAILED_WITHIN)
    stale, stale_count, fresh = freshness_of(brands)
    return Overview(
        running=at_work[Activity.WORKER],
        fetching=at_work[Activity.UPSTREAM],
        queued=at_work[Activity.NOBODY] - later,
        scheduled=later,
        active=run_rows(
            active.order_by(F("started_at").desc(nulls_last=True), "-pk")[:ROWS_SHOWN],  # PostgreSQL would put NULL first
            user,
        ),
        stale=stale,
        stale_count=stale_count,
        fresh_count=fresh,
        failed=run_rows(failed.order_by("-completed_at")[:ROWS_SHOWN], user),
        failed_count=failed.count(),
        pauses=[pause_words(one) for one in pauses(QueueView(now, user))],
        closed=list(health.closed_sources().values()),
        orphans=[
            (one.run, _orphan_words(one))
            for one in UpstreamRun.objects.filter(
                brands.q("run__brand"), status__in=UpstreamRun.OPEN, run__status__in=states.TERMINAL
            ).select_related("run")
        ],
        workers=Worker.objects.alive(now).filter(kind=Worker.Kind.WORKER).count(),
        no_worker=no_worker_since(now),
        spent_today=budget.spent_today(of=brands.q("run__brand")),
        spend_limit=settings.PIPELINE_DAILY_SPEND_LIMIT_USD,
    )


def _at_work(runs: RunQuerySet, now: datetime) -> Counter[str]:
    """How many live runs a worker, the upstream and nobody is at: activity() for all runs, counted by the database."""
    fetched = UpstreamRun.objects.filter(run=OuterRef("pk"), status=UpstreamRun.Status.RUNNING)
    who = Case(
        When(status=RunStatus.RUNNING, lease_expires_at__gt=now, then=Value(Activity.WORKER.value)),
        When(Exists(fetched), status=RunStatus.WAITING, due_at__gt=now, then=Value(Activity.UPSTREAM.value)),
        default=Value(Activity.NOBODY.value),
    )
    return Counter(dict(runs.live().order_by().annotate(who=who).values_list("who").annotate(n=Count("pk"))))


def _orphan_words(upstream: UpstreamRun) -> str:
    label = source_label(upstream.source)
    if upstream.status == UpstreamRun.Status.RUNNING:
        return f"Run {upstream.run_id} has ended, but its {label} run was still running when last checked."
    return f"Run {upstream.run_id} has ended, but {label} may have started a paid run for it. Retry checks before it pays."


def freshness_of(open_brands: Brands) -> tuple[list[StaleRow], int, int]:
    """The worst of the subjects that are not fresh, how many those are, and how many are fresh, of all open brands."""
    now = timezone.now()
    brands: dict[UUID | None, Brand | None] = {brand.pk: brand for brand in open_brands.rows().filter(archived_at=None)}
    if open_brands.platform:
        brands[None] = None
    every = judged(brands, datasets().values(), now)
    found = [one for one in every if one.badge is not states.FRESH]
    worst = sorted(found, key=lambda one: (WORST_FIRST.index(one.badge), one.known.at or now))[:ROWS_SHOWN]
    shown = Q(pk__in=[])
    for one in worst:
        shown |= Q(brand=one.brand_id, dataset_key=one.dataset.key, subject=one.subject.key)
    known = {(row.brand_id, row.dataset_key, row.subject): row for row in DatasetStatus.objects.for_rows().filter(shown)}
    rows = [
        StaleRow(
            one.dataset.label,
            brands[one.brand_id],
            one.subject.label,
            one.subject.url,
            freshness_row(known.get((one.brand_id, one.dataset.key, one.subject.key)), one.max_age, now),
        )
        for one in worst
    ]
    return rows, len(found), len(every) - len(found)
