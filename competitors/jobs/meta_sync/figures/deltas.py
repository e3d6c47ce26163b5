"""The six figures of a window, each beside the period before."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from .rates import Figures, change
from .words import count, money, percent, ratio, rounded

NOTABLE = Decimal("0.05")  # a smaller change for the worse is not colored
WORSE = {"CTR": -1, "ROAS": -1, "CPC": 1, "CPM": 1}  # more spend is neither good nor bad


@dataclass(frozen=True)
class Delta:
    """`words`: 'up 11 %'; '' where nothing is compared."""

    label: str
    text: str
    icon: str = ""
    words: str = ""
    was: str = ""
    worse: bool = False


def six(now: Figures, before: Figures | None, currency: str) -> list[Delta]:
    def amount(value: Decimal | None) -> str:
        return money(value, currency)

    def figure(label: str, of: Callable[[Figures], Decimal | int | None], words: Callable[..., str]) -> Delta:
        return _delta(label, of(now), None if before is None else of(before), words)

    return [
        figure("Spend", lambda one: one.spend, amount),
        figure("Impressions", lambda one: one.impressions, count),
        figure("CTR", lambda one: one.ctr, percent),
        figure("CPC", lambda one: one.cpc, amount),
        figure("CPM", lambda one: one.cpm, amount),
        figure("ROAS", lambda one: one.roas, ratio),
    ]


def _delta(label: str, now: Decimal | int | None, before: Decimal | int | None, words: Callable[..., str]) -> Delta:
    moved = change(now, before)
    if moved is None or now is None or before is None:
        return Delta(label, words(now), was=words(before))
    # The change of a percentage is told in points: "up 5 %" could mean either.
    points = Decimal(now) - Decimal(before)
    size = f"{rounded(abs(points) * 100, 2)} points" if words is percent else f"{rounded(abs(moved) * 100, 0)} %"
    if words(now) == words(before) or size.startswith("0 %"):
        return Delta(label, words(now), words="unchanged", was=words(before))
    worse = moved * WORSE.get(label, 0) >= NOTABLE
    return Delta(
        label, words(now), "up" if moved > 0 else "fall", f"{'up' if moved > 0 else 'down'} {size}", words(before), worse
    )
