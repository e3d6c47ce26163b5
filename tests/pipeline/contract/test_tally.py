"""The counts of a run: each row once, against what was stored before the run."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.tally import Tally


@pytest.mark.parametrize(
    ("first", "second", "counted"),
    [
        ("new", "unchanged", "new"),
        ("new", "changed", "new"),
        ("changed", "unchanged", "changed"),
        ("unchanged", "changed", "changed"),
        ("unchanged", "unchanged", "unchanged"),
        ("unchanged", "new", "new"),  # somebody deleted it in between
    ],
)
@pytest.mark.parametrize("same_start", [True, False])
def test_a_row_counts_once_by_the_most_that_became_of_it(first, second, counted, same_start):
    tally = Tally()
    assert tally.add({"a": first}) == 0
    if not same_start:
        tally.next_start()
    assert tally.add({"a": second}) == same_start
    assert tally.counts == {counted: 1}


def test_a_mark_counts_once_under_its_own_name_and_is_no_row():
    tally = Tally()
    tally.add({"a": "new", "a without a date": "no_date", "b": "new"})
    assert tally.add({"a": "unchanged", "a without a date": "no_date"}) == 1
    tally.next_start()
    tally.add({"a": "unchanged", "a without a date": "no_date"})
    assert tally.counts == {"new": 2, "no_date": 1}


page = st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["new", "changed", "unchanged"]), max_size=4)
starts = st.lists(st.lists(page, max_size=3), max_size=3)


@settings(max_examples=50, deadline=None)
@given(starts=starts)
def test_the_three_counts_add_up_to_the_different_rows_and_duplicates_are_of_one_start(starts):
    tally, duplicates, met = Tally(), 0, 0
    for pages in starts:
        tally.next_start()
        for page in pages:
            before = sum(tally.counts.values())
            duplicates += tally.add(page)
            assert sum(tally.counts.values()) >= before
        met += sum(map(len, pages)) - len({key for page in pages for key in page})
    assert sum(tally.counts.values()) == len({key for pages in starts for page in pages for key in page})
    assert duplicates == met
