"""Bulk upsert with counts. The models are the tests' own: landing knows none, so it must fit any."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from random import Random
from threading import Barrier

import pytest
from django.apps.registry import Apps
from django.core.exceptions import FieldDoesNotExist
from django.db import IntegrityError, connection, models, transaction
from django.db.models import Q
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.landing import Landed, land

registry = Apps()  # a registry of their own keeps them out of migrations and of everybody else's flush
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Shop(models.Model):
    """A counted primary key, and every way in which a field fills itself."""

    name = models.CharField(max_length=100, unique=True)
    rank = models.IntegerField(default=7)
    colour = models.CharField(max_length=10, db_default="green")
    tags = models.JSONField(default=list)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        apps = registry
        app_label = "landing_tests"
        db_table = "shop_" + 55 * "x"  # no room for a prefix: PostgreSQL cuts names off at 63


class Item(models.Model):
    """A random primary key, a compound natural key, a column of each type, and names that need their quotes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    code = models.CharField(max_length=40)
    place = models.SlugField(max_length=10)
    title = models.TextField(default="")
    stars = models.PositiveSmallIntegerField(null=True, db_column="order")
    price = models.DecimalField(max_digits=10, decimal_places=4, null=True)
    weight = models.FloatField(null=True)
    verified = models.BooleanField(null=True)
    day = models.DateField(null=True)
    at = models.DateTimeField(null=True)
    ref = models.UUIDField(null=True)
    data = models.JSONField(null=True)
    shop = models.ForeignKey(Shop, null=True, on_delete=models.SET_NULL, related_name="+")
    first_seen_at = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField(null=True)
    last_run = models.BigIntegerField(null=True)

    class Meta:
        apps = registry
        app_label = "landing_tests"
        db_table = "Landing Test"
        constraints = [
            models.UniqueConstraint(fields=["code", "place"], name="landing_test_key"),
            models.CheckConstraint(condition=Q(stars__lte=5), name="landing_test_stars"),
        ]


@pytest.fixture(scope="session")
def tables(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        with connection.schema_editor() as editor:
            editor.create_model(Shop)
            editor.create_model(Item)
        yield
        with connection.schema_editor() as editor:
            editor.delete_model(Item)
            editor.delete_model(Shop)


@pytest.fixture
def committing(tables, transactional_db):
    yield
    Item.objects.all().delete()  # Django's flush does not know them


@pytest.fixture
def db(tables, db):
    return db


def item(code, **fields):
    return {"code": code, "place": "com", "title": "Good", "stars": 5} | fields


def land_items(rows, run=1, at=NOON, **options):
    seen = {"last_seen_at": at, "last_run": run}
    return land(Item, rows, key=["code", "place"], touch=seen, mark="last_run", first={"first_seen_at": at}, **options)


# ---- counts ---------------------------------------------------------------------------------------------------------


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


def test_an_empty_page_costs_nothing(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert land_items([]) == Landed()


# ---- what is written ------------------------------------------------------------------------------------------------


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


def test_without_a_mark_all_that_it_touches_is_the_mark(db):
    for options in ({}, {"mark": "last_run"}):  # a mark that is None, since nobody's run it was, cannot be one
        rows, at = [item(f"a{len(options)}")], {"last_seen_at": NOON, "last_run": None}
        assert land(Item, rows, key=["code", "place"], touch=at, **options) == Landed(new=1)
        assert land(Item, rows, key=["code", "place"], touch=at, **options) == Landed(duplicate=1)
        assert land(Item, rows, key=["code", "place"], touch=at | {"last_seen_at": None}, **options) == Landed(unchanged=1)


def test_it_works_without_touch_and_without_content(db):
    assert land(Item, [item("a"), item("b")], key=["code", "place"]) == Landed(new=2)
    assert land(Item, [item("a"), item("a"), item("b", stars=1)], key=["code", "place"]) == Landed(0, 1, 1, 1)
    keys = [{"code": code, "place": "com"} for code in "abc"]
    assert land(Item, keys, key=["code", "place"]) == Landed(new=1, unchanged=2)
    assert land(Item, keys, key=["code", "place"], touch={"last_run": 1}) == Landed(unchanged=3)


def test_fields_that_nobody_gives_take_their_defaults_and_keep_them(db):
    assert land(Shop, [{"name": "a"}, {"name": "b"}], key=["name"]) == Landed(new=2)
    first = list(Shop.objects.order_by("name").values())
    assert [(row["rank"], row["colour"], row["tags"]) for row in first] == [(7, "green", [])] * 2
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


TYPES = {
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


@pytest.mark.parametrize(("name", "value"), [(name, None) for name in TYPES if name != "title"] + [("data", {"a": 1}), ("at", NOON)])
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
    "100 % %s %(x)s {} '; DROP TABLE \"items\"; --",
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
def test_what_no_database_takes_is_left_out_of_text_keys_and_json(db, given, stored):
    row = item(f"k{given}", title=given, data={given: [given, {"a": given}]})
    assert land_items([row]) == Landed(new=1)
    landed = Item.objects.get()
    assert (landed.code, landed.title, landed.data) == (f"k{stored}", stored, {stored: [stored, {"a": stored}]})
    assert land_items([row], run=2) == Landed(unchanged=1)


def test_keys_that_are_equal_once_stored_are_equal(db):
    assert land_items([item("a"), item("a\0")]) == Landed(new=1, duplicate=1)


# ---- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "options", "says"),
    [
        ([{"code": "a"}], {}, "place among them"),
        ([item("a"), {"code": "b", "place": "com"}], {}, "the same fields"),
        ([item("a"), item(None)], {}, "None in its key"),
        ([item("a", last_run=3)], {}, "last_run: given in the rows and in"),
        ([item("a")], {"content": ["price"]}, "among the fields of the rows"),
        ([item("a")], {"mark": "title"}, "`mark` among"),
    ],
)
def test_rows_that_cannot_be_landed_are_refused_in_words(db, rows, options, says):
    with pytest.raises(ValueError, match=says):
        land(Item, rows, **{"key": ["code", "place"], "touch": {"last_run": 1}} | options)
    assert not Item.objects.exists()


def test_an_unknown_field_is_named(db):
    with pytest.raises(FieldDoesNotExist, match="colour"):
        land_items([item("a", colour="red")])


# ---- transactions and connections -----------------------------------------------------------------------------------


def test_a_value_that_the_database_refuses_takes_its_page_along_and_nothing_else(committing):
    land_items([item("before")])
    with pytest.raises(IntegrityError):
        land_items([item("a"), item("b", stars=6), item("before", title="Bad")], run=2)
    assert list(Item.objects.values_list("code", "title", "last_run")) == [("before", "Good", 1)]
    assert land_items([item("a")], run=2) == Landed(new=1)


def test_what_the_caller_rolls_back_is_gone_and_the_next_page_lands(committing):
    connection.close()  # so that the temporary table is made in the transaction that fails
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        assert land_items([item("a"), item("b")]) == Landed(new=2)
        raise ZeroDivisionError
    assert not Item.objects.exists()
    assert land_items([item("b"), item("c")]) == Landed(new=2)


def test_it_lands_through_a_new_connection_and_several_pages_in_one_transaction(committing):
    land_items([item("a")])
    connection.close()
    with transaction.atomic():
        assert land_items([item("a"), item("b")], run=2) == Landed(new=1, unchanged=1)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            land_items([item("c")], run=2)
            raise ZeroDivisionError
        assert land_items([item("c"), item("b")], run=2) == Landed(new=1, duplicate=1)
    assert Item.objects.count() == 3


def test_two_writers_of_the_same_keys_neither_deadlock_nor_lose_a_row(committing):
    rounds, size = 12, 300
    together = Barrier(2, timeout=30)

    def write(run):
        order, total = Random(run), Landed()
        try:
            for number in range(rounds):
                # Every other key is stored by the round before, so that the two meet in inserts as well as in updates.
                codes = [f"{code:06}" for code in range(number * size // 2, number * size // 2 + size)]
                order.shuffle(codes)
                together.wait()
                total += land_items([item(code, title=str(run)) for code in codes], run=run)
        finally:
            connection.close()
        return total

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(write, (1, 2))
    rows = (rounds + 1) * size // 2
    assert one.new + two.new == rows == Item.objects.count()
    assert sum(one.counts.values()) == sum(two.counts.values()) == rounds * size
    # Whoever came second found the other's title; a row may have been overwritten by both, and lost by none.
    assert one.changed + two.changed >= rounds * size - one.unchanged - two.unchanged - one.duplicate - two.duplicate - rows + size


# ---- all of it, against a dict --------------------------------------------------------------------------------------

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
    stored = {}
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
