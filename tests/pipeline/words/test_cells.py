"""No cell is a formula, whatever text it holds and however a spreadsheet splits the file."""

import csv
import io
import re
from typing import Any
from unicodedata import category, normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.words.cells import SIGNS, csv_text, safe_cell

SEPARATORS = ",;|\t"
PIECES = [
    *"=+-@;|,\t\n\r\"' x1",
    "＝",
    "＋",
    "－",
    "＠",
    "\u200b",
    "\ufeff",
    "\u00a0",
    "\u3000",
    "\u202e",
    "\x1b",
    "\0",
    "é",
    "\u3164",
    "cmd",
]
ALIKE = {chr(code) for code in range(0x110000) if normalize("NFKC", chr(code))[:1] in {*SIGNS}}
TEXTS = st.text() | st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
BIDI = {*"\u061c\u200e\u200f", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}


def file_of(header: list[str], *rows: list[Any]) -> str:
    return csv_text([header, *rows])


def runs(cell: str) -> bool:
    """A spreadsheet that drops blanks and what nobody sees would take the cell for a formula."""
    seen = "".join(char for char in normalize("NFKC", cell) if char not in '"\u2800' and not char.isspace())
    seen = "".join(char for char in seen if category(char) not in ("Cf", "Cc", "Mn") and char not in "\u1160\u115f")
    return seen[:1] in {*"=+-@−"}


@given(st.lists(TEXTS, min_size=1, max_size=4), st.lists(TEXTS, min_size=1, max_size=4))
def test_no_cell_of_header_or_rows_is_a_formula_for_any_separator(header: list[str], row: list[str]) -> None:
    written = file_of(header, row).removeprefix("\ufeff")
    for separator in SEPARATORS:
        parsed = csv.reader(io.StringIO(written, newline=""), delimiter=separator)
        assert not [cell for cells in parsed for cell in cells if runs(cell)]
    for separator in SEPARATORS.replace(
        ",", ""
    ):  # and split by hand, as a spreadsheet does after a quote that it does not expect
        assert not [cell for cell in re.split(f"[{separator}\n\r]", written) if runs(cell)]


@given(TEXTS)
def test_no_control_or_direction_character_comes_through(text: str) -> None:
    cell = safe_cell(text)
    assert not [char for char in cell if (category(char) == "Cc" and char not in "\t\n") or char in BIDI]


@given(st.lists(st.text(st.characters(exclude_categories=["C"], exclude_characters=[*ALIKE, *"\t\n"])), min_size=1, max_size=4))
def test_other_text_comes_back_as_it_was(row: list[str]) -> None:
    assert next(csv.reader(io.StringIO(file_of(row).removeprefix("\ufeff"), newline=""))) == row


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("a=b", "a=b"),
        ("well-made, -20 %", "well-made, -20 %"),
        ("pros:\n- light\n- cheap", "pros:\n'- light\n'- cheap"),
        ("good;=1+1", "good;'=1+1"),
        ('good;"=1+1"', 'good;\'"=1+1"'),
        ("good\t +1", "good\t' +1"),
        (" =1", "' =1"),
        ("＝1", "'＝1"),
        ("¯=1", "'¯=1"),
        ("a\r\nb", "a\nb"),
        ("a\u202eb\x1b[31m", "a\\u202eb\\x1b[31m"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("", ""),
        (None, ""),
        (5, 5),
        (-5, -5),
        (True, True),
    ],
)
def test_a_cell(value: Any, cell: Any) -> None:
    assert safe_cell(value) == cell
