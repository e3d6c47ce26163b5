"""Charts as shapes for an SVG; scale and days are words beside it, so that they keep their size on a narrow screen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from .days import Day
from .rates import Figures
from .window import Window, day_in_words
from .words import money, percent, ratio

WIDTH, HEIGHT = 280, 90
STEPS = (Decimal(1), Decimal(2), Decimal(4), Decimal(5), Decimal(10))
PART = format_html(' class="{}"', "plot__part")
Measure = Callable[[Figures], Decimal | None]
Words = Callable[[Decimal | None], str]


@dataclass(frozen=True)
class Bar:
    x: str
    y: str
    width: str
    height: str
    part: bool  # of a day that is not over


@dataclass(frozen=True)
class Chart:
    title: str
    total: str
    note: str
    label: str  # what it shows, for who does not see it
    scale: Sequence[str]
    days: Sequence[str]
    bars: Sequence[Bar] = ()
    line: str = ""  # paths; a day without a value leaves a gap
    before: str = ""

    @property
    def drawn_bars(self) -> SafeString:
        """No template: of a year, it would take as long as all the rest of the page."""
        parts = ((mark, bar.x, bar.y, bar.width, bar.height) for bar in self.bars for mark in [PART if bar.part else ""])
        return format_html_join("", '<rect{} x="{}" y="{}" width="{}" height="{}"/>', parts)


def three(days: Sequence[Day], total: Figures, window: Window, currency: str, *, compares: bool) -> list[Chart]:
    def amount(value: Decimal | None) -> str:
        return money(value, currency)

    return [
        _chart("Spend", days, lambda one: one.spend, total.spend, amount, window, compares, bars=True),
        _chart("ROAS", days, lambda one: one.roas, total.roas, ratio, window, compares),
        _chart("CTR", days, lambda one: one.ctr, total.ctr, percent, window, compares),
    ]


def _chart(
    title: str,
    days: Sequence[Day],
    of: Measure,
    total: Decimal | None,
    words: Words,
    window: Window,
    compares: bool,
    *,
    bars: bool = False,
) -> Chart:
    now = [of(day.now) for day in days]
    before = [of(day.before) if compares else None for day in days]
    top = nice(max((value for value in (*now, *before) if value is not None), default=Decimal(0)))
    known = [(value, day) for value, day in zip(now, days, strict=True) if value is not None]
    note = "No value in these days."
    label = f"{title} a day, {window.words}: no value."
    if known:
        (low, first), (high, last) = min(known, key=lambda one: one[0]), max(known, key=lambda one: one[0])
        note = f"Most: {words(high)} on {day_in_words(last.date)}."
        label = (
            f"{title} a day, {window.words}: least {words(low)} on {day_in_words(first.date)}, most {words(high)} on"
            f" {day_in_words(last.date)}. The table below has the same numbers."
        )
    if days and days[-1].today:
        note += " Today is not over."
    middle = days[(len(days) - 1) // 2]
    return Chart(
        title=title,
        total=words(total),
        note=note,
        label=label,
        scale=[words(step).replace(".00", "") for step in (top, top / 2, Decimal(0))],
        days=[day_in_words(days[0].date), day_in_words(middle.date), "today" if days[-1].today else day_in_words(days[-1].date)]
        if len(days) > 2
        else [day_in_words(day.date) for day in days],
        bars=_bars(now, days, top) if bars else (),
        line="" if bars else _path(now, top),
        before=_path(before, top),
    )


def nice(most: Decimal) -> Decimal:
    """The end of the scale: a round number, not below the most."""
    if most <= 0:
        return Decimal(1)
    power = Decimal(1).scaleb(most.adjusted())
    return next(step * power for step in STEPS if step * power >= most)


def _y(value: Decimal, top: Decimal) -> Decimal:
    return HEIGHT - max(value, Decimal(0)) / top * HEIGHT


def _bars(values: Sequence[Decimal | None], days: Sequence[Day], top: Decimal) -> list[Bar]:
    step = Decimal(WIDTH) / len(values)
    gap = step * Decimal("0.15")
    found = []
    for place, (value, day) in enumerate(zip(values, days, strict=True)):
        if value is None:
            continue
        y = _y(value, top)
        x, width, height = place * step + gap, step - 2 * gap, HEIGHT - y
        found.append(Bar(f"{x:.2f}", f"{y:.2f}", f"{width:.2f}", f"{height:.2f}", day.today))
    return found


def _path(values: Sequence[Decimal | None], top: Decimal) -> str:
    step = Decimal(WIDTH) / len(values)
    parts, pen = [], "M"
    for place, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        x, y = f"{place * step + step / 2:.2f}", f"{_y(value, top):.2f}"
        # A line of no length: one day alone is a dot.
        parts.append(f"M{x} {y}h0" if pen == "M" else f"L{x} {y}")
        pen = "L"
    return "".join(parts)
