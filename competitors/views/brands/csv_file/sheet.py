"""A CSV file as people save it, read into rows: any usual encoding and separator. What cannot be read is told, never guessed."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.words.cells import plain_cell
from pipeline.words.names import name_key

MOST_BYTES = 500_000
MOST_ROWS = 1_000
SEPARATORS = ",;\t"
SAVE_AS = "Save it as “CSV UTF-8”, then upload that file."
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx and .ods, .xls


@dataclass(frozen=True)
class Line:
    """`number`: of the row as a spreadsheet shows it. `cells`: by column, each with its text as it was before an export."""

    number: int
    cells: dict[str, str]
    too_long: bool = False  # it has more cells than there are columns


@dataclass(frozen=True)
class Sheet:
    columns: list[str]  # those that are known, in the file's order
    unknown: list[str]
    lines: list[Line]


def decoded(data: bytes) -> tuple[str, str]:
    """The file's text, and what to know about how it was read ('' if that is certain). ValueError if it is no text."""
    if data.startswith(_WORKBOOKS):
        raise ValueError(f"This is a spreadsheet file, not CSV. {SAVE_AS}")
    encoding, remark = _encoding(data), ""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8-sig":
            raise ValueError(f"The file is not correct UTF-16. {SAVE_AS}") from None
        try:
            text = data.decode("cp1252")
        except UnicodeDecodeError:
            raise ValueError(f"The file is neither UTF-8, UTF-16 nor Windows-1252 text. {SAVE_AS}") from None
        remark = (
            "The file is not UTF-8. It was read as Windows-1252, as spreadsheets save CSV in Western Europe."
            " If letters look wrong below, save it as “CSV UTF-8” and upload it again."
        )
    if "\0" in text:
        raise ValueError(f"The file is not text. {SAVE_AS}")
    return text, remark


def parsed(text: str, known: Sequence[str]) -> Sheet:
    """The rows below the first one, which names the columns. Empty rows are left out. ValueError says what is wrong.

    The first of the known columns is the one that the file must have.
    """
    separator, header = _header(text, known)
    columns = [column_name(cell) for cell in header]
    twice = next((name for name in columns if name in known and columns.count(name) > 1), None)
    if twice:
        raise ValueError(f"The first row names the column “{twice}” twice.")
    lines: list[Line] = []
    for number, cells in _records(text, separator):
        if number == 1 or not any(cell.strip() for cell in cells):
            continue
        if len(lines) == MOST_ROWS:
            raise ValueError(f"The file has more than {MOST_ROWS:,} rows. Split it, then import one part after the other.")
        found = {name: plain_cell(cell.strip()) for name, cell in zip(columns, cells, strict=False) if name in known}
        too_long = any(cell.strip() for cell in cells[len(columns) :])
        lines.append(Line(number, dict.fromkeys(known, "") | found, too_long))
    if not lines:
        raise ValueError("The file has no rows below the first one, which names the columns.")
    unknown = [cell.strip() for cell, name in zip(header, columns, strict=True) if name not in known and cell.strip()]
    return Sheet([name for name in columns if name in known], unknown, lines)


def _encoding(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if data.count(0) > len(data) // 4:  # UTF-16 without its mark: every other byte of Latin text is 0
        return "utf-16-le" if data[1::2].count(0) > data[::2].count(0) else "utf-16-be"
    return "utf-8-sig"


def _header(text: str, known: Sequence[str]) -> tuple[str, list[str]]:
    """The separator with which the first row names most columns, and that row."""
    if not text.strip():
        raise ValueError("The file is empty.")
    firsts = {one: next((cells for _, cells in _records(text, one, only_first=True)), []) for one in SEPARATORS}
    best = max(SEPARATORS, key=lambda one: len({column_name(cell) for cell in firsts[one]} & set(known)))
    if known[0] not in {column_name(cell) for cell in firsts[best]}:
        raise ValueError(f"The first row must name the columns, and “{known[0]}” is not among them. Known: {', '.join(known)}.")
    return best, firsts[best]


def _records(text: str, separator: str, *, only_first: bool = False) -> Iterator[tuple[int, list[str]]]:
    """The rows with their numbers. Strict, or one quotation mark that is not closed would swallow all rows after it."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=not only_first)
    number = 1
    try:
        for cells in reader:
            yield number, cells
            if only_first:
                return
            number += 1
    except csv.Error as error:
        raise ValueError(f"Row {number} cannot be read: {error}. Look for a quotation mark that is not closed.") from error


def column_name(cell: str) -> str:
    """'Amazon URL' -> 'amazon_url'."""
    return re.sub(r"[\s_-]+", "_", name_key(cell))
