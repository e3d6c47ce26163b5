from datetime import UTC, datetime, timedelta

import pytest

from pipeline.engine.scheduling.retry import backoff, next_try

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(("tries", "minutes"), [(1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (50, 60)])
def test_backoff_doubles_up_to_an_hour(tries, minutes):
    assert backoff(tries) == timedelta(minutes=minutes)


def test_max_retries_3_means_four_tries():
    assert [next_try(tries, 3, NOW) is not None for tries in (1, 2, 3, 4)] == [True, True, True, False]


def test_a_later_time_that_the_upstream_asked_for_is_obeyed():
    assert next_try(1, 3, NOW, NOW + timedelta(hours=2)) == NOW + timedelta(hours=2)
    assert next_try(1, 3, NOW, NOW + timedelta(seconds=1)) == NOW + timedelta(minutes=5)
