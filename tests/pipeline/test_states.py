"""States can be told apart without seeing colors."""

import re
from collections import defaultdict

import pytest

from pipeline import states
from pipeline.states import Badge
from tests.architecture.tree import text

BADGES = [one for one in vars(states).values() if isinstance(one, Badge)]
# These stand in lists of their own, so shapes differ within a group.
OF_RUNS = [
    states.QUEUED,
    states.RETRY,
    states.RUNNING,
    states.WAITING,
    states.COMPLETED,
    states.CHECK,
    states.FAILED,
    states.CANCELLED,
]
OF_MESSAGES = [states.SENT, states.QUEUED, states.RETRY, states.FAILED]
OF_DATA = [states.FRESH, states.LATE, states.STALE, states.NEVER, states.ON_TRACK]


def test_every_badge_is_in_a_group():
    assert set(OF_RUNS + OF_MESSAGES + OF_DATA) == set(BADGES)


@pytest.mark.parametrize("group", [OF_RUNS, OF_MESSAGES, OF_DATA, list(states.OUTCOMES.values())])
def test_states_that_stand_side_by_side_differ_in_word_and_shape(group):
    assert len({badge.word for badge in group}) == len(group)
    assert len({badge.icon for badge in group}) == len(group)
    drawn = dict(re.findall(r'<symbol id="i-(\w+)"[^>]*>(.*?)</symbol>', text("templates/_icons.html")))
    assert len({drawn[badge.icon] for badge in group}) == len(group)


def test_a_color_never_stands_for_two_states_with_one_word():
    """A red badge and a green one are never told apart by color alone."""
    by_look = defaultdict(set)
    for badge in [*BADGES, *states.OUTCOMES.values()]:
        by_look[badge.word, badge.icon].add(badge.tone)
    assert [look for look, tones in by_look.items() if len(tones) > 1] == []
