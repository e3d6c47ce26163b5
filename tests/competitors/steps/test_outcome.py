"""What a scrape brought, in words."""

from collections import Counter

import pytest

from competitors.steps.outcome import in_words, judge, require_success, with_unread
from pipeline.contract import Done, Ingested, TransientError
from pipeline.models import UpstreamRun
from pipeline.queries import History


def upstream(status, message=""):
    return UpstreamRun(source="apify", status=status, message=message, max_items=5000)


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


SEEN = {"raw": 20, "new": 15, "duplicate": 5}
NOTHING: dict[str, int] = {}
HAD_ROWS = History(runs=1, had_rows=True)


def judged(counts, known=History(), message="", capped=False, before=NOTHING, read=0, **options):  # noqa: B008
    run = UpstreamRun(source="apify", status="succeeded", message=message, capped=capped, max_items=5000, read_offset=read)
    rows = {"new", "changed", "unchanged"}
    start = Counter({name: count for name, count in counts.items() if name not in rows})
    done = judge(run, Ingested(Counter(counts) + Counter(before), start), known, row="ad", **options)
    return done.verdict, done.reason


def test_a_result_with_rows_is_ok():
    assert judged(SEEN) == ("ok", "")
    assert judged(SEEN, HAD_ROWS) == ("ok", "")


@pytest.mark.parametrize("empty", [{}, {"declared_empty": True}, {"empty_is_plausible": True}])
@pytest.mark.parametrize("items", [NOTHING, {"raw": 1, "rejected": 1, "says_empty": 1}])
def test_empty_where_accepted_runs_had_rows_is_suspicious_whoever_declares_it(empty, items):
    assert judged(items, HAD_ROWS, **empty) == ("suspicious", "Apify found no ads. Earlier runs found some.")


def test_without_such_a_history_empty_is_what_the_source_says():
    assert judged(NOTHING, declared_empty=True) == ("ok", "Apify found no ads.")
    assert judged({"raw": 1, "rejected": 1, "says_empty": 1}) == ("ok", "Apify found no ads.")
    assert judged(NOTHING, History(runs=3, usual=0.0), declared_empty=True) == ("ok", "Apify found no ads.")


def test_without_such_a_history_an_undeclared_empty_follows_the_type():
    assert judged(NOTHING, empty_is_plausible=True) == ("ok", "Apify found no ads.")
    assert judged(NOTHING)[0] == "suspicious"


@pytest.mark.parametrize("known", [History(), HAD_ROWS])
@pytest.mark.parametrize("said", [0, 1])
def test_items_that_came_and_could_not_be_read_are_suspicious(known, said):
    items = {"raw": 50, "rejected": 50, "says_empty": said}
    verdict, reason = judged(items, known, declared_empty=True, empty_is_plausible=True)
    assert verdict == "suspicious"
    assert reason == "None of the 50 items could be read as an ad. They are kept. Apify may have changed its format."


@pytest.mark.parametrize("items", [NOTHING, {"raw": 50, "rejected": 50}])
def test_rows_of_a_failed_start_do_not_make_an_empty_one_plausible(items):
    assert judged(items, before={"new": 373}, declared_empty=True)[0] == "suspicious"


@pytest.mark.parametrize(
    ("found", "usual", "verdict"),
    [
        (29, 100.0, "suspicious"),
        (30, 100.0, "ok"),
        (1, 6.0, "suspicious"),
        (1, 5.0, "ok"),  # only 4 fewer
        (2, None, "ok"),  # still learning
    ],
)
def test_far_fewer_than_usual_also_means_at_least_five_fewer(found, usual, verdict):
    assert judged({"raw": found, "new": found}, History(runs=3, usual=usual, had_rows=True))[0] == verdict


@pytest.mark.parametrize(
    "message",
    [
        "Free plan: stopped after 100 results.",
        "Finished. UPGRADE to get all results.",
        "You have reached the limit of 100 ads.",
        "Results limited to 10 pages.",
        "Free user limits apply",
        "You have exceeded your monthly usage.",
        "Trial expired, results truncated.",
        "Non-paying users get 100 items.",
        "This is a demo run: 10 items only.",
        "Stopped: quota exceeded.",
        "Results capped on the Starter plan.",
        "Subscribe to unlock all results.",
        "Your subscription does not include more.",
        "Stopped early: out of credits.",
    ],
)
def test_a_run_that_its_vendors_plan_cut_is_partial_and_names_the_plan(message):
    verdict, reason = judged(SEEN, message=message)
    assert verdict == "partial"
    assert "the plan at Apify" in reason
    assert message in reason


@pytest.mark.parametrize(
    "message",
    [
        "",
        "Finished! 20 results.",
        "Rate limit met 3 times, retried.",
        "Unlimited results",
        "No limit",
        "Finished without limits",
        "Memory limit 2048 MB",
        "Used 31 credits",
    ],
)
def test_other_status_messages_mean_nothing(message):
    assert judged(SEEN, message=message) == ("ok", "")


def test_our_own_cap_is_not_the_vendors_plan():
    verdict, reason = judged(SEEN, message="Stopped early: the limit of this run was reached.", capped=True)
    assert (verdict, reason) == ("partial", "The run reached its cost limit, so some ads may be missing.")


def test_a_result_that_was_not_read_to_its_end_is_partial():
    assert judged(SEEN, read=10_999) == ("ok", "")
    verdict, reason = judged(SEEN, capped=True, read=11_000)
    assert (verdict, reason.split(".")[0]) == ("partial", "Apify sent 11,000 items, though at most 5,000 were ordered")


@pytest.mark.parametrize(("unread", "verdict"), [(7, "ok"), (8, "suspicious")])
def test_a_field_that_most_rows_have_unread_is_to_be_checked(unread, verdict):
    counts = {"raw": 100, "new": 10, "unchanged": 5, "duplicate": 85, "no_date": unread}
    done = with_unread(Done(counts), {"no_date": "dates"}, of="Amazon")
    assert done.verdict == verdict
