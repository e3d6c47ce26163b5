"""Which ads need a person, by the brand's own thresholds."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from competitors.models import AttentionRule

from .ads import AdRow, Listed
from .rates import has_fallen
from .words import money, ratio

MOST = 10  # are listed


@dataclass(frozen=True)
class Note:
    """One line: an ad and what is wrong with it, the worst reason first."""

    tone: str
    icon: str
    ad_id: str
    name: str
    words: str


@dataclass(frozen=True)
class Attention:
    notes: Sequence[Note]  # the worst
    more: int
    idle: Sequence[Listed]  # one line for all of them
    idle_days: int

    @property
    def count(self) -> int:
        return len(self.notes) + self.more + len(self.idle)


class Reasons(NamedTuple):
    row: AdRow
    spend: Decimal
    disapproved: bool
    sold_nothing: bool
    fell: bool


def attention(rule: AttentionRule, rows: Sequence[AdRow], idle: Sequence[Listed], currency: str) -> Attention:
    found = [reasons for row in rows if (reasons := _reasons(rule, row))]
    found.sort(key=lambda one: (not one.disapproved, -one.spend, one.row.ad_id))
    notes = [_note(one, currency) for one in found[:MOST]]
    return Attention(notes, len(found) - len(notes), idle, rule.idle_days)


def _reasons(rule: AttentionRule, row: AdRow) -> Reasons | None:
    spend = row.now.spend or Decimal(0)
    disapproved = bool(row.listed and row.listed.status == "DISAPPROVED" and spend > 0)
    sold_nothing = spend > rule.no_purchase_spend and not row.now.purchases
    fell = spend >= rule.roas_min_spend and has_fallen(row.now, row.before, rule.roas_drop_percent)
    return Reasons(row, spend, disapproved, sold_nothing, fell) if disapproved or sold_nothing or fell else None


def _note(found: Reasons, currency: str) -> Note:
    row, spend, disapproved, sold_nothing, fell = found
    words = []
    if disapproved:
        words.append("was disapproved by Meta.")
    if disapproved or sold_nothing:
        words.append(f"It spent {money(spend, currency)}{' without a purchase' if sold_nothing else ''}.")
    if fell:
        words.append(f"Its ROAS fell from {ratio(row.before.roas)} to {ratio(row.now.roas) or 'none'}.")
    tone, icon = ("tone-red", "alert") if disapproved else ("tone-amber", "fall" if fell else "alert")
    return Note(tone, icon, row.ad_id, row.name, " ".join(words))
