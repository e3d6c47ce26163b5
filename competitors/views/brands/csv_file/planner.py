"""Works out what an import does, row by row, then shows or saves it. A row is taken whole or refused whole."""

from copy import copy
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Model

from competitors.models import Competitor
from pipeline.contract.errors import NotAllowed
from pipeline.models import Brand
from pipeline.people import brands_for, can_words, require
from pipeline.words.names import name_key

from .columns import COLUMNS, Column, ExclusiveColumn
from .plan import ADDED, CHANGED, REFUSED, Cell, Plan, PlannedRow
from .sheet import Line, Sheet

BRAND, COMPETITOR, TIME_ZONE = "brand", "competitor", "time_zone"
ADD, ADD_BRAND, CHANGE_BRAND = "competitors.add_competitor", "pipeline.add_brand", "pipeline.change_brand"
NO_NEW_BRANDS = "Only managers without a brand limit can add brands. Ask one."


def plan(sheet: Sheet, user: Any, only: Brand | None = None) -> Plan:
    """Compare the file with what there is: of the brand `only`, or of the brands that the file names.

    One query for these, one for their competitors, and one for each column of the file.
    """
    return _Planner([only] if only else _named(sheet, user), sheet, user, only).plan()


def carry_out(sheet: Sheet, user: Any, only: Brand | None = None) -> Plan:
    """Work out the plan anew and save it, in one transaction. NotAllowed if that is not for this person, or not now."""
    named = [only] if only else _named(sheet, user)
    for one in named:
        require(user, ADD, one.pk)
    try:
        with transaction.atomic():
            rows = Brand.objects.select_for_update(no_key=True).filter(pk__in=[one.pk for one in named])
            locked = list(rows.order_by("pk"))  # two imports come one after the other
            if only and locked[0].closed:
                raise NotAllowed(locked[0].closed)
            made = _Planner(locked, sheet, user, locked[0] if only else None).plan()
            made.save(user)
    except IntegrityError:
        raise NotAllowed("Somebody else added one of these just now. Nothing was imported. Try again.") from None
    for column in COLUMNS.values():
        if column.of_brand and made.added.get(column.name):
            column.imported(made.added_to_brands(column.name), user)
    return made


def _named(sheet: Sheet, user: Any) -> list[Brand]:
    """The brands that the file names, of those that are open to the person."""
    keys = {name_key(line.cells[BRAND]) for line in sheet.lines}
    return [brand for brand in brands_for(user).rows() if name_key(brand.name) in keys]


@dataclass
class _Entry:
    """A cell as it was read. `stored`: the row that is there already, as the file wants it."""

    column: Column[Any]
    cell: Cell
    key: tuple[str, UUID, str]
    read: Any = None
    stored: Any = None
    words: str = ""  # what changes about it


class _Planner:
    def __init__(self, brands: list[Brand], sheet: Sheet, user: Any, only: Brand | None):
        self.sheet, self.user, self.only = sheet, user, only
        self.columns: list[Column[Any]] = [column for name, column in COLUMNS.items() if name in sheet.columns]
        self.brands = {name_key(one.name): one for one in brands}
        competitors = Competitor.objects.filter(brand__in=brands)
        self.competitors = {(one.brand_id, name_key(one.name)): one for one in competitors}
        self.known: dict[tuple[str, UUID, str], Model] = {}
        self.holders: dict[tuple[str, str], Brand] = {}  # of what only one brand may have
        for column in self.columns:
            for row in column.rows(brands):
                self.known[column.name, getattr(row, f"{column.owner}_id"), column.key(row)] = row
            if isinstance(column, ExclusiveColumn):
                held = column.model._default_manager.filter(brand__archived_at=None).select_related("brand")
                self.holders |= {(column.name, column.key(row)): row.brand for row in held}  # type: ignore[attr-defined]
        self.met: dict[Any, int] = {}  # a competitor, a zone, or what an owner has -> the row of the file that named it first
        self.may_add_brands = brands_for(user).every and user.has_perm(ADD_BRAND)
        self.made = Plan()

    def plan(self) -> Plan:
        self.made.rows = [self._judge(line) for line in self.sheet.lines]
        return self.made

    def _judge(self, line: Line) -> PlannedRow:
        cells = {name: Cell(name, line.cells[name]) for name in self.sheet.columns}
        row = PlannedRow(line.number, list(cells.values()))
        if line.too_long:
            row.cells[0].error = "This row has more cells than the first row has columns."
        brand, new_brand = (self.only, False) if self.only else self._brand(cells[BRAND])
        zone = self._time_zone(cells.get(TIME_ZONE), brand, new_brand)
        competitor, new_competitor = self._competitor(cells, brand)
        owners: dict[str, Any] = {"brand": brand, "competitor": competitor}
        filled = [column for column in self.columns if cells[column.name].text]
        found = [self._read(column, cells, owners[column.owner], brand) for column in filled]
        for column in self.columns:
            if column.beside and not cells[column.name].text and (beside := cells.get(column.beside)) and beside.text:
                beside.error = f"The cell “{column.name}” of this row is empty."
        if any(cell.error for cell in row.cells):
            row.outcome = REFUSED
            return row
        if new_brand:
            self.made.brands.append(brand)
            self.brands[name_key(brand.name)] = brand
            cells[BRAND].note, row.outcome = "New brand.", ADDED
        if zone:
            self.met[TIME_ZONE, brand.pk] = line.number
            if zone != brand.time_zone:
                was, brand.time_zone = brand.time_zone, zone
                if brand in self.made.brands:
                    row.outcome = ADDED
                else:
                    self.made.moved.append(brand)
                    cells[TIME_ZONE].note, row.outcome = f"It was {was or 'that of the site'}.", CHANGED
        if competitor:
            if new_competitor:
                self.made.competitors.append(competitor)
                self.competitors[brand.pk, name_key(competitor.name)] = competitor
                cells[COMPETITOR].note, row.outcome = "New competitor.", ADDED
            elif not found and competitor.pk in self.met:
                cells[COMPETITOR].note = f"Row {self.met[competitor.pk]} names it already."
            self.met.setdefault(competitor.pk, line.number)
        for entry in found:
            self._take(entry, row, owners[entry.column.owner], brand)
        return row

    def _take(self, entry: _Entry, row: PlannedRow, owner: Any, brand: Brand) -> None:
        column = entry.column
        self.met[entry.key] = row.number
        if entry.stored is None:
            setattr(entry.read, column.owner, owner)
            self.made.added.setdefault(column.name, []).append(entry.read)
            self.known[entry.key] = entry.read
            if isinstance(column, ExclusiveColumn):
                self.holders[column.name, column.key(entry.read)] = brand
            row.outcome = ADDED
        elif entry.words and entry.stored._state.adding:  # a row further up adds it
            column.update(self.known[entry.key], entry.read)
        elif entry.words:
            self.made.changed.setdefault(column.name, []).append(entry.stored)
            self.known[entry.key] = entry.stored
            entry.cell.note = entry.words
            row.outcome = ADDED if row.outcome == ADDED else CHANGED

    def _brand(self, cell: Cell) -> tuple[Brand, bool]:
        """The brand that the cell names, and whether it is new. If the cell is wrong it says so."""
        new = Brand()
        try:
            new.name = Brand._meta.get_field("name").clean(cell.text, new)
        except ValidationError as error:
            cell.error = cell.error or " ".join(error.messages)
            return new, False
        known = self.brands.get(name_key(new.name))
        if known is None:
            if not self.may_add_brands:
                cell.error = cell.error or NO_NEW_BRANDS
            return new, True
        cell.error = cell.error or known.closed
        if known.name != new.name:
            cell.note = f"Taken as {known.name}."
        return known, False

    def _time_zone(self, cell: Cell | None, brand: Brand, is_new: bool) -> str:
        """'' if the row names none."""
        if cell is None or not cell.text:
            return ""
        try:
            zone: str = Brand._meta.get_field("time_zone").clean(cell.text, brand)
        except ValidationError as error:
            cell.error = " ".join(error.messages)
            return ""
        if zone != brand.time_zone:
            if (TIME_ZONE, brand.pk) in self.met:
                cell.error = f"Row {self.met[TIME_ZONE, brand.pk]} says {brand.time_zone}. A brand has one time zone."
            elif not is_new and not self.user.has_perm(CHANGE_BRAND):
                cell.error = can_words(CHANGE_BRAND)
        return zone

    def _competitor(self, cells: dict[str, Cell], brand: Brand) -> tuple[Competitor | None, bool]:
        """The competitor that the row is about, and whether it is new. None if the row is about the brand alone."""
        cell = cells.get(COMPETITOR) or Cell(COMPETITOR, "")
        of_it = [cells[column.name] for column in self.columns if not column.of_brand and cells[column.name].text]
        of_brand = any(one.text for name, one in cells.items() if name != COMPETITOR and one not in of_it)
        if not cell.text and of_it and COMPETITOR not in cells:
            of_it[0].error = f"The file has no column “{COMPETITOR}”, which says whose this is."
        if not cell.text and ((of_brand and not of_it) or COMPETITOR not in cells):
            return None, False
        new = Competitor(brand=brand)
        try:
            new.name = Competitor._meta.get_field("name").clean(cell.text, new)
        except ValidationError as error:
            cell.error = cell.error or " ".join(error.messages)
            return new, False
        known = self.competitors.get((brand.pk, name_key(new.name)))
        if known is None:
            return new, True
        if known.archived_at:
            cell.error = cell.error or "This competitor is archived. Restore it first."
        if known.name != new.name:
            cell.note = f"Taken as {known.name}."
        return known, False

    def _read(self, column: Column[Any], cells: dict[str, Cell], owner: Any, brand: Brand) -> _Entry:
        """What the cell names, and the row that is stored of it. If the cell is wrong it says so."""
        cell = cells[column.name]
        try:
            read = column.read(cell.text)
            beside = cells.get(column.beside)
        except ValueError as error:
            cell.error = str(error)
            return _Entry(column, cell, (column.name, brand.pk, ""))
        if beside:
            try:
                column.read_beside(read, beside.text)
            except ValueError as error:
                beside.error = str(error)
        entry = _Entry(column, cell, (column.name, owner.pk if owner else brand.pk, column.key(read)), read)
        known = self.known.get(entry.key)
        if known:
            entry.stored = copy(known)  # a row that is refused changes nothing
            entry.words = column.update(entry.stored, read)
        cell.error = cell.error or self._refusal(entry, brand)
        return entry

    def _refusal(self, entry: _Entry, brand: Brand) -> str:
        column = entry.column
        if entry.key in self.met and not column.of_brand:  # what a brand has may stand in each of its rows
            return f"Row {self.met[entry.key]} has {column.label(entry.read)} already."
        if entry.stored is None and isinstance(column, ExclusiveColumn):
            holder = self.holders.get((column.name, column.key(entry.read)))
            if holder and holder.pk != brand.pk:
                return column.taken(entry.read, holder, self.user)
        action = "add" if entry.stored is None else "change" if entry.words else ""
        return can_words(column.permission(action)) if action and not self.user.has_perm(column.permission(action)) else ""
