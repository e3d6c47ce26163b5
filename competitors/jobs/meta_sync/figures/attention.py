"""Which ads need a person, by the brand's own thresholds."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from competitors.models import AttentionRule

from .ads import AdRow, Listed
from .rates import fallen
from .words import money, ratio

MOST = 10  # are listed


@dataclass(frozen=True)
class Note:
    """One line: an ad and what is wrong with it, the worst reason first. `weight`: what it spent."""

    tone: str
    icon: str
    ad_id: str
    name: str
    words: str
    weight: Decimal = Decimal(0)


@dataclass(frozen=True)
class Attention:
    notes: Sequence[Note]
    idle: Sequence[Listed]  # one line for all of them
    idle_days: int

    @property
    def count(self) -> int:
        return len(self.notes) + len(self.idle)

    @property
    def shown(self) -> Sequence[Note]:
        return self.notes[:MOST]

    @property
    def more(self) -> int:
        return len(self.notes) - len(self.shown)


def attention(rule: AttentionRule, rows: Sequence[AdRow], idle: Sequence[Listed], currency: str) -> Attention:
    notes = [note for row in rows if (note := _note(rule, row, currency))]
    notes.sort(key=lambda note: (note.tone != "tone-red", -note.weight, note.ad_id))
    return Attention(notes, idle, rule.idle_days)


def _note(rule: AttentionRule, row: AdRow, currency: str) -> Note | None:
    spend = row.now.spend or Decimal(0)
    disapproved = bool(row.listed and row.listed.status == "DISAPPROVED" and spend > 0)
    sold_nothing = spend > rule.no_purchase_spend and not row.now.purchases
    fell = spend >= rule.roas_min_spend and fallen(row.now, row.before) * 100 >= rule.roas_drop_percent
    if not (disapproved or sold_nothing or fell):
        return None
    words = []
    if disapproved:
        words.append("was disapproved by Meta.")
    if disapproved or sold_nothing:
        words.append(f"It spent {money(spend, currency)}{' without a purchase' if sold_nothing else ''}.")
    if fell:
        words.append(f"Its ROAS fell from {ratio(row.before.roas)} to {ratio(row.now.roas) or 'none'}.")
    tone, icon = ("tone-red", "alert") if disapproved else ("tone-amber", "fall" if fell else "alert")
    return Note(tone, icon, row.ad_id, row.name, " ".join(words), spend)
