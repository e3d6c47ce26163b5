"""What a scrape brought, in words."""

import pytest

from competitors.outcome import in_words, require_success
from pipeline.contract import TransientError
from pipeline.models import UpstreamRun


def upstream(status, message=""):
    return UpstreamRun(source="apify", status=status, message=message)


def test_duplicates_and_rejected_items_are_named_only_if_there_are_any():
    assert in_words({"new": 1840, "unchanged": 2}) == "1,840 new, 0 changed, 2 unchanged."
    assert in_words({"new": 1, "duplicate": 3, "rejected": 2}) == "1 new, 0 changed, 0 unchanged, 3 duplicates, 2 rejected."


@pytest.mark.parametrize(
    ("status", "totals", "words"),
    [
        ("failed", {"unchanged": 648}, "Apify's run failed. 648 reviews saved."),
        ("aborted", {"new": 2, "changed": 1}, "Apify's run was aborted. 3 reviews saved."),
        ("timed_out", {}, "Apify's run timed out. It had found no reviews."),
    ],
)
def test_an_upstream_run_that_failed_says_what_is_saved(status, totals, words):
    with pytest.raises(TransientError) as error:
        require_success(upstream(status), totals, "review")
    assert str(error.value) == words


def test_an_upstream_run_that_succeeded_is_no_error():
    require_success(upstream("succeeded"), {"new": 1}, "review")
