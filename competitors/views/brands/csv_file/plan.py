"""What becomes of each row of a file, and what has to be saved for that."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Model

from competitors.models import Competitor
from competitors.steps import settings
from pipeline import api
from pipeline.models import Brand
from pipeline.states import Badge

from .columns import COLUMNS

ADDED, CHANGED, UNCHANGED, REFUSED = "added", "changed", "unchanged", "refused"
MARKS = {ADDED: ("plus", "green"), CHANGED: ("check", "blue"), UNCHANGED: ("dash", "grey"), REFUSED: ("alert", "red")}


@dataclass
class Cell:
    column: str
    text: str
    error: str = ""
    note: str = ""


@dataclass
class PlannedRow:
    number: int
    cells: list[Cell]
    outcome: str = UNCHANGED

    @property
    def before(self) -> Badge:
        """Its badge in the preview."""
        word = f"Will be {self.outcome}" if self.outcome in (ADDED, CHANGED) else self.outcome.capitalize()
        return Badge(self.outcome, word, *MARKS[self.outcome])

    @property
    def after(self) -> Badge:
        return Badge(self.outcome, self.outcome.capitalize(), *MARKS[self.outcome])


@dataclass
class Plan:
    """The rows with what becomes of each, and what has to be saved for that."""

    rows: list[PlannedRow] = field(default_factory=list)
    brands: list[Brand] = field(default_factory=list)  # new ones
    moved: list[Brand] = field(default_factory=list)  # with another time zone
    competitors: list[Competitor] = field(default_factory=list)
    added: dict[str, list[Model]] = field(default_factory=dict)  # by column
    changed: dict[str, list[Model]] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        found = Counter(row.outcome for row in self.rows)
        return {outcome: found[outcome] for outcome in MARKS}

    @property
    def to_do(self) -> int:
        """How many rows add or change something."""
        return self.counts[ADDED] + self.counts[CHANGED]

    @property
    def worst_first(self) -> list[PlannedRow]:
        return sorted(self.rows, key=lambda row: row.outcome != REFUSED)

    def save(self, by: Any) -> None:
        """In the caller's transaction: a few statements for each brand that is new or moves, and a few for all other rows."""
        for brand in self.brands:
            brand.save()
        for brand in self.moved:
            brand.save(update_fields=["time_zone"])
            api.reschedule_brand(brand)
        Competitor.objects.bulk_create(self.competitors)
        for name, column in COLUMNS.items():
            column.model._default_manager.bulk_create(self.added.get(name, []))
            column.model._default_manager.bulk_update(self.changed.get(name, []), column.fields, batch_size=200)
        rows = [row for found in (self.added, self.changed) for of_column in found.values() for row in of_column]
        settings.record(rows, "Imported from a file", by)

    def added_to_brands(self, column: str) -> list[Brand]:
        """The brands that got rows of this column, each once."""
        found: dict[UUID, Brand] = {row.brand.pk: row.brand for row in self.added.get(column, [])}  # type: ignore[attr-defined]
        return list(found.values())
