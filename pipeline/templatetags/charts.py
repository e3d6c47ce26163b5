"""Charts that the server draws: SVG whose colors come from classes, each with its words for who does not see it."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django import template
from django.utils.dates import MONTHS_3
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from ..states import Badge

register = template.Library()
COLUMN = 10  # of the strip of days, which is 28 high
LINE, UP, DOWN = 18, 17, 8  # runs that worked stand on the line, failed ones hang below it: told apart without color
STEP, MIDDLE = 5, 2  # of the strip of runs, which is 16 high; a bar is a thick line
# By badge: class, top and height.
BARS = {
    "completed": ("ok", 3, 8),
    "check": ("check", 6, 5),
    "failed": ("bad", 12, 4),
    "cancelled": ("none", 9, 2),
}
UNDER_WAY = ("live", 3, 8)


@register.simple_tag
def day_strip(label: str, days: Sequence[Any]) -> SafeString:
    """A column for each day with its runs that worked and that failed. The page has the figures in a table too."""
    most = max([day.worked for day in days] + [day.failed for day in days] + [1])
    worked, failed = [], []
    for x, day in enumerate(days):
        if day.worked:
            height = max(round(UP * day.worked / most, 1), 1.5)
            worked.append(f"M{x * COLUMN + 1} {LINE}v-{height}h8v{height}z")
        if day.failed:
            height = max(round(DOWN * day.failed / most, 1), 2.5)
            failed.append(f"M{x * COLUMN + 1} {LINE + 2}v{height}h8v-{height}z")
    return format_html(
        '<svg class="strip" viewBox="0 0 {} 28" preserveAspectRatio="none" role="img"'
        ' aria-label="{}, last {} days: {} worked, {} failed">'
        '<path class="ok" d="{}"/><path class="bad" d="{}"/><path class="axis" d="M0 19H{}"/></svg>',
        len(days) * COLUMN,
        label,
        len(days),
        sum(day.worked for day in days),
        sum(day.failed for day in days),
        "".join(worked),
        "".join(failed),
        len(days) * COLUMN,
    )


@register.simple_tag
def day_cells(days: Sequence[Any]) -> SafeString:
    """A cell for each day with how many worked of how many. No template: hundreds of them took a tenth of the page's time."""
    return format_html_join(
        "",
        '<td class="num" data-label="{}">{}</td>',
        ((_label_of(one.day), f"{one.worked} of {one.ended}") for one in days),
    )


@lru_cache(maxsize=64)
def _label_of(day: date) -> str:
    """The same for each job type."""
    return f"{day.day} {MONTHS_3[day.month].capitalize()}"


@register.simple_tag
def meter(label: str, value: Decimal | float, limit: Decimal | float, tone: str = "grey", mark: int = 0) -> SafeString:
    """How much of a limit is used. `mark`: a tick at that percent."""
    share = min(round(100 * float(value) / float(limit), 1), 100) if limit else 100
    tick = format_html('<path class="tick" d="M{}-4V14"/>', mark) if mark else ""
    return format_html(
        '<svg class="chart chart--meter" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<rect class="track" width="100" height="10"/><rect class="tone-{}" width="{}" height="10"/>{}</svg>',
        label,
        tone,
        share,
        tick,
    )


@register.simple_tag
def run_strip(runs: Sequence[Badge]) -> SafeString:
    """A bar for each run, by its state, oldest first."""
    return _strip(tuple(runs))


@lru_cache(maxsize=2048)
def _strip(runs: tuple[Badge, ...]) -> SafeString:
    """Most strips of a page are alike."""
    if not runs:
        return format_html('<span class="quiet">{}</span>', "No runs yet")
    bars: dict[str, list[str]] = {}
    for at, run in enumerate(runs):
        name, top, height = BARS.get(run.key, UNDER_WAY)
        bars.setdefault(name, []).append(f"M{at * STEP + MIDDLE} {top}v{height}")
    said = ", ".join(f"{count} {word.lower()}" for word, count in Counter(run.word for run in runs).items())
    return format_html(
        '<svg class="spark" viewBox="0 0 70 16" preserveAspectRatio="xMinYMid" aria-hidden="true">{}</svg>'
        '<span class="vh">Last {}: {}</span>',
        format_html_join("", '<path class="{}" d="{}"/>', ((name, "".join(shapes)) for name, shapes in bars.items())),
        "run" if len(runs) == 1 else f"{len(runs)} runs",
        said,
    )


@register.simple_tag
def split_bar(label: str, pieces: Sequence[tuple[str, float]]) -> SafeString:
    """One bar of pieces side by side, each a class and its size. The page has the figures in a legend."""
    whole = sum(size for _, size in pieces) or 1
    x, rects = 0.0, []
    for name, size in pieces:
        width = max(round(100 * size / whole, 1), 0.5)
        rects.append((name, round(x, 1), width))
        x += width + 0.4
    return format_html(
        '<svg class="chart chart--split" viewBox="0 0 {} 10" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
        round(x, 1),
        label,
        format_html_join("", '<rect class="{}" x="{}" width="{}" height="10"/>', rects),
    )
