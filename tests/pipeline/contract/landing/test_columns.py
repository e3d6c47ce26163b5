"""Which columns are written when, and which rows are refused."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import FieldDoesNotExist
from django.db import connection

from pipeline.contract.landing import Landed, land

from .rows import KEY, NOON, Item, Shop, item, land_items


def test_every_row_met_is_touched_and_first_seen_never_changes(db):
    later = NOON + timedelta(days=1)
    land_items([item("same"), item("other"), item("gone")])
    land_items([item("same"), item("other", title="Bad"), item("new")], run=2, at=later)
    seen = {row.code: (row.first_seen_at, row.last_seen_at, row.last_run) for row in Item.objects.all()}
    assert seen == {"same": (NOON, later, 2), "other": (NOON, later, 2), "gone": (NOON, NOON, 1), "new": (later, later, 2)}


def test_only_the_named_content_makes_a_row_changed(db):
    land_items([item("a", stars=1), item("b", stars=1)], content=["title"])
    rows = [item("a", stars=2), item("b", stars=2, title="Bad")]
    assert land_items(rows, run=2, content=["title"]) == Landed(changed=1, unchanged=1)
    assert dict(Item.objects.values_list("code", "stars")) == {"a": 1, "b": 2}


def test_a_row_from_later_stays_as_it_is(db):
    earlier = NOON - timedelta(days=1)
    land_items([item("a"), item("b")], age="last_seen_at")
    landed = land_items([item("a", title="Bad"), item("b"), item("c")], run=2, at=earlier, age="last_seen_at")
    assert landed == Landed(new=1, unchanged=2)
    seen = {row.code: (row.title, row.last_seen_at, row.last_run) for row in Item.objects.all()}
    assert seen == {"a": ("Good", NOON, 1), "b": ("Good", NOON, 1), "c": ("Good", earlier, 2)}
    assert land_items([item("a", title="Bad")], run=3, age="last_seen_at") == Landed(changed=1)


def test_a_row_of_unknown_age_is_written(db):
    land(Item, [item("a")], key=KEY, touch={"last_seen_at": None})
    assert land_items([item("a", title="Bad")], age="last_seen_at") == Landed(changed=1)


def test_an_absent_value_never_replaces_a_stored_one_and_is_no_difference(db):
    keep = {"keep_absent": ["title", "stars", "price"]}
    land_items([item("a", price=Decimal("1.5")), item("b", price=None), item("c", title="", price=None)], **keep)
    absent = {"title": "", "stars": None, "price": None}
    rows = [item("a", **absent), item("b", price=Decimal(2), title="", stars=None), item("c", price=None), item("d", **absent)]
    assert land_items(rows, run=2, **keep) == Landed(new=1, changed=2, unchanged=1)
    found = Item.objects.values_list("code", "title", "stars", "price", "last_run").order_by("code")
    assert list(found) == [
        ("a", "Good", 5, Decimal("1.5"), 2),
        ("b", "Good", 5, Decimal(2), 2),
        ("c", "Good", 5, None, 2),
        ("d", "", None, None, 2),
    ]
    assert land_items([item("a", title="", stars=0, price=Decimal(0))], run=3, **keep) == Landed(changed=1), "0 is a value"
    assert Item.objects.filter(code="a", title="Good", stars=0, price=0).exists()
    land_items([item("b", **absent)], run=4)
    assert Item.objects.filter(code="b", title="", stars=None, price=None).exists(), "only where it is asked for"


def test_it_works_without_touch_and_without_content(db):
    assert land(Item, [item("a"), item("b")], key=KEY) == Landed(new=2)
    assert land(Item, [item("a"), item("a"), item("b", stars=1)], key=KEY) == Landed(0, 1, 1, 1)
    keys = [{"code": code, "place": "com"} for code in "abc"]
    assert land(Item, keys, key=KEY) == Landed(new=1, unchanged=2)
    assert land(Item, keys, key=KEY, touch={"last_run": 1}) == Landed(unchanged=3)


def test_missing_fields_take_their_defaults_and_keep_them(db):
    assert land(Shop, [{"name": "a"}, {"name": "b"}], key=["name"]) == Landed(new=2)
    first = list(Shop.objects.order_by("name").values())
    assert [(row["rank"], row["color"], row["tags"]) for row in first] == [(7, "green", [])] * 2
    assert all(row["id"] and row["made_at"] for row in first)
    assert land(Shop, [{"name": "a"}, {"name": "b"}], key=["name"]) == Landed(unchanged=2)
    assert list(Shop.objects.order_by("name").values()) == first
    land_items([item("a"), item("b")])
    assert len(set(Item.objects.values_list("pk", flat=True))) == 2


def test_relations_go_by_primary_key(db):
    shop = Shop.objects.create(name="a")
    for name in ("shop", "shop_id"):
        land_items([item(name) | {name: shop.pk}])
    assert Item.objects.filter(shop=shop).count() == 2


@pytest.mark.parametrize(
    ("rows", "options", "says"),
    [
        ([{"code": "a"}], {}, "place among them"),
        ([item("a"), {"code": "b", "place": "com"}], {}, "the same fields"),
        ([item("a"), item(None)], {}, "None in its key"),
        ([item("a", last_run=3)], {}, "last_run: given in the rows and in"),
        ([item("a")], {"content": ["price"]}, "among the fields of the rows"),
        ([item("a")], {"keep_absent": ["price"]}, "among the fields of the rows"),
        ([item("a")], {"age": "title"}, "`age` among"),
    ],
)
def test_rows_that_cannot_be_landed_are_refused_with_an_explanation(db, rows, options, says):
    with pytest.raises(ValueError, match=says):
        land(Item, rows, **{"key": KEY, "touch": {"last_run": 1}} | options)
    assert not Item.objects.exists()


def test_an_unknown_field_is_named(db):
    with pytest.raises(FieldDoesNotExist, match="color"):
        land_items([item("a", color="red")])


@pytest.mark.only_on("postgresql")
def test_code_that_is_older_than_a_column_lands_in_it(db):
    """Workers go on while a migration widens it. The other database has no types that a value could miss."""
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE "{Item._meta.db_table}" ALTER COLUMN "order" TYPE bigint')
    assert land_items([item("a", stars=4)]) == Landed(new=1)
    assert Item.objects.get().stars == 4
