"""What an import does, row by row: worked out first, then shown or saved. A row is taken whole or refused whole."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Model

from competitors.models import Competitor
from pipeline.contract.errors import NotAllowed
from pipeline.models import Brand
from pipeline.people import can_words, require
from pipeline.states import Badge
from pipeline.words.names import name_key

from .columns import COLUMNS, Column
from .sheet import FIRST, Line, Sheet

ADD = "competitors.add_competitor"
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

    def save(self) -> None:
        """In the caller's transaction: a few statements, however many rows there are."""
        Competitor.objects.bulk_create(self.competitors)
        for name, column in COLUMNS.items():
            column.model._default_manager.bulk_create(self.added.get(name, []))
            column.model._default_manager.bulk_update(self.changed.get(name, []), column.fields, batch_size=200)


def plan(brand: Brand, sheet: Sheet, user: Any) -> Plan:
    """Compare the file with what the brand has. One query, and one for each column of the file."""
    return _Planner(brand, sheet, user).plan()


def carry_out(brand: Brand, sheet: Sheet, user: Any) -> Plan:
    """Work out the plan anew and save it, in one transaction. NotAllowed if that is not for this person, or not now."""
    require(user, ADD, brand.pk)
    try:
        with transaction.atomic():
            locked = Brand.objects.select_for_update(no_key=True).get(pk=brand.pk)  # two imports come one after the other
            if locked.closed:
                raise NotAllowed(locked.closed)
            made = plan(locked, sheet, user)
            made.save()
    except IntegrityError:
        raise NotAllowed("Somebody else added one of these just now. Nothing was imported. Try again.") from None
    return made


class _Planner:
    def __init__(self, brand: Brand, sheet: Sheet, user: Any):
        self.brand, self.sheet, self.user = brand, sheet, user
        self.columns: list[Column[Any]] = [COLUMNS[name] for name in sheet.columns if name != FIRST]
        self.names = {name_key(one.name): one for one in Competitor.objects.filter(brand=brand)}
        self.known: dict[tuple[str, UUID, str], Model] = {
            (column.name, row.competitor_id, column.key(row)): row for column in self.columns for row in column.rows(brand)
        }
        self.met: dict[Any, int] = {}  # competitor, or what one has -> the row of the file that named it first
        self.made = Plan()

    def plan(self) -> Plan:
        self.made.rows = [self._judge(line) for line in self.sheet.lines]
        return self.made

    def _judge(self, line: Line) -> PlannedRow:
        cells = {name: Cell(name, line.cells[name]) for name in self.sheet.columns}
        row = PlannedRow(line.number, list(cells.values()))
        name = cells[FIRST]
        if line.too_long:
            name.error = "This row has more cells than the first row has columns."
        competitor, is_new = self._competitor(name)
        found = [
            (column, *self._read(column, cells[column.name], competitor)) for column in self.columns if cells[column.name].text
        ]
        if any(cell.error for cell in row.cells):
            row.outcome = REFUSED
            return row
        if is_new:
            self.made.competitors.append(competitor)
            self.names[name_key(competitor.name)] = competitor
            name.note, row.outcome = "New competitor.", ADDED
        elif not found and competitor.pk in self.met:
            name.note = f"Row {self.met[competitor.pk]} names it already."
        self.met.setdefault(competitor.pk, row.number)
        for column, read, stored in found:
            self.met[column.name, competitor.pk, column.key(read)] = row.number
            if stored is None:
                read.competitor = competitor
                self.made.added.setdefault(column.name, []).append(read)
                row.outcome = ADDED
            elif words := column.update(stored, read):
                self.made.changed.setdefault(column.name, []).append(stored)
                cells[column.name].note = words
                row.outcome = ADDED if row.outcome == ADDED else CHANGED
        return row

    def _competitor(self, cell: Cell) -> tuple[Competitor, bool]:
        """The competitor that the cell names, and whether it is new. If the cell is wrong it says so, and the answer is empty."""
        new = Competitor(brand=self.brand)
        try:
            new.name = Competitor._meta.get_field("name").clean(cell.text, new)
        except ValidationError as error:
            cell.error = cell.error or " ".join(error.messages)
            return new, False
        known = self.names.get(name_key(new.name))
        if known is None:
            return new, True
        if known.archived_at:
            cell.error = cell.error or "This competitor is archived. Restore it first."
        if known.name != new.name:
            cell.note = f"Taken as {known.name}."
        return known, False

    def _read(self, column: Column[Any], cell: Cell, competitor: Competitor) -> tuple[Any, Any]:
        """What the cell names, and the row that is stored of it. If the cell is wrong it says so."""
        try:
            read = column.read(cell.text)
        except ValueError as error:
            cell.error = str(error)
            return None, None
        key = (column.name, competitor.pk, column.key(read))
        stored = self.known.get(key)
        action = "change" if stored else "add"
        if key in self.met:
            cell.error = f"Row {self.met[key]} has {column.label(read)} already."
        elif not self.user.has_perm(column.permission(action)):
            cell.error = can_words(column.permission(action))
        return read, stored
