"""A research from click to rows, through the sandbox: what it saves, costs and says."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db.models import Sum
from django.utils import timezone

from competitors.models import (
    LeftAt,
    PersonaQuote,
    RedditComment,
    RedditFinding,
    RedditPost,
    RedditQuote,
    RedditResearch,
)
from competitors.sandbox.server import serve
from pipeline import queries
from pipeline.contract import get_type
from pipeline.engine.execution.replay import replay
from pipeline.models import DatasetStatus, Run
from pipeline.states import RunStatus
from tests.competitors import runs
from tests.factories import make_brand
from tests.reddit_rows import make_finding, make_persona, make_post, make_research

from .conftest import FILTERS, follow, queue

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_research_keeps_the_best_posts_and_what_they_say_and_the_next_one_finds_nothing_new(scrape, sandbox, research):
    began = sandbox.state["runs_started"]
    run = scrape()
    research.refresh_from_db()
    counts = run.counts
    assert (run.status, run.verdict, run.error_message, run.subject_label) == (RunStatus.COMPLETED, "ok", "", research.name)
    assert sandbox.state["runs_started"] - began == 2
    assert research.last_scraped_at == run.upstream_runs.get(step="start").finished_at or run.completed_at
    status = DatasetStatus.objects.get()
    assert (status.dataset_key, status.subject, status.records_affected) == ("reddit_data", research.subject, counts["posts"])

    left = Counter(RedditFinding.objects.values_list("left_at", flat=True))
    assert counts["posts"] == counts["new"] == RedditPost.objects.count() == sum(left.values())
    assert counts["past_filters"] == counts["posts"] - left[LeftAt.FILTERS] - left[LeftAt.NSFW]
    assert counts["relevant"] == left[LeftAt.SHARE] + left[LeftAt.KEPT] > counts["kept"] == left[LeftAt.KEPT] > 0
    assert counts["past_filters"] - counts["relevant"] == counts["dropped_relevance"]
    assert counts["relevant"] - counts["kept"] == counts["dropped_share"]
    assert counts["kept"] == -(-counts["relevant"] // 2)  # the top share is of the relevant posts
    for finding in RedditFinding.objects.select_related("post"):
        assert (finding.left_at, finding.signal, finding.why) == (finding.post.left_at, finding.post.signal, finding.post.why)
        if finding.left_at in (LeftAt.KEPT, LeftAt.SHARE):
            assert finding.relevance >= FILTERS["relevance_threshold"] and finding.signal >= FILTERS["signal_threshold"]
            assert finding.why
    make_finding(make_post(research.brand, "older"), research)
    words, page = runs.rows_of(run)
    assert (words, page.context["sheet"].paginator.count) == (f"See the {counts['new']} new rows", counts["new"])
    RedditPost.objects.filter(reddit_id="older").delete()
    best = RedditFinding.objects.filter(left_at=LeftAt.KEPT).order_by("signal").first()
    assert best.signal >= RedditFinding.objects.filter(left_at=LeftAt.SHARE).order_by("-signal").first().signal

    assert counts["comments"] == counts["new_comments"] == RedditComment.objects.count() > 0
    assert counts["quotes"] == counts["new_quotes"] == RedditQuote.objects.count() > 0
    assert not RedditQuote.objects.exclude(post__left_at=LeftAt.KEPT).exists()
    assert RedditQuote.objects.filter(comment=None).exists() and RedditQuote.objects.exclude(comment=None).exists()
    assert set(RedditQuote.objects.values_list("category", flat=True)) <= set(RedditQuote.Category.values)
    assert RedditComment.objects.exclude(parent_id="").exists()
    assert f"{counts['kept']} kept." in run.summary
    assert abs(run.cost_actual - run.upstream_runs.aggregate(sum=Sum("cost_actual"))["sum"]) < Decimal("0.0001")
    assert 0 < run.cost_actual < research.stop_at_usd

    again = scrape()
    assert (again.verdict, again.counts["unchanged"]) == ("ok", counts["posts"])
    assert not again.counts.keys() & {"new", "changed", "new_comments", "new_quotes"}
    rows = (RedditPost, RedditFinding, RedditComment, RedditQuote)
    assert [model.objects.count() for model in rows] == [counts[name] for name in ("posts", "posts", "comments", "quotes")]

    seen = RedditFinding.objects.values_list("post__reddit_id", "left_at", "relevance", "signal").order_by("pk")
    before, spent = [*seen], sandbox.state["runs_started"]
    RedditFinding.objects.update(left_at="", relevance=None, signal=None, why={})
    RedditQuote.objects.all().delete()
    done = replay(again).done
    assert [*seen] == before  # scores are worked out again, for free
    assert (done.counts["kept"], RedditQuote.objects.count()) == (counts["kept"], counts["quotes"])
    assert (done.verdict, sandbox.state["runs_started"]) == ("ok", spent)


def test_two_researches_may_find_the_same_post_and_each_has_its_own_opinion(scrape, research):
    scrape(stop_at_usd="0.20")
    other = make_research(research.brand, "Only the chews", search_queries=["calming chews for dogs"], max_posts=80)
    follow(queue(other, min_upvotes=1_000_000, stop_at_usd="0.20"))
    both = RedditPost.objects.filter(findings__subject=research.subject).filter(findings__subject=other.subject)
    assert both.exists()
    assert not RedditFinding.objects.filter(subject=other.subject, left_at=LeftAt.KEPT, unmeasured=False).exists()
    assert RedditFinding.objects.filter(subject=research.subject, left_at=LeftAt.KEPT).exists()


def test_quotes_are_copied_to_the_persona_once(scrape, research):
    persona = make_persona(research.brand)
    asked = {"persona_id": persona.pk, "auto_sync_to_persona": True, "max_posts": 30, "min_comments": 0, "min_upvotes": 0}
    run = scrape(**asked)
    assert PersonaQuote.objects.filter(persona=persona).count() == run.counts["copied"] == run.counts["quotes"] > 0
    again = scrape(**asked)
    assert "copied" not in again.counts
    assert PersonaQuote.objects.count() == run.counts["copied"]


def test_subreddits_are_searched_and_their_own_items_are_passed_over(scrape, research):
    run = scrape(subreddits=["dogs", "r/AnxiousDogs"], max_posts=40)
    assert (run.verdict, run.counts["rejected"]) == ("ok", 4)  # one of each search
    assert set(run.rejected.values_list("reason", flat=True)) == {"Neither a post nor a comment"}
    assert run.subject != research.subject
    assert run.subject_label == "“calming chews for dogs” and 1 more in r/dogs, r/AnxiousDogs"


def test_it_runs_from_the_command_line(sandbox, research, capsys, django_db_blocker):
    parameters = '{"search_queries": ["joint supplement for old dogs"], "max_posts": 10, "min_comments": 400}'
    call_command("run_job", "reddit_scrape", "--brand", research.brand.slug, "--params", parameters, "--direct")
    run = Run.objects.get()
    assert (run.status, run.verdict, run.counts["posts"]) == (RunStatus.COMPLETED, "ok", 10)
    assert run.upstream_runs.count() == 1  # nothing past the filters, so there is nothing to read comments of


def test_a_deleted_research_takes_its_freshness_along_and_the_same_one_of_another_brand_stays(scrape, research):
    other = make_research(make_brand("Southpaw"))
    assert other.subject == research.subject
    for one in (research, other):
        follow(queue(one, max_posts=10, min_comments=400))
    assert [subject.key for subject in get_type("reddit_scrape").subjects(other.brand)] == [other.subject]
    research.delete()
    assert [row.brand for row in DatasetStatus.objects.all()] == [other.brand]
    assert not RedditResearch.objects.filter(pk=research.pk).exists()


def test_a_rising_share_of_unknown_scores_is_suspicious_until_a_person_accepts_it(scrape, sandbox, research):
    good = scrape(stop_at_usd="0.20")
    sandbox.account.faults.arm("scores_missing", 0.6)
    bad = scrape(stop_at_usd="0.20")
    assert (good.verdict, bad.verdict) == ("ok" if good.verdict == "ok" else "partial", "suspicious")
    assert "came without a score or a number of comments" in bad.summary
    assert bad.counts["not_measured"] > bad.counts["posts"] / 2
    Run.objects.filter(pk=bad.pk).update(verdict="ok")
    assert scrape(stop_at_usd="0.20").verdict != "suspicious"


def test_an_unknown_score_is_not_below_what_is_asked_for(scrape, sandbox):
    sandbox.account.faults.arm("scores_missing")
    run = scrape(max_posts=30, min_upvotes=1_000_000, min_comments=1000, stop_at_usd="0.10")
    assert (
        run.counts["not_measured"]
        == run.counts["posts"]
        == run.counts["unmeasured_past_filters"] + run.counts.get("dropped_nsfw", 0)
    )
    assert run.counts["unmeasured_kept"] == run.counts["kept"] > 0
    assert not RedditFinding.objects.filter(left_at=LeftAt.FILTERS).exists()
    assert RedditFinding.objects.filter(unmeasured=True, left_at=LeftAt.KEPT).count() == run.counts["kept"]


@pytest.mark.needs_samples
def test_every_real_post_and_comment_lands_unharmed(settings, samples, sandbox, research):
    with serve(run_seconds=0.1, data=samples) as real:
        settings.APIFY_API_URL = real.url
        run = follow(
            queue(research, search_queries=["all0000000"], max_posts=1000, timeframe="all", min_upvotes=0, min_comments=250)
        )
    assert (run.verdict, run.counts.get("rejected", 0), run.counts["new"]) == ("ok", 0, 603)
    assert run.counts["comments"] == RedditComment.objects.count() == 801
    assert not RedditPost.objects.filter(created_at=None).exists()
    assert not RedditPost.objects.filter(permalink="").exists()
    assert queries.spends("reddit_scrape", research.brand_id, {run.subject: ""})[run.subject].runs == 1
    assert RedditPost.objects.filter(first_seen_at__lt=timezone.now() - timedelta(hours=1)).count() == 0
