"""Files as spreadsheets and people save them, in every usual encoding and form."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from competitors.views.brands.csv_file.sheet import MOST_ROWS, decoded, parsed
from pipeline.words.cells import plain_cell, safe_cell

KNOWN = ["competitor", "amazon_url"]
TEXT = "competitor,amazon_url\nMüller & Söhne,B09XK4T2LM\n"


def names(text: str) -> list[str]:
    return [line.cells["competitor"] for line in parsed(text, KNOWN).lines]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_is_read_with_and_without_its_mark(encoding: str) -> None:
    text, remark = decoded(TEXT.encode(encoding))
    assert names(text) == ["Müller & Söhne"]
    assert remark == ""


def test_windows_1252_is_read_and_told() -> None:
    text, remark = decoded(TEXT.encode("cp1252"))
    assert names(text) == ["Müller & Söhne"]
    assert "The file is not UTF-8. It was read as Windows-1252" in remark


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04 and so on", "a spreadsheet file, not CSV"),
        (b"\xd0\xcf\x11\xe0\xa1", "a spreadsheet file, not CSV"),
        (b"\xff\xfea", "not correct UTF-16"),
        (b"caf\xe9 \x81", "neither UTF-8, UTF-16 nor Windows-1252"),
        (b"competitor\nA\0b", "not text"),
    ],
)
def test_what_is_no_text_is_refused_with_what_to_do(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        decoded(data)
    assert "Save it as “CSV UTF-8”" in str(refused.value)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends_are_recognized(separator: str, newline: str) -> None:
    text = newline.join(separator.join(cells) for cells in (["Competitor", "Amazon URL"], ['"Acme; Inc, Ltd\t"', "B09XK4T2LM"]))
    (line,) = parsed(text, KNOWN).lines
    assert line.cells == {"competitor": "Acme; Inc, Ltd", "amazon_url": "B09XK4T2LM"}


def test_rows_have_the_numbers_of_the_spreadsheet_and_empty_ones_are_left_out() -> None:
    lines = parsed('competitor\nA\n\n"B\nand more"\n , \nC\n', KNOWN).lines
    assert [(line.number, line.cells["competitor"]) for line in lines] == [(2, "A"), (4, "B\nand more"), (6, "C")]


def test_columns_may_come_in_any_order_and_unknown_ones_are_named() -> None:
    found = parsed("Notes,amazon-url,COMPETITOR,\nx,B09XK4T2LM,A\n", KNOWN)
    assert (found.columns, found.unknown) == (["amazon_url", "competitor"], ["Notes"])
    assert found.lines[0].cells == {"competitor": "A", "amazon_url": "B09XK4T2LM"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        (" \n\n", "is empty"),
        ("Barkwell,B09XK4T2LM\n", "“competitor” is not among them. Known: competitor, amazon_url"),
        ("competitor,amazon_url\n", "no rows below"),
        ("competitor,competitor\nA,B\n", "“competitor” twice"),
        ('competitor\nA\n"B\nC\nD\n', "Row 3 cannot be read: .* quotation mark that is not closed"),
        ("competitor\n" + "A\n" * (MOST_ROWS + 1), "more than 1,000 rows"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parsed(text, KNOWN)


def test_cells_behind_the_last_column_are_told() -> None:
    assert [line.too_long for line in parsed("competitor\nA,,\nA,b\n", KNOWN).lines] == [False, True]


PIECES = st.lists(st.sampled_from([*"=+-@;|\t\n' x1", "é", "＝"]), max_size=8).map("".join)


@given(PIECES)
def test_a_cell_that_was_made_harmless_for_spreadsheets_is_read_as_it_was(text: str) -> None:
    if not text.startswith("'") and not any(sign + "'" in text for sign in ";|\t\n"):
        assert plain_cell(safe_cell(text)) == text


def refusal(read: Callable[[], Any]) -> str:
    """Why the input is refused; '' if it is read."""
    try:
        read()
    except ValueError as refused:
        return str(refused)
    return ""


@given(st.text() | PIECES)
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    assert refusal(lambda: parsed("competitor\n" + text, KNOWN))[-1:] in (".", "")


@given(st.binary())
def test_any_bytes_are_read_or_refused_in_words(data: bytes) -> None:
    assert refusal(lambda: decoded(data))[-17:] in ("upload that file.", "")
