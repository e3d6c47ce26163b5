"""What the Amazon tab shows of each listing, read for all of them together: the queries do not grow with the listings."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Count, F, Q, Sum, Window
from django.db.models.functions import Coalesce, RowNumber

from pipeline import queries
from pipeline.contract.registry import get_type
from pipeline.models import Brand, Run, RunLog, UpstreamRun

from ..amazon.forecast import forecasts
from ..amazon.tracking import DATASET, JOB_TYPE
from ..models import CompetitorAmazonUrl
from .panel import Panel, Spend
from .stars import star_spreads

LOG_LINES = 6
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
User = AbstractBaseUser | AnonymousUser


def build(brand: Brand, listings: list[CompetitorAmazonUrl], user: User, followed: Mapping[str, int]) -> list[Panel]:
    """Panels in the listings' order. `followed`: listing id -> run id, as the session keeps them."""
    keys = [str(listing.pk) for listing in listings]
    handler = get_type(JOB_TYPE)
    spreads = star_spreads(listings)
    fresh = queries.freshness(DATASET, brand.pk, keys, max_age=handler.max_age)
    recent = queries.recent_runs(JOB_TYPE, brand.pk, keys, user=user)
    spends, live = _spends(brand, keys), _live_lines(brand, keys, recent, user)
    runs = (
        {run.pk: run for run in Run.objects.filter(pk__in=followed.values(), brand=brand, mode=Run.Mode.LEGACY)}
        if followed
        else {}
    )
    estimates = forecasts(brand, listings)
    logs = _log_tails({line.run.pk for line in live.values() if line.run.mode == Run.Mode.LEGACY})
    panels = []
    for listing, key in zip(listings, keys, strict=True):
        line = live.get(key)
        panels.append(
            Panel(
                listing,
                fresh[key],
                spreads[listing.asin, listing.domain_code],
                spends.get(key, Spend()),
                recent.get(key, []),
                line,
                estimate=None if line else estimates[listing.pk],
                followed=runs.get(followed.get(key, 0)),
                log=logs.get(line.run.pk, []) if line else [],
            )
        )
    return panels


def _live_lines(
    brand: Brand, keys: list[str], recent: Mapping[str, list[queries.RunRow]], user: User
) -> dict[str, queries.RunRow]:
    """The line of each listing's live run. A schedule's run is no recent one-time run, but holds the key all the same."""
    known = {line.run.pk: line for lines in recent.values() for line in lines}
    holders = (
        Run.objects.live()
        .filter(job_type=JOB_TYPE, brand=brand, subject__in=keys, dedupe_key__isnull=False)
        .select_related("job", "created_by")
        .prefetch_related("upstream_runs")
    )
    unknown = {line.run.pk: line for line in queries.run_rows([run for run in holders if run.pk not in known], user)}
    return {run.subject: known.get(run.pk) or unknown[run.pk] for run in holders}


def _spends(brand: Brand, keys: list[str]) -> dict[str, Spend]:
    """By listing: what its paid starts cost, or are thought to cost where the upstream's figure is still out."""
    status = UpstreamRun.Status
    rows = (
        UpstreamRun.objects.filter(run__job_type=JOB_TYPE, run__brand=brand, run__subject__in=keys)
        .exclude(status__in=[status.REFUSED, status.VOID])
        .order_by()
        .values("run__subject")
        .annotate(
            usd=Sum(Coalesce("cost_actual", "cost_estimate")),
            runs=Count("run", distinct=True),
            open=Count("pk", filter=Q(cost_settled=False)),
        )
    )
    return {row["run__subject"]: Spend(row["usd"], row["runs"], bool(row["open"])) for row in rows}


def _log_tails(run_ids: Iterable[int]) -> dict[int, list[RunLog]]:
    """The last few log lines of each run, oldest first."""
    ids = list(run_ids)
    if not ids:
        return {}
    numbered = RunLog.objects.filter(run_id__in=ids).annotate(
        back=Window(RowNumber(), partition_by=F("run_id"), order_by=F("seq").desc())
    )
    tails: dict[int, list[RunLog]] = {}
    for line in numbered.filter(back__lte=LOG_LINES).order_by("run_id", "seq"):
        tails.setdefault(line.run_id, []).append(line)
    return tails


def last_good(panels: list[Panel]) -> datetime | None:
    """When the newest good scrape of these listings was; None if there was none."""
    return max((panel.listing.last_scraped_at for panel in panels if panel.listing.last_scraped_at), default=None)


def most_wanted(panels: list[Panel]) -> UUID | None:
    """The listing whose button is the next sensible act, never scraped or scraped longest ago: it alone is filled."""
    oldest = min(panels, key=lambda panel: panel.listing.last_scraped_at or LONG_AGO, default=None)
    return oldest.listing.pk if oldest else None


def banner(panels: list[Panel]) -> queries.Banner | None:
    """One banner for all listings, None while every one is fresh."""
    return queries.banner("Amazon Reviews", [panel.freshness for panel in panels], noun="listing")
