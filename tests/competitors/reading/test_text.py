from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from competitors.reading import decoded, read_count, text


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Good<br />and cheap", "Good\nand cheap"),
        ("a<br>b<BR/>c<br\n/>d", "a\nb\nc\nd"),
        ("Tom &amp; Jerry&#39;s &quot;best&quot; caf&eacute; &#x1F436;", 'Tom & Jerry\'s "best" café 🐶'),
        ("1 &lt; 2", "1 < 2"),
        ("&amp;lt;", "&lt;"),
        ("&amp;amp;amp;", "&amp;amp;"),
        ("&lt;br /&gt;", "<br />"),
        ("R&D, AT&T, fish&chips; ?a=1&copy=2&lt=3", "R&D, AT&T, fish&chips; ?a=1&copy=2&lt=3"),
        ("&nosuchthing; &;", "&nosuchthing; &;"),
        ("a <b>bold</b> claim", "a <b>bold</b> claim"),
        ("&#0;&#xD800;&#x110000;", "���"),
    ],
)
def test_entities_and_line_breaks_are_decoded_once(given, shown):
    assert decoded(given) == shown


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_what_was_escaped_once_comes_back_as_it_was(original):
    assert decoded(escape(original)) == original


@given(st.text(alphabet=st.characters(exclude_characters="&<")))
def test_text_without_html_stays_as_it_came(original):
    assert decoded(original) == original


@pytest.mark.parametrize(("value", "shown"), [("x", "x"), (5, "5"), (5.5, "5.5"), (True, ""), (None, ""), ([1], ""), ({}, "")])
def test_only_texts_and_numbers_are_text(value, shown):
    assert text(value) == shown


def test_a_number_that_python_does_not_write_is_empty():
    assert text(10**5000) == ""


@pytest.mark.parametrize(
    ("value", "count"),
    [(7, 7), (3.0, 3), ("3", 3), (" 12 ", 12), ("1,234", 1234), ("12,345,678", 12345678), ("٣", 3), ("１２", 12), (0, 0)],
)
def test_a_count_is_read(value, count):
    assert read_count(value) == count


@pytest.mark.parametrize(
    "value",
    [
        "One person found this helpful",
        "12 people found this helpful",
        "1,2",
        "1,23",
        "1234,567",
        "1.234",
        "1.5",
        "3k",
        "-1",
        "",
        "²x",
        -7,
        2.5,
        2**31,
        "9" * 400,
        float("inf"),
        float("nan"),
        True,
        None,
        [3],
    ],
)
def test_what_is_no_count_is_unread(value):
    assert read_count(value) is None
