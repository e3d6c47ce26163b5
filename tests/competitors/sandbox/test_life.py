"""The life of a run at chosen moments, without a clock."""

import math

import pytest

from competitors.sandbox.life import Life


def statuses(life: Life, *moments: float) -> list[str]:
    return [life.status(moment) for moment in moments]


def test_a_plain_run_is_ready_then_running_then_done() -> None:
    life = Life(began=100, ready=1, work=9)
    assert statuses(life, 100, 101, 109.9, 110) == ["READY", "RUNNING", "RUNNING", "SUCCEEDED"]
    assert [life.done(moment) for moment in (100.5, 101, 105.5, 200)] == [0, 0, 0.5, 1]
    assert life.ends == 110


def test_a_timeout_goes_through_timing_out() -> None:
    life = Life(began=0, ready=1, work=9, timeout=5, closing=2)
    assert statuses(life, 4.9, 5, 6.9, 7) == ["RUNNING", "TIMING-OUT", "TIMING-OUT", "TIMED-OUT"]
    assert life.done(100) == pytest.approx(4 / 9)


def test_a_run_that_is_done_in_time_is_not_touched_by_its_timeout() -> None:
    assert Life(began=0, ready=1, work=4, timeout=5, closing=2).status(60) == "SUCCEEDED"


@pytest.mark.parametrize("moment", [0.5, 3, 5.5])
def test_it_can_be_aborted_while_ready_running_or_timing_out(moment: float) -> None:
    life = Life(began=0, ready=1, work=9, timeout=5, closing=2)
    assert life.abort(moment, closing=1)
    assert statuses(life, moment, moment + 0.9, moment + 1) == ["ABORTING", "ABORTING", "ABORTED"]


def test_a_second_abort_and_one_after_the_end_do_nothing() -> None:
    life = Life(began=0, ready=1, work=9)
    assert life.abort(5, closing=1)
    assert not life.abort(5.5, closing=1)
    assert life.ends == 6
    done = Life(began=0, ready=1, work=9)
    assert not done.abort(11, closing=1)
    assert done.status(12) == "SUCCEEDED"


def test_a_run_that_never_ends_outlives_its_timeout() -> None:
    life = Life(began=0, ready=1, work=9, timeout=5, never_ends=True)
    assert life.status(1e9) == "RUNNING"
    assert life.ends == math.inf
    life.abort(1e9, closing=0)
    assert life.status(1e9) == "ABORTED"


def test_a_run_that_never_starts_stays_ready() -> None:
    assert Life(began=0, ready=1, work=9, never_starts=True).status(1e9) == "READY"


def test_finishing_brings_the_planned_end_at_once() -> None:
    life = Life(began=0, ready=1, work=9, ending="FAILED", never_ends=True)
    life.finish(3)
    assert (life.status(3), life.done(3), life.ends) == ("FAILED", 1, 3)
    ready = Life(began=0, ready=1, work=9)
    ready.finish(0.5)
    assert (ready.status(0.5), ready.done(0.5)) == ("SUCCEEDED", 1)


def test_it_knows_when_its_status_may_change_next() -> None:
    life = Life(began=0, ready=1, work=9)
    assert [life.next_change(moment) for moment in (0, 1, 10)] == [1, 10, math.inf]
