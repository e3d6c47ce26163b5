"""Names of subreddits as people type or paste them."""

import pytest

from competitors.reading.subreddit import read_subreddits


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("dogs", ["dogs"]),
        ("r/dogs, /r/DogAdvice/ ; R/puppy101\nAskVet", ["dogs", "DogAdvice", "puppy101", "AskVet"]),
        ("https://www.reddit.com/r/AnxiousDogs/comments/1abc/fireworks/?sort=top", ["AnxiousDogs"]),
        ("old.reddit.com/r/dogs", ["dogs"]),
        ("\u200bdogs\u00a0", ["dogs"]),
        ("", []),
    ],
)
def test_a_subreddit_is_read_however_it_is_written(typed, expected):
    assert read_subreddits(typed) == expected


@pytest.mark.parametrize("typed", ["x", "dogs!", "u/somebody", "https://evil.example/r/dogs", "собаки", "a" * 22, "r/", "<b>"])
def test_what_names_no_subreddit_is_refused_in_words(typed):
    with pytest.raises(ValueError, match=r"is not the name of a subreddit. One is like r/dogs"):
        read_subreddits(typed)
