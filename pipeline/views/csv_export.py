"""Rows as a CSV file that is safe to open in a spreadsheet, sent while they are read."""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any
from unicodedata import category, normalize

from django.http import StreamingHttpResponse

from ..words import stamp
from ..words.foreign import harmless

CHUNK = 500
BYTE_ORDER_MARK = "\ufeff"  # without it Excel does not read UTF-8
SIGNS = "=+-@−"  # what a spreadsheet takes for the start of a formula, in all their widths and heights
_UNSEEN = '"\u115f\u1160\u2800'  # besides blanks, marks and what has no shape: nobody sees it, or reading drops it
# A spreadsheet that separates cells by other signs than commas splits inside the quoted text of a row.
_PART = re.compile(r"(?:\A|(?<=[;|\t\n]))[^;|\t\n]+")
_PLAIN = re.compile(r"[A-Za-z0-9][ -:<-{}~]*")  # ASCII without these separators; most cells, and told quickly
_APOSTROPHE = re.compile(r"(?:\A|(?<=[;|\t\n]))'")


class _Echo:
    """A file for csv.writer that returns each line instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def safe_cell(value: Any) -> Any:
    """For a cell that a spreadsheet must not run: an apostrophe before whatever looks like a formula makes it text. Control and
    bidirectional characters are escaped. None becomes empty; numbers and times stay as they are."""
    if value is None:
        return ""
    if isinstance(value, str):
        if _PLAIN.fullmatch(value):
            return value
        text = _PART.sub(lambda part: f"'{part[0]}" if _is_formula(part[0]) else part[0], harmless(value, lines=True))
        return f"'{text}" if text[:1] in {"\t", "\n"} else text
    if isinstance(value, datetime):
        return stamp(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def _is_formula(text: str) -> bool:
    """Whether the first sign that anybody sees starts one."""
    for char in text:
        for plain in normalize("NFKC", char):
            if not (plain.isspace() or plain in _UNSEEN or category(plain) in ("Cc", "Cf", "Mn")):
                return plain in SIGNS
    return False


def plain_cell(cell: str) -> str:
    """The text that safe_cell() made this cell of. Other cells stay as they are."""
    text = _APOSTROPHE.sub("", cell)
    return text if safe_cell(text) == cell else cell


def csv_response(filename: str, header: list[str], rows: Iterable[Iterable[Any]]) -> StreamingHttpResponse:
    """`filename` must be plain ASCII. Memory does not grow with the number of rows."""
    writer = csv.writer(_Echo())

    def lines() -> Iterator[str]:
        yield BYTE_ORDER_MARK + writer.writerow([safe_cell(name) for name in header])  # it returns what write() returned
        left = iter(rows)
        while some := "".join(writer.writerow([safe_cell(value) for value in row]) for row in islice(left, CHUNK)):
            yield some

    return StreamingHttpResponse(
        lines(), content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{filename}"'}
    )
