"""Cells of a CSV file that are safe to open in a spreadsheet."""

import csv
import re
from collections.abc import Iterable
from datetime import datetime
from io import StringIO
from typing import Any
from unicodedata import category, normalize

from . import stamp
from .foreign import harmless

BYTE_ORDER_MARK = "\ufeff"  # without it Excel does not read UTF-8
SIGNS = "=+-@−"  # what a spreadsheet takes for the start of a formula, in all their widths and heights
_UNSEEN = '"\u115f\u1160\u2800'  # besides blanks, marks and what has no shape: nobody sees it, or reading drops it
# A spreadsheet that separates cells by other signs than commas splits inside the quoted text of a row.
_PART = re.compile(r"(?:\A|(?<=[;|\t\n]))[^;|\t\n]+")
_PLAIN = re.compile(r"[A-Za-z0-9][ -:<-{}~]*")  # ASCII without these separators; most cells, and told quickly
_APOSTROPHE = re.compile(r"(?:\A|(?<=[;|\t\n]))'")


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


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    text = StringIO(newline="")
    csv.writer(text).writerows([safe_cell(value) for value in row] for row in rows)
    return text.getvalue()
