"""Pages of items become rows: a post once, whatever it was found by, and of crossposts the original, else the earliest."""

import itertools

import pytest
from django.utils import timezone

from competitors.jobs.reddit_scrape.findings.landing import save_page
from competitors.models import RedditComment, RedditFinding, RedditPost
from pipeline.contract.tally import Tally
from tests.competitors.runs import ended
from tests.factories import make_brand
from tests.reddit_rows import make_research

from .conftest import queue

pytestmark = pytest.mark.django_db


def post(reddit_id, original="", day=1, **fields):
    item = {"kind": "post", "id": reddit_id, "title": f"Post {reddit_id}", "score": 9, "num_comments": 3}
    item |= {"created_utc": f"2026-06-0{day}T12:00:00Z", "subreddit": "dogs"}
    return item | ({"crosspost_parent": f"t3_{original}"} if original else {}) | fields


def comment(reddit_id, post_id, **fields):
    return {"kind": "comment", "id": reddit_id, "postId": post_id, "body": "Same here.", "created_utc": 1780315200, **fields}


@pytest.fixture
def saved(research):
    """saved(page, page …): what became of them in one run, in words for counts."""

    def save(*pages, run=None, with_posts=True):
        run = run or finished(queue(research))
        tally = Tally()
        for page in pages:
            tally.add(save_page(page, run, timezone.now(), with_posts=with_posts).rows)
        return run, tally.counts

    return save


def finished(run):
    """So that the next one may be queued."""
    return ended(run)


ORIGINAL, LATER, EARLIER = post("o1", day=3), post("c1", "o1", day=5), post("c2", "o1", day=4)


@pytest.mark.parametrize("order", [*itertools.permutations([ORIGINAL, LATER, EARLIER])])
@pytest.mark.parametrize("of_a_page", [1, 2, 3])
def test_of_crossposts_the_original_stays_in_whatever_order_they_come(saved, order, of_a_page):
    pages = [[*order[start : start + of_a_page]] for start in range(0, 3, of_a_page)]
    _, counts = saved(*pages)
    assert RedditPost.objects.get().reddit_id == "o1"
    assert RedditFinding.objects.count() == 1
    assert counts == {"new": 1, "crossposts": 2}


@pytest.mark.parametrize("pages", [[[LATER, EARLIER]], [[EARLIER, LATER]], [[LATER], [EARLIER]], [[EARLIER], [LATER]]])
def test_without_the_original_the_earliest_stays(saved, pages):
    _, counts = saved(*pages)
    assert RedditPost.objects.get().reddit_id == "c2"
    assert counts == {"new": 1, "crossposts": 1}


def test_a_later_run_that_brings_the_original_keeps_the_comments_of_its_crosspost(saved, research):
    run, _ = saved([EARLIER])
    saved([comment("k1", "c2")], run=run, with_posts=False)
    run, counts = saved([ORIGINAL, LATER])
    assert (RedditPost.objects.get().reddit_id, counts) == ("o1", {"changed": 1, "crossposts": 1})
    assert RedditComment.objects.get().post.reddit_id == "o1"
    _, counts = saved([LATER])  # found by its crosspost alone: the original that is known stands for it
    assert (RedditPost.objects.get().reddit_id, counts) == ("o1", {"unchanged": 1, "crossposts": 1})


def test_a_post_that_is_a_crosspost_in_one_item_and_not_in_another_is_one_row(saved):
    saved([post("c1", "o1")], [post("c1")])
    saved([post("c1"), post("c1", "o2")])
    assert RedditPost.objects.get().original_id == "o1"


def test_a_post_under_several_queries_is_one_and_what_one_item_lacks_the_other_has(saved, research):
    run = finished(queue(research))
    twice = [post("a", score=None, query="x"), post("a", num_comments=None, query="y")]
    page = save_page(twice, run, timezone.now(), with_posts=True)
    assert page.counts == {"raw": 2, "duplicate": 1}
    save_page([post("a", score=None)], run, timezone.now(), with_posts=True)
    row = RedditPost.objects.get()
    assert (row.score, row.num_comments, row.findings.get().unmeasured) == (9, 3, False)
    saved([post("a", score=None)])  # of a later run: not known any more
    row.refresh_from_db()
    assert (row.score, row.findings.get().unmeasured) == (None, True)


def test_comments_before_their_post_and_replies_find_their_place_and_others_are_kept_apart(saved, research):
    run = finished(queue(research))
    page = [comment("k2", "a", parentId="t1_k1"), comment("k1", "t3_a", parentId="t3_a"), comment("k3", "gone"), post("a")]
    result = save_page(page, run, timezone.now(), with_posts=True)
    assert [*RedditComment.objects.order_by("reddit_id").values_list("reddit_id", "parent_id")] == [("k1", ""), ("k2", "k1")]
    assert [(reason, item["id"]) for reason, item in result.rejected] == [("The post of this comment was not asked for", "k3")]


def test_another_brands_post_is_another_row(saved):
    saved([post("a"), comment("k1", "a")])
    run = queue(make_research(make_brand("Southpaw")))
    result = save_page([comment("k2", "a")], run, timezone.now(), with_posts=False)
    assert len(result.rejected) == 1  # another brand's post is none of this brand's
    save_page([post("a")], run, timezone.now(), with_posts=True)
    assert RedditPost.objects.filter(reddit_id="a").count() == 2
