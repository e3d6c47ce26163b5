"""Charts as shapes for an SVG; scale and days are words beside it, so that they keep their size on a narrow screen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from .days import Day
from .rates import Figures
from .window import Window, day_in_words
from .words import money, percent, ratio

WIDTH, HEIGHT = 280, 90
STEPS = (Decimal(1), Decimal(2), Decimal(4), Decimal(5), Decimal(10))
Measure = Callable[[Figures], Decimal | None]
Words = Callable[[Decimal | None], str]


@dataclass(frozen=True)
class Chart:
    title: str
    total: str
    note: str
    label: str  # what it shows, for who does not see it
    scale: Sequence[str]
    days: Sequence[str]
    # Paths; a day without a value leaves a gap.
    bars: str = ""
    part: str = ""  # the bar of a day that is not over
    line: str = ""
    before: str = ""


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
    whole = len(days) - days[-1].today
    return Chart(
        title=title,
        total=words(total),
        note=note,
        label=label,
        scale=[words(step).replace(".00", "") for step in (top, top / 2, Decimal(0))],
        days=[day_in_words(days[0].date), day_in_words(middle.date), "today" if days[-1].today else day_in_words(days[-1].date)]
        if len(days) > 2
        else [day_in_words(day.date) for day in days],
        bars=_bars(now, top, 0, whole) if bars else "",
        part=_bars(now, top, whole, len(days)) if bars else "",
        line="" if bars else _path(now, top),
        before=_path(before, top),
    )


def nice(most: Decimal) -> Decimal:
    """The end of the scale: a round number, not below the most."""
    if most <= 0:
        return Decimal(1)
    power = Decimal(1).scaleb(most.adjusted())
    return next(step * power for step in STEPS if step * power >= most)


def _y(value: Decimal, top: Decimal) -> float:
    return HEIGHT - max(float(value), 0) / float(top) * HEIGHT


def _bars(values: Sequence[Decimal | None], top: Decimal, first: int, end: int) -> str:
    step = WIDTH / len(values)
    bar = f"h{step * 0.7:.2f}V{HEIGHT}z"
    places = ((place, value) for place in range(first, end) if (value := values[place]) is not None)
    return "".join(f"M{(place + 0.15) * step:.2f} {HEIGHT}V{_y(value, top):.2f}{bar}" for place, value in places)


def _path(values: Sequence[Decimal | None], top: Decimal) -> str:
    step = WIDTH / len(values)
    parts, pen = [], "M"
    for place, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        x, y = f"{(place + 0.5) * step:.2f}", f"{_y(value, top):.2f}"
        # A line of no length: one day alone is a dot.
        parts.append(f"M{x} {y}h0" if pen == "M" else f"L{x} {y}")
        pen = "L"
    return "".join(parts)
