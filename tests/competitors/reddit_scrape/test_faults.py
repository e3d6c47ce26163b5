"""Whatever goes wrong with either start: what the operator reads, what is saved, what was started and paid, and what is fresh."""

from datetime import timedelta

import pytest
from django.utils import timezone

from competitors.jobs.reddit_scrape import service
from competitors.jobs.reddit_scrape.findings import landing
from competitors.models import LeftAt, RedditComment, RedditFinding, RedditPost, RedditQuote
from pipeline import api
from pipeline.engine.execution.replay import replay
from pipeline.models import DatasetStatus, Run
from tests.competitors.scraping import finish, words, work
from tests.processes import until

from .conftest import queue

pytestmark = pytest.mark.django_db(transaction=True)
TRIES = 8  # claims: more than any of these needs


def tried(research, *, after_first_start=None, **options):
    """A run until it is over, failed or got nowhere. `after_first_start` is called while the first start is on its way."""
    run = queue(research, **{"max_posts": 40, **options})
    for attempt in range(TRIES):
        if run.is_live and not run.attempt:
            work(run)
            run.refresh_from_db()
            if attempt == 0 and after_first_start:
                after_first_start()
    return run


@pytest.mark.parametrize(
    ("fault", "value", "state", "said", "saves", "started"),
    [
        ("end_as", "FAILED:0.5", "pending", "Apify's run failed.", True, 1),
        ("end_as", "TIMED-OUT:0.5", "pending", "Apify's run timed out.", True, 1),
        ("no_items", True, "completed ok", "Apify found no posts.", False, 1),
        ("only_errors", True, "completed suspicious", "could be read as a post", False, 1),
        ("malformed_items", 1, "completed ok", "2 rejected", True, 2),
        ("repeat_items", 0.1, "completed ok", "duplicates", True, 2),
        ("plan_limit", 0.5, "completed partial", "Cut by the plan at Apify", True, 2),
        ("endless_items", True, "completed partial", "items, though at most", True, 2),
        ("no_money", True, "pending", "has no money left for this run", False, 0),
        ("no_memory", True, "pending", "the account's memory is in use", False, 0),
        ("usage_limit", True, "pending", "has reached its monthly usage limit", False, 0),
        ("dataset_gone", True, "pending", "could not be read", False, 1),
    ],
)
def test_a_fault_of_the_first_start_or_of_both(sandbox, research, fault, value, state, said, saves, started):
    sandbox.account.faults.arm(fault, value)
    began = sandbox.state["runs_started"]
    run = tried(research)
    assert " ".join(filter(None, [run.status, run.verdict])) == state, words(run)
    assert said in words(run) + run.summary + run.error_message
    assert RedditPost.objects.exists() is saves
    assert sandbox.state["runs_started"] - began == started
    assert (run.cost_actual or 0) <= 3
    assert bool(run.cost_actual) is (saves or fault in ("only_errors", "dataset_gone"))
    assert DatasetStatus.objects.filter(last_success_at__isnull=False).exists() is (state == "completed ok")


@pytest.mark.parametrize(
    ("fault", "value", "state", "said", "started"),
    [
        ("end_as", "FAILED:0.5", "pending", "Apify's run failed.", 2),
        ("end_as", "TIMED-OUT:0.5", "pending", "Apify's run timed out.", 2),
        ("no_items", True, "completed suspicious", "No comments came, though", 2),
        ("only_errors", True, "completed suspicious", "could be read as a comment", 2),
        ("malformed_items", 1, "completed ok", "1 rejected", 2),
        ("repeat_items", 0.5, "completed ok", "past the filters", 2),
        ("plan_limit", 0.5, "completed partial", "Cut by the plan at Apify", 2),
        ("endless_items", True, "completed partial", "so some comments may be missing", 2),
        ("no_money", True, "pending", "has no money left for this run", 1),
        ("usage_limit", True, "pending", "has reached its monthly usage limit", 1),
    ],
)
def test_a_fault_of_the_second_start_keeps_what_the_first_brought(sandbox, research, fault, value, state, said, started):
    began = sandbox.state["runs_started"]
    run = tried(research, after_first_start=lambda: sandbox.account.faults.arm(fault, value))
    assert " ".join(filter(None, [run.status, run.verdict])) == state, words(run)
    assert said in words(run) + run.summary
    assert sandbox.state["runs_started"] - began == started
    assert RedditPost.objects.count() == run.counts["new"] > 0
    assert RedditComment.objects.count() == run.counts.get("comments", 0)
    assert DatasetStatus.objects.filter(last_success_at__isnull=False).exists() is (state == "completed ok")
    if fault == "end_as":  # what came is judged and quoted all the same, and the retry pays for the second start alone
        assert RedditFinding.objects.filter(left_at=LeftAt.KEPT).exists() and RedditQuote.objects.exists()
        sandbox.account.faults.clear()
        finish(run)
        assert (run.status, run.verdict, sandbox.state["runs_started"] - began) == ("completed", "ok", 3)
        assert run.upstream_runs.filter(step="start").count() == 1


@pytest.mark.parametrize(
    ("stop", "starts", "said"),
    [
        ("0.05", 1, "reached its cost limit, so some posts may be missing"),
        ("0.07", 1, "The run reached its limit of $0.07, so no comments were read."),
        ("0.20", 2, "reached its cost limit, so some comments may be missing"),
    ],
)
def test_the_limit_holds_for_both_starts_together_and_reaching_it_is_partial(sandbox, research, stop, starts, said):
    began = sandbox.state["runs_started"]
    run = tried(research, stop_at_usd=stop)
    assert (run.status, run.verdict, sandbox.state["runs_started"] - began) == ("completed", "partial", starts), words(run)
    assert said in words(run)
    assert run.cost_actual <= float(stop)
    assert not DatasetStatus.objects.filter(last_success_at__isnull=False).exists()
    assert RedditFinding.objects.filter(left_at=LeftAt.KEPT).exists()


@pytest.mark.parametrize("path", ["/dataset", "/actor-runs"])
@pytest.mark.parametrize(("fault", "value"), [("server_error", 503), ("server_error", 429), ("drop", True)])
def test_a_fault_of_one_request_is_passed_over(sandbox, research, fault, value, path):
    began = sandbox.state["runs_started"]
    sandbox.account.faults.arm(fault, value, count=1, path=path)
    run = tried(research, max_posts=10)
    assert (run.status, run.verdict, sandbox.state["runs_started"] - began) == ("completed", "ok", 2), words(run)


def test_server_errors_from_the_third_page_on_are_waited_out_and_nothing_is_read_twice(sandbox, research, settings, monkeypatch):
    settings.PIPELINE_PAGE_ITEMS = 10
    pages = []

    def save(items, *args, **kwargs):
        pages.append(items)
        if len(pages) == 2:
            sandbox.account.faults.arm("server_error", 500, path="/dataset")
        return landing.save_page(items, *args, **kwargs)

    monkeypatch.setattr(service, "save_page", save)
    run = tried(research)
    assert (run.is_live, len(pages), run.upstream_runs.get().read_offset) == (True, 2, 20), words(run)
    sandbox.account.faults.clear()
    finish(run)
    assert (run.status, run.verdict, run.upstream_runs.count()) == ("completed", "ok", 2), words(run)
    assert RedditPost.objects.count() == run.counts["new"] == run.counts["posts"] > 20


def test_a_refused_token_fails_the_run_and_a_retry_reads_on_without_paying_again(sandbox, research):
    began = sandbox.state["runs_started"]
    sandbox.account.faults.arm("server_error", 401, count=1, path="/dataset")
    run = tried(research)
    assert (run.status, RedditPost.objects.exists()) == ("failed", False)
    assert "Apify refused the request" in run.error_message
    api.retry(run, None)
    finish(run)
    assert (run.status, run.verdict, sandbox.state["runs_started"] - began) == ("completed", "ok", 2)


def test_a_lost_answer_to_the_second_start_is_adopted(sandbox, research):
    began = sandbox.state["runs_started"]
    run = tried(research, after_first_start=lambda: sandbox.account.faults.arm("drop_start", count=1))
    finish(run)
    assert (run.status, run.verdict, sandbox.state["runs_started"] - began) == ("completed", "ok", 2), words(run)


def test_a_worker_that_dies_between_the_two_starts_pays_nothing_twice(sandbox, research, monkeypatch):
    """It dies just before the request of the second start: the first one is not repeated, and the second is made once."""
    began = sandbox.state["runs_started"]
    run = queue(research, max_posts=40)
    work(run)

    class Killed(BaseException):
        pass

    def die(*_, **__):
        raise Killed

    monkeypatch.setattr(service, "comments_order", die)
    with pytest.raises(Killed):
        until(lambda: work(run) and False, "the second start")
    monkeypatch.undo()
    assert (sandbox.state["runs_started"] - began, run.steps.filter(name="threads").count()) == (1, 1)
    Run.objects.filter(pk=run.pk, status="running").update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    finish(run)
    assert (run.status, run.verdict, sandbox.state["runs_started"] - began) == ("completed", "ok", 2), words(run)
    assert [one.step for one in run.upstream_runs.order_by("pk")] == ["start", "comments"]


def test_cancelled_during_the_second_start_it_saves_what_was_paid_for_and_a_replay_judges_it(sandbox, research):
    run = queue(research, max_posts=40)
    sandbox.account.faults.arm("never_ends")
    work(run)
    sandbox.account.finish()
    until(lambda: work(run) and run.upstream_runs.filter(step="comments").exists(), "the second start")
    api.cancel(run, None)
    finish(run)
    assert run.status == "cancelled"
    posts = RedditPost.objects.count()
    assert posts > 0
    RedditQuote.objects.all().delete()
    replay(run)
    assert RedditPost.objects.count() == posts
    assert RedditQuote.objects.exists()
