"""Heavy requests take turns: who is at work, who waits, and who is refused."""

from contextlib import ExitStack
from threading import Barrier, Thread

import pytest

from pipeline.contract.site.turns import Turns
from tests.processes import until


@pytest.fixture
def others():
    """Ends the turns that a test leaves open."""
    with ExitStack() as stack:
        yield stack


def asked(turns, others, *people):
    return [others.enter_context(turns.turn(one)) for one in people]


def test_no_more_work_than_may_at_once_and_one_person_less(others):
    assert asked(Turns(3, of_one=2), others, "ann", "ann", "ann", "ben", "cay") == [True, True, False, True, False]


def test_a_turn_that_ended_even_by_an_error_is_the_next_ones():
    turns = Turns(1, of_one=1)
    with pytest.raises(ZeroDivisionError), turns.turn("ann"):
        raise ZeroDivisionError
    for _ in range(2):
        with turns.turn("ben") as came:
            assert came


def test_who_was_refused_gives_nothing_back(others):
    assert asked(Turns(1, of_one=1), others, "ann", "ann", "ann") == [True, False, False]


def wait_in_threads(turns, people, came):
    def one(who):
        with turns.turn(who) as mine:
            came.append((who, mine))

    threads = [Thread(target=one, args=(who,)) for who in people]
    for thread in threads:
        thread.start()
    return threads


def test_some_wait_for_their_turn_but_of_one_person_only_half():
    turns = Turns(1, of_one=1, waiting=4, seconds=300)
    came: list[tuple[str, bool]] = []
    with turns.turn("ann"):
        waiting = wait_in_threads(turns, ["ann"] * 3, came)
        until(lambda: came == [("ann", False)], "the third of the same person to be refused")
        waiting += wait_in_threads(turns, ["ben", "cay"], came)
        until(lambda: turns._waiting.total() == 4, "both others to wait")
        assert asked(turns, ExitStack(), "dot") == [False]
    for thread in waiting:
        thread.join(30)
        assert not thread.is_alive(), "the end of a turn wakes those who wait"
    assert sorted(came) == [("ann", False), ("ann", True), ("ann", True), ("ben", True), ("cay", True)]


def test_waiting_ends():
    turns = Turns(1, of_one=1, waiting=2, seconds=0.01)
    with turns.turn("ann"), turns.turn("ben") as came:
        assert not came
    with turns.turn("ben") as came:
        assert came


def test_two_work_at_the_same_time():
    turns, both = Turns(2, of_one=1), Barrier(2, timeout=30)

    def work(who):
        with turns.turn(who) as came:
            assert came
            both.wait()

    threads = [Thread(target=work, args=(who,)) for who in ("ann", "ben")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not both.broken


def test_whoever_has_left_is_forgotten():
    turns = Turns(1, of_one=1, waiting=2, seconds=0.01)
    with turns.turn("ann"), turns.turn("ben"):
        assert turns._at_work == {"ann": 1}
    assert (len(turns._at_work), len(turns._waiting)) == (0, 0)
