"""Traps of an earlier system. None of them comes back; each test says its name."""

import pytest
from django.db import DatabaseError

from competitors.jobs.reddit_scrape import service
from competitors.jobs.reddit_scrape.findings import landing
from competitors.models import LeftAt, RedditComment, RedditFinding, RedditPost, RedditQuote
from pipeline.models import DatasetStatus
from pipeline.states import RunStatus
from tests.competitors.scraping import finish, words

from .conftest import follow, queue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("options", "starts", "posts"),
    [
        ({"subreddits": ["PrivateDogs"]}, 1, 0),  # "no_posts"
        ({"max_posts": 10, "min_upvotes": 1_000_000, "min_comments": 1_000_000}, 1, 10),  # "no_posts_after_filter"
    ],
)
def test_trap_an_honest_empty_result_is_a_failure_and_paid_three_times(scrape, sandbox, options, starts, posts):
    began = sandbox.state["runs_started"]
    run = scrape(**options)
    assert (run.status, run.verdict, run.attempt) == (RunStatus.COMPLETED, "ok", 0), words(run)
    assert sandbox.state["runs_started"] - began == starts
    assert (run.counts.get("posts", 0), run.counts.get("kept", 0), run.counts.get("quotes", 0)) == (posts, 0, 0)
    assert DatasetStatus.objects.get().last_success_at is not None


def test_trap_a_retry_makes_new_runs_and_duplicate_quotes(sandbox, research, monkeypatch):
    began = sandbox.state["runs_started"]
    copies = []

    def fail_once(*args, **kwargs):
        copies.append(args)
        if len(copies) == 1:
            raise DatabaseError("disk full")
        return save_quotes(*args, **kwargs)

    save_quotes = service.save_quotes
    monkeypatch.setattr(service, "save_quotes", fail_once)
    run = follow(queue(research, max_posts=40))
    assert (run.status, run.attempt) == (RunStatus.PENDING, 1)
    finish(run)
    assert (run.status, run.verdict, sandbox.state["runs_started"] - began) == (RunStatus.COMPLETED, "ok", 2)
    assert RedditQuote.objects.count() == run.counts["quotes"] == run.counts["new_quotes"]


def test_trap_the_same_post_in_each_run_again(scrape):
    first, second = scrape(max_posts=30), scrape(max_posts=30)
    assert RedditPost.objects.count() == first.counts["posts"] == second.counts["posts"]
    assert set(RedditPost.objects.values_list("last_run", flat=True)) == {second.pk}


def test_trap_all_counts_before_the_filter_are_lost(scrape):
    run = scrape(max_posts=20, relevance_threshold=1, top_percentile=0.01)
    assert run.counts["posts"] == RedditPost.objects.count() == RedditFinding.objects.count()
    steps = ("dropped_filters", "dropped_nsfw", "dropped_relevance", "dropped_share", "kept")
    assert sum(run.counts.get(name, 0) for name in steps) == run.counts["posts"]
    assert not RedditPost.objects.filter(left_at="").exists()


def test_trap_comments_are_paid_for_and_never_stored(scrape):
    run = scrape(max_posts=30, relevance_threshold=1, signal_threshold=1)  # nothing is kept
    assert run.counts["comments"] == RedditComment.objects.count() > 0
    assert RedditComment.objects.filter(post__left_at=LeftAt.RELEVANCE).exists()
    assert not RedditQuote.objects.exists()


def test_trap_subreddits_after_the_first_are_searched_for_as_words(scrape, sandbox):
    scrape(subreddits=["dogs", "AnxiousDogs"], max_posts=10, min_comments=1000)
    start = sandbox.account.listed_runs()[-1]
    assert b"subredditKeywords" not in start.body and b"/r/AnxiousDogs/search/" in start.body


def test_trap_a_failed_save_is_only_logged(scrape, monkeypatch):
    def refuse(*_, **__):
        raise DatabaseError("disk full")

    monkeypatch.setattr(landing, "land", refuse)
    run = scrape()
    assert (run.status, run.attempt) == (RunStatus.PENDING, 1)
    assert not DatasetStatus.objects.filter(last_success_at__isnull=False).exists()
