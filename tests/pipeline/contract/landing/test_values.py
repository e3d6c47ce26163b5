"""Values are stored and read back unchanged, on both databases."""

import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from pipeline.contract.landing import Landed

from .rows import NOON, Item, item, land_items

TYPES: dict[str, Any] = {
    "price": Decimal("12.5"),
    "weight": 0.1,
    "verified": False,
    "day": date(2025, 7, 4),
    "at": datetime(2025, 7, 4, 23, 59, 59, 123456, tzinfo=timezone(timedelta(hours=-7))),
    "ref": uuid.UUID(int=5),
    "data": {"b": [1, None, True, {"ü": "👍"}], "a": "x\\y\t\n\"'"},
    "title": "",
    "stars": 0,
}


def test_each_type_comes_back_as_it_went_and_is_unchanged_the_next_time(db):
    land_items([item("full", **TYPES), item("empty", **dict.fromkeys(TYPES.keys() - {"title"}))])
    full, empty = Item.objects.get(code="full"), Item.objects.get(code="empty")
    assert {name: getattr(full, name) for name in TYPES} == TYPES
    assert {getattr(empty, name) for name in TYPES.keys() - {"title"}} == {None}
    again = TYPES | {"data": dict(reversed(TYPES["data"].items())), "ref": str(TYPES["ref"]), "at": TYPES["at"].astimezone(UTC)}
    assert land_items([item("full", **again)], run=2) == Landed(unchanged=1)


@pytest.mark.parametrize(
    ("name", "value"), [(name, None) for name in TYPES if name != "title"] + [("data", {"a": 1}), ("at", NOON)]
)
def test_a_difference_in_any_type_is_a_change(db, name, value):
    land_items([item("a", **TYPES)])
    assert land_items([item("a", **TYPES | {name: value})], run=2) == Landed(changed=1)
    assert getattr(Item.objects.get(), name) == value


TEXTS = [
    "👩‍👩‍👧‍👦 🤷🏽‍♀️ ✔️",
    "ü" * 5000,
    "tab\there, backslash \\ and \\\\, line\nbreak, carriage\r\nreturn",
    "\\.",
    "\n\\.\n",
    "\\N",
    "NULL",
    """100 % %s %(x)s {} '; DROP TABLE "items"; --""",
    "\ufeffbegins with a mark, ends with \uffff",
    "\x01\x07\x1b\x7f\x85\u2028",
    "  spaces  ",
    "עברית e\u0301",
    "",
]


def test_text_survives_unharmed(db):
    land_items([item(str(number), title=text) for number, text in enumerate(TEXTS)])
    stored = dict(Item.objects.values_list("code", "title"))
    assert [stored[str(number)] for number in range(len(TEXTS))] == TEXTS
    assert land_items([item(str(number), title=text) for number, text in enumerate(TEXTS)], run=2) == Landed(unchanged=len(TEXTS))


@pytest.mark.parametrize(
    ("given", "stored"),
    [("a\0b\0", "ab"), ("\0", ""), ("half \ud83d pair", "half \ufffd pair"), ("\ud83d\ude00", "😀"), ("ü\0\udc00", "ü\ufffd")],
)
def test_characters_that_the_databases_refuse_are_dropped_from_text_keys_and_json(db, given, stored):
    row = item(f"k{given}", title=given, data={given: [given, {"a": given}]})
    assert land_items([row]) == Landed(new=1)
    landed = Item.objects.get()
    assert (landed.code, landed.title, landed.data) == (f"k{stored}", stored, {stored: [stored, {"a": stored}]})
    assert land_items([row], run=2) == Landed(unchanged=1)


def test_keys_that_are_equal_once_stored_are_equal(db):
    assert land_items([item("a"), item("a\0")]) == Landed(new=1, duplicate=1)


def test_keys_that_are_too_long_stay_different_rows(db):
    codes = ["x" * 50 + "a", "x" * 50 + "b", "\0" * 50 + "x" * 41, "x" * 40]
    assert land_items([item(code) for code in codes]) == Landed(new=4)
    assert land_items([item(code) for code in codes], run=2) == Landed(unchanged=4)
    assert {len(code) for code in Item.objects.values_list("code", flat=True)} == {40}
