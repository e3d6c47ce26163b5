"""Counts of new, changed, unchanged and duplicate rows: examples, and a comparison with a dict."""

from collections import Counter
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


def test_the_same_page_again_is_unchanged(db):
    land_items([item("a"), item("b")])
    assert land_items([item("a"), item("b")]) == Landed(unchanged=2)


@pytest.mark.only_on("postgresql")
def test_a_row_with_this_content_and_all_touched_values_is_not_written_again(committing):
    def versions() -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT xmin FROM {connection.ops.quote_name(Item._meta.db_table)}")
            return cursor.fetchall()

    land_items([item("a"), item("b")])
    before = versions()
    land_items([item("a"), item("b")])
    assert versions() == before
    land_items([item("a"), item("b")], run=2)
    assert versions() != before


def test_of_equal_keys_in_a_page_the_last_wins_and_the_others_are_duplicates(db):
    assert land_items([item("a", title="1"), item("a", title="2"), item("b"), item("a", title="3")]) == Landed(new=2, duplicate=2)
    assert Item.objects.get(code="a").title == "3"


def test_it_names_what_became_of_each_row(db):
    land_items([item("a"), item("b")])
    landed = land_items([item("a"), item("b", title="Bad"), item("c"), item("c")], run=2)
    assert {key.split("\x1f")[1]: became for key, became in landed.rows.items()} == {"a": "unchanged", "b": "changed", "c": "new"}
    again = land_items([item("c")], run=2)
    assert again.rows.keys() < landed.rows.keys()


def test_the_key_is_compound_and_its_order_among_the_fields_is_free(db):
    rows = [{"title": "", "place": place, "stars": 1, "code": code} for code in "ab" for place in ("com", "de")]
    assert land_items(rows) == Landed(new=4)
    assert land(Item, rows, key=["place", "code"]) == Landed(unchanged=4)


def test_empty_equals_empty_and_differs_from_everything_else(db):
    land_items([item("a", stars=None), item("b", stars=None), item("c", stars=1)])
    rows = [item("a", stars=None), item("b", stars=1), item("c", stars=None)]
    assert land_items(rows, run=2) == Landed(changed=2, unchanged=1)
    assert dict(Item.objects.values_list("code", "stars")) == {"a": None, "b": 1, "c": None}


@pytest.mark.parametrize("size", [1, 500])
def test_a_page_costs_a_few_statements_whatever_its_size(db, size):
    rows = [item(str(number)) for number in range(size)]
    for run in (1, 2):
        with transaction.atomic(), CaptureQueriesContext(connection) as statements:
            land_items(rows, run=run)
        assert len(statements) <= 6


@pytest.mark.only_on("sqlite")
def test_stored_rows_are_looked_up_by_their_key_whatever_sqlite_knows_of_the_tables(db):
    land_items([item("a"), item("b")])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        # Fewer than it believes the staging table to have.
        cursor.execute("UPDATE sqlite_stat1 SET stat = '500000 1' || substr(stat, 4) WHERE tbl = %s", [Item._meta.db_table])
        cursor.execute("ANALYZE sqlite_schema")
        with CaptureQueriesContext(connection) as statements:
            land_items([item("a"), item("b", title="Bad")], run=2)
        joins = [one["sql"] for one in statements if "AS staged" in one["sql"]]
        plans = []
        for sql in joins:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            plans.append(" / ".join(step for *_, step in cursor.fetchall()))
    assert len(plans) == 2
    assert all("SCAN staged / SEARCH stored" in plan and plan.count("SCAN") == 1 and "BLOOM" not in plan for plan in plans), plans


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
        expected = dict.fromkeys(("new", "changed", "unchanged", "duplicate"), 0)
        distinct = {(row["code"], row["place"]): row for row in rows}
        expected["duplicate"] = len(rows) - len(distinct)
        for key, row in distinct.items():
            before = stored.get(key)
            if before is None:
                expected["new"] += 1
            elif before["row"] != row:
                expected["changed"] += 1
            else:
                expected["unchanged"] += 1
            stored[key] = {"row": row, "run": run, "first": before["first"] if before else number, "last": number}
        landed = land_items(rows, run=run, at=NOON + timedelta(minutes=number))
        assert landed == Landed(**expected)
        assert Counter(landed.rows.values()) == +Counter({name: expected[name] for name in ("new", "changed", "unchanged")})
    for row in Item.objects.values():
        kept = stored.pop((row["code"], row["place"]))
        assert {name: row[name] for name in kept["row"]} == kept["row"]
        assert row["last_run"] == kept["run"]
        assert row["first_seen_at"] == NOON + timedelta(minutes=kept["first"])
        assert row["last_seen_at"] == NOON + timedelta(minutes=kept["last"])
    assert not stored
