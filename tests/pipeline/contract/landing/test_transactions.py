"""A page lands whole or not at all, also over lost connections and beside others that land the same rows."""

from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Barrier

import pytest
from django.db import DataError, IntegrityError, connection, transaction

from pipeline.contract.landing import Landed, _Page, land

from .rows import KEY, Item, item, land_items


def test_a_value_that_the_database_refuses_rejects_its_page_and_nothing_else(committing):
    land_items([item("before")])
    with pytest.raises(IntegrityError):
        land_items([item("a"), item("b", stars=6), item("before", title="Bad")], run=2)
    assert list(Item.objects.values_list("code", "title", "last_run")) == [("before", "Good", 1)]
    assert land_items([item("a")], run=2) == Landed(new=1)


@pytest.mark.only_on("postgresql")
@pytest.mark.parametrize("beyond", [{"stars": 2**15}, {"stars": 2**16 + 1}, {"stars": -(2**16)}, {"last_run": 2**64 + 1}])
def test_a_number_that_is_too_large_for_its_column_is_refused_and_never_becomes_another(committing, beyond):
    with pytest.raises(DataError, match="out of range"):
        land(Item, [item("a") | beyond], key=KEY)
    assert not Item.objects.exists()


class Crash(Exception):
    pass


def land_and_crash(rows, **options):
    with transaction.atomic():
        assert len(land_items(rows, **options).rows) == len(rows)
        raise Crash


def test_what_the_caller_rolls_back_is_gone_and_the_next_page_lands(committing):
    connection.close()  # so that the temporary table is made in the transaction that fails
    with pytest.raises(Crash):
        land_and_crash([item("a"), item("b")])
    assert not Item.objects.exists()
    assert land_items([item("b"), item("c")]) == Landed(new=2)


def test_it_lands_through_a_new_connection_and_several_pages_in_one_transaction(committing):
    land_items([item("a")])
    connection.close()
    with transaction.atomic():
        assert land_items([item("a"), item("b")], run=2) == Landed(new=1, unchanged=1)
        with pytest.raises(Crash):
            land_and_crash([item("c")], run=2)
        assert land_items([item("c"), item("b")], run=2) == Landed(new=1, unchanged=1)
    assert Item.objects.count() == 3


@pytest.mark.only_on("postgresql")
def test_a_row_that_is_deleted_between_the_statements_is_inserted_again(committing, monkeypatch):
    land(Item, [item("a"), item("b")], key=KEY)
    written = _Page.written

    def write_and_lose_a_row(*arguments):
        found = written(*arguments)
        Item.objects.filter(code="a", title="Good").delete()
        return found

    monkeypatch.setattr(_Page, "written", write_and_lose_a_row)
    assert land(Item, [item("a", title="Bad"), item("b"), item("b")], key=KEY) == Landed(new=1, unchanged=1, duplicate=1)
    assert dict(Item.objects.values_list("code", "title")) == {"a": "Bad", "b": "Good"}


def in_thread(work, *arguments):
    try:
        return work(*arguments)
    finally:
        connection.close()


def test_a_landing_waits_for_another_of_the_same_rows_and_then_counts_correctly(committing):
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            land_items([item("a"), item("b"), item("c")])
            other = pool.submit(in_thread, land_items, [item("d"), item("c", title="Bad"), item("b")], 2)
            with pytest.raises(TimeoutError):
                other.result(timeout=0.3)
        assert other.result(timeout=30) == Landed(new=1, changed=1, unchanged=1)
    assert dict(Item.objects.values_list("code", "last_run")) == {"a": 1, "b": 2, "c": 2, "d": 2}


def test_two_that_land_the_same_keys_in_any_order_neither_deadlock_nor_lose_a_row(committing):
    rounds, size = 12, 300
    together = Barrier(2, timeout=30)

    def write(run):
        order, new, met = Random(run), 0, 0
        for number in range(rounds):
            # The round before stored half of the keys, so that the two meet in updates as well as in inserts.
            codes = [f"{number * size // 2 + code:06}" for code in range(size)]
            order.shuffle(codes)
            together.wait()
            landed = land_items([item(code, title=str(run)) for code in codes], run=run)
            new, met = new + landed.new, met + len(landed.rows)
        return new, met

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(in_thread, (write, write), (1, 2))
    assert one[0] + two[0] == Item.objects.count() == (rounds + 1) * size // 2
    assert one[1] == two[1] == rounds * size
