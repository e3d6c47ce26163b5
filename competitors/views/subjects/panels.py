"""The panels of a page, read for all of its subjects together: the queries do not grow with the subjects."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from pipeline import queries
from pipeline.contract import Estimate, get_type
from pipeline.models import Brand, Run
from pipeline.states import FRESH
from pipeline.words import days

from .page import SubjectPage
from .panel import Panel

SHOWN = 5  # runs of a subject
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
User = AbstractBaseUser | AnonymousUser


def build(
    page: SubjectPage[Any], brand: Brand, rows: Sequence[Any], facts: Mapping[str, Any], user: User, followed: Mapping[str, int]
) -> list[Panel]:
    """Panels in the rows' order. `followed`: a row's key -> the run that this session started for it on the web server."""
    keys = [page.key(row) for row in rows]
    handler = get_type(page.job_type)
    fresh = queries.freshness(next(iter(handler.datasets)), brand.pk, keys, max_age=handler.max_age)
    abouts = {page.key(row): page.about(row) for row in rows}
    of_all = {"": ""} if page.covers_all else {}
    recent = queries.recent_runs(page.job_type, brand.pk, abouts | of_all, user=user)
    covering = recent.pop("", [])
    spends = queries.spends(page.job_type, brand.pk, abouts) if page.costs else {}
    live = queries.live_rows(page.job_type, brand.pk, keys, user=user, known=recent)
    good = queries.good_runs(page.job_type, brand.pk, abouts)
    schedules = queries.schedules(page.job_type, brand.pk, keys)
    spent, price = queries.spent_today(), queries.price_now(page.job_type)
    logs = queries.log_tails(row.run.pk for row in live.values() if row.run.mode == Run.Mode.LEGACY)
    started_here = [followed[key] for key in keys if key in followed]
    here = Run.objects.in_bulk(started_here) if started_here else {}
    idle = {key: row for row, key in zip(rows, keys, strict=True) if key not in live}
    wanted = {key: _wanted(page, row, fresh[key], page.defaults(row)) for key, row in idle.items()}
    free = queries.free_data(page.job_type, brand.pk, wanted, user)
    panels = []
    for row, key in zip(rows, keys, strict=True):
        live_row = live.get(key) or next((one for one in covering if one.live), None)
        runs = sorted([*recent[key], *covering], key=lambda one: -one.run.pk)[:SHOWN] if covering else recent[key]
        panel = Panel(page, row, fresh[key], spends.get(key, queries.Spend()), runs, live_row, facts=facts.get(key))
        panel.cells = page.cells(row, panel.facts, user)
        panel.followed = here.get(followed.get(key, 0))
        panel.schedule = schedules.get(key)
        if panel.schedule:
            each = page.estimate(row, panel.schedule.job.parameters, good[key], price.usd)
            panel.schedule_cost = panel.schedule.cost_a_month(each.cost_usd if each else None)
        if live_row:
            panel.log = logs.get(live_row.run.pk, [])
        else:
            defaults = wanted[key].parameters
            panel.estimate = page.estimate(row, defaults, good[key], price.usd)
            panel.asks = page.asks(defaults)
            panel.usual = queries.history(handler, defaults, good[key]).words(handler.row) if page.costs else ""
            panel.free = free.get(key)
            panel.notes = notes(panel.estimate, spent, panel.freshness) + price.notes
            form = handler.Params(brand=brand, auto_id=f"%s-{panel.anchor}")
            panel.options = [form[name] for name in page.options(row)]
        panels.append(panel)
    return panels


def with_options(page: SubjectPage[Any], row: Any, parameters: dict[str, Any], user: User) -> dict[str, Any]:
    """What a scrape of the row with these parameters costs, what to know before it, and what it could use for free."""
    handler, brand_id, key = get_type(page.job_type), row.brand.pk, page.key(row)
    fresh = queries.freshness(next(iter(handler.datasets)), brand_id, [key], max_age=handler.max_age)[key]
    price = queries.price_now(page.job_type)
    estimate = page.estimate(row, parameters, queries.good_runs_of(page.job_type, brand_id, key, page.about(row)), price.usd)
    free = queries.free_data(page.job_type, brand_id, {key: _wanted(page, row, fresh, parameters)}, user)
    return {
        "estimate": estimate,
        "asks": page.asks(parameters),
        "notes": notes(estimate, queries.spent_today(), fresh) + price.notes,
        "free": free.get(key),
    }


def _wanted(page: SubjectPage[Any], row: Any, fresh: queries.FreshnessRow, parameters: dict[str, Any]) -> queries.Wanted:
    return queries.Wanted(page.reuse_key(row), parameters, fresh.status.last_success_at if fresh.status else None)


def notes(estimate: Estimate | None, spent: Decimal, fresh: queries.FreshnessRow) -> list[str]:
    """What to know before the click: that the data is fresh already, that the day's limit would keep the run back."""
    age = f"Fetched {days(fresh.age)} ago, still fresh." if fresh.age is not None and fresh.badge is FRESH else ""
    limit = queries.over_the_limit(estimate.cost_usd, spent) if estimate else ""
    return [words for words in (age, limit) if words]


def last_good(panels: Sequence[Panel]) -> datetime | None:
    """When the newest good scrape of these subjects was; None if there was none."""
    return max((panel.last_good for panel in panels if panel.last_good), default=None)


def most_wanted(panels: Sequence[Panel]) -> str | None:
    """Key of the subject to scrape next: never or longest ago scraped; None if all are fresh. Only its button is filled."""
    wanted = (panel for panel in panels if not panel.live and panel.freshness.badge is not FRESH)
    oldest = min(wanted, key=lambda panel: panel.last_good or LONG_AGO, default=None)
    return oldest.key if oldest else None


def state(panel: Panel) -> queries.SubjectState:
    """What the banner knows of it."""
    price = panel.estimate.cost_usd if panel.estimate else None
    return queries.SubjectState(panel.key, panel.label, panel.freshness, panel.live, price)
