"""Counts of new, changed, unchanged and duplicate rows: examples, and a comparison with a dict."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.contract.landing import Landed, land

from .rows import NOON, Item, item, land_items


def test_it_tells_new_from_changed_from_unchanged(db):
    assert land_items([item("a"), item("b"), item("c")]) == Landed(new=3)
    assert land_items([item("a"), item("b", title="Bad"), item("d")], run=2) == Landed(new=1, changed=1, unchanged=1)
    assert dict(Item.objects.values_list("code", "title")) == {"a": "Good", "b": "Bad", "c": "Good", "d": "Good"}


def test_the_same_page_again_in_the_same_run_is_all_duplicates_and_writes_nothing(db):
    land_items([item("a"), item("b")])
    assert land_items([item("a"), item("b")], at=NOON + timedelta(hours=1)) == Landed(duplicate=2)
    assert set(Item.objects.values_list("last_seen_at", flat=True)) == {NOON}


def test_of_equal_keys_in_a_page_the_last_wins_and_the_others_are_duplicates(db):
    assert land_items([item("a", title="1"), item("a", title="2"), item("b"), item("a", title="3")]) == Landed(new=2, duplicate=2)
    assert Item.objects.get(code="a").title == "3"


def test_a_run_that_finds_another_version_on_a_later_page_has_changed_the_row(db):
    land_items([item("a", title="1")])
    assert land_items([item("a", title="2")]) == Landed(changed=1)


def test_the_key_is_compound_and_its_order_among_the_fields_is_free(db):
    rows = [{"title": "", "place": place, "stars": 1, "code": code} for code in "ab" for place in ("com", "de")]
    assert land_items(rows) == Landed(new=4)
    assert land(Item, rows, key=["place", "code"]) == Landed(unchanged=4)


def test_empty_equals_empty_and_differs_from_everything_else(db):
    land_items([item("a", stars=None), item("b", stars=None), item("c", stars=1)])
    rows = [item("a", stars=None), item("b", stars=1), item("c", stars=None)]
    assert land_items(rows, run=2) == Landed(changed=2, unchanged=1)
    assert dict(Item.objects.values_list("code", "stars")) == {"a": None, "b": 1, "c": None}


def test_pages_add_up():
    assert sum([Landed(1, 2, 3, 4), Landed(new=1)], Landed()) == Landed(2, 2, 3, 4)
    assert Landed(1, 2, 3, 4).counts == {"new": 1, "changed": 2, "unchanged": 3, "duplicate": 4}


@pytest.mark.parametrize("size", [1, 500])
def test_a_page_costs_a_few_statements_whatever_its_size(db, size):
    rows = [item(str(number)) for number in range(size)]
    for run in (1, 2):
        with transaction.atomic(), CaptureQueriesContext(connection) as statements:
            land_items(rows, run=run)
        assert len(statements) <= 5


def test_an_empty_page_costs_nothing(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert land_items([]) == Landed()


pages = st.lists(
    st.tuples(
        st.integers(1, 3),  # the run
        st.lists(
            st.fixed_dictionaries(
                {
                    "code": st.sampled_from("abcde"),
                    "place": st.sampled_from(["com", "de"]),
                    "title": st.sampled_from(["", "Good", "good", "Gut 👍"]),
                    "stars": st.none() | st.integers(1, 2),
                    "data": st.none() | st.dictionaries(st.sampled_from("xy"), st.none() | st.integers(0, 1), max_size=2),
                }
            ),
            max_size=12,
        ),
    ),
    max_size=6,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pages=pages)
def test_it_agrees_with_a_dict(db, pages):
    Item.objects.all().delete()
    stored: dict[tuple[str, str], dict[str, Any]] = {}
    for number, (run, rows) in enumerate(pages):
        expected = dict.fromkeys(Landed().counts, 0)
        distinct = {(row["code"], row["place"]): row for row in rows}
        expected["duplicate"] = len(rows) - len(distinct)
        for key, row in distinct.items():
            before = stored.get(key)
            if before is None:
                expected["new"] += 1
            elif before["row"] != row:
                expected["changed"] += 1
            elif before["run"] != run:
                expected["unchanged"] += 1
            else:
                expected["duplicate"] += 1
                continue
            stored[key] = {"row": row, "run": run, "first": before["first"] if before else number, "last": number}
        assert land_items(rows, run=run, at=NOON + timedelta(minutes=number)).counts == expected
    for row in Item.objects.values():
        kept = stored.pop((row["code"], row["place"]))
        assert {name: row[name] for name in kept["row"]} == kept["row"]
        assert row["last_run"] == kept["run"]
        assert row["first_seen_at"] == NOON + timedelta(minutes=kept["first"])
        assert row["last_seen_at"] == NOON + timedelta(minutes=kept["last"])
    assert not stored
