"""What is stored of a score is read for the pages, whoever stored it."""

import pytest

from competitors.jobs.reddit_scrape.views.why import Why
from competitors.models import RedditQuote


def why(stored: object) -> Why:
    return Why.of(RedditQuote(why=stored))


@pytest.mark.parametrize(
    "stored",
    [
        None,
        [],
        "words",
        7,
        {},
        {"words": None, "parts": 3, "other_words": [], "phrase": 1},
        {"words": [["dog"], "dog", ["dog", "0.1"], [None, 0.1], ["dog", float("nan")], {"dog": 1}], "other_words": ["x", 1]},
    ],
)
def test_what_is_no_part_of_a_score_is_left_out(stored):
    assert not why(stored) and why(stored).others == 0


def test_parts_are_read_up_to_a_limit():
    found = why({"words": [["dog" * 100, 0.5]] * 100, "other_words": [9, 0.31], "parts": [["length", 0.1]], "phrase": "p" * 999})
    assert len(found.words) == 12 and len(found.words[0][0]) == len(found.phrase) == 80
    assert (found.others, found.others_points, found.parts) == (9, 0.31, [("length", 0.1)])
