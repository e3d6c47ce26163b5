"""What the two starts ask for, and what a research is expected to cost."""

from decimal import Decimal

import pytest

from competitors.jobs.reddit_scrape.asked import Asked
from competitors.jobs.reddit_scrape.order import comments_order, estimate, is_enough, posts_order
from competitors.models import reddit_subject
from competitors.sandbox.actors.reddit import ACTOR
from pipeline import api
from pipeline.contract import InvalidRequest, get_type
from pipeline.contract.parameters import clean_parameters
from pipeline.models import Run
from pipeline.queries import GoodRun
from tests.factories import make_brand
from tests.reddit_rows import make_persona

PRICE, LEFT = Decimal("0.00149"), Decimal(3)
QUERIES = ["calming chews", "dog afraid of fireworks"]


def asked(**given):
    return Asked.of({"search_queries": QUERIES, "stop_at_usd": "3.00", **given})


def of_posts(left=LEFT, **given):
    return posts_order(asked(**given), left, [], PRICE)


def test_the_total_is_divided_among_the_queries_and_the_caps_are_above_it():
    order = of_posts(max_posts=501)
    assert order.input == {
        "queries": QUERIES,
        "maxPosts": 250,
        "sort": "relevance",
        "timeframe": "month",
        "scrapeComments": False,
        "includeNsfw": False,
        "maxComments": 50,
    }
    assert order.max_items > 501
    assert order.max_cost_usd == Decimal("0.83")  # of all items that may come, not of the 501


@pytest.mark.parametrize("names", [["dogs"], ["dogs", "DogAdvice"]])
def test_subreddits_are_searched_one_by_one_and_never_searched_for(names):
    order = of_posts(subreddits=names, max_posts=100)
    assert "queries" not in order.input
    assert order.input["maxPosts"] == 100 // (2 * len(names))
    assert order.input["urls"] == [
        f"https://www.reddit.com/r/{name}/search/?q={query}&restrict_sr=1&sort=relevance&t=month"
        for name in names
        for query in ("calming+chews", "dog+afraid+of+fireworks")
    ]


def test_the_second_start_asks_for_comments_of_chosen_posts_with_what_the_first_left():
    threads = [("https://www.reddit.com/r/dogs/comments/a/", 50), ("https://www.reddit.com/r/dogs/comments/b/", 3)]
    order = comments_order(threads, Decimal("0.07"), PRICE)
    assert order.input["urls"] == [url for url, _ in threads]
    assert (order.input["scrapeComments"], order.input["maxComments"], order.input["maxPosts"]) == (True, 50, 2)
    assert order.max_items >= 55  # each post comes again
    assert (order.max_cost_usd, order.estimate_usd) == (Decimal("0.07"), Decimal("0.07"))
    assert comments_order(threads, LEFT, PRICE).max_cost_usd == Decimal("0.10")


def test_neither_start_may_cost_more_than_is_left():
    assert of_posts(left=Decimal("0.40"), max_posts=5000).max_cost_usd == Decimal("0.40")
    assert [is_enough(Decimal(left), PRICE) for left in ("0", "0.01", "0.02")] == [False, False, True]


def test_the_actor_takes_both_orders():
    for order in (of_posts(), of_posts(subreddits=["dogs"]), comments_order([("https://www.reddit.com/r/a/", 1)], LEFT, PRICE)):
        assert ACTOR.problem(order.input) is None


def test_an_estimate_counts_both_starts_and_never_exceeds_the_limit():
    few, many = estimate(asked(max_posts=100), [], PRICE), estimate(asked(max_posts=5000), [], PRICE)
    assert Decimal("0.10") < few.cost_usd < few.cap_usd == 3
    assert many.cost_usd == many.cap_usd == 3
    run = GoodRun(1, {"max_posts": 100}, {"posts": 40}, effort=None, reused=False)
    assert posts_order(asked(max_posts=200), LEFT, [run], PRICE).estimate_usd == Decimal("0.12")  # 80 posts


def test_a_subject_is_the_same_whatever_the_spelling():
    subject = reddit_subject(["Calming  Chews", "b"], ["r/Dogs", "DogAdvice"])
    assert subject == reddit_subject(["b ", "calming chews", "B"], ["/r/dogadvice/", "dogs"])
    assert len({subject, reddit_subject(["calming chews", "b"]), reddit_subject(["calming chews"], ["b"])}) == 3


@pytest.mark.django_db
class TestParameters:
    @pytest.mark.parametrize(
        ("given", "queries", "subreddits"),
        [
            ({"search_queries": ["a", "b"], "subreddits": ["r/dogs"]}, ["a", "b"], ["dogs"]),
            ({"search_queries": '["a", "b, c"]', "subreddits": None}, ["a", "b, c"], []),
            (
                {"search_queries": "a\r\n\n B  c \nb C", "subreddits": "dogs, /r/DogAdvice/ r/DOGS"},
                ["a", "B c"],
                ["dogs", "DogAdvice"],
            ),
            ({"search_queries": "[sic] what is this", "subreddits": '["dogs"]'}, ["[sic] what is this"], ["dogs"]),
        ],
    )
    def test_lists_come_as_json_or_as_they_are_typed(self, given, queries, subreddits):
        clean = clean_parameters(get_type("reddit_scrape").Params, given, make_brand())
        assert (clean["search_queries"], clean["subreddits"]) == (queries, subreddits)
        defaults = {name: clean[name] for name in ("timeframe", "max_posts", "min_upvotes", "min_comments", "stop_at_usd")}
        assert [*defaults.values()] == ["month", 500, 20, 5, "3"]
        assert (clean["relevance_threshold"], clean["signal_threshold"], clean["top_percentile"]) == (0.6, 0.5, 0.2)

    @pytest.mark.parametrize(
        ("given", "name"),
        [
            ({"search_queries": []}, "search_queries"),
            ({"search_queries": " \n "}, "search_queries"),
            ({"search_queries": [1]}, "search_queries"),
            ({"search_queries": {"a": 1}}, "search_queries"),
            ({"search_queries": ["x" * 201]}, "search_queries"),
            ({"search_queries": [f"q{n}" for n in range(51)]}, "search_queries"),
            ({"search_queries": [], "subreddits": ["dogs"]}, "search_queries"),  # subreddits do not stand alone
            ({"subreddits": "not a name!"}, "subreddits"),
            ({"subreddits": ["../../etc"]}, "subreddits"),
            ({"timeframe": "decade"}, "timeframe"),
            ({"max_posts": 9}, "max_posts"),
            ({"max_posts": 5001}, "max_posts"),
            ({"max_posts": 10, "search_queries": [f"q{n}" for n in range(11)]}, "max_posts"),
            ({"min_upvotes": -1}, "min_upvotes"),
            ({"min_comments": "few"}, "min_comments"),
            ({"relevance_threshold": 1.1}, "relevance_threshold"),
            ({"signal_threshold": "nan"}, "signal_threshold"),
            ({"top_percentile": 0}, "top_percentile"),
            ({"stop_at_usd": 0}, "stop_at_usd"),
            ({"persona_id": 77}, "persona_id"),
            ({"auto_sync_to_persona": True}, "auto_sync_to_persona"),
            ({"include_nsfw": True}, "include_nsfw"),
        ],
    )
    def test_wrong_ones_are_refused_before_anything_is_queued(self, given, name):
        with pytest.raises(InvalidRequest) as refused:
            api.queue_one_time_job(make_brand().pk, "reddit_scrape", {"search_queries": ["a"], **given})
        assert name in refused.value.errors
        assert not Run.objects.exists()

    def test_a_persona_must_be_the_brands_own_and_a_run_needs_a_brand(self):
        brand, persona = make_brand(), make_persona(make_brand("Southpaw"))
        given = {"search_queries": ["a"], "persona_id": persona.pk, "auto_sync_to_persona": True}
        with pytest.raises(InvalidRequest, match="There is no persona"):
            api.queue_one_time_job(brand.pk, "reddit_scrape", given)
        with pytest.raises(InvalidRequest, match="Choose a brand"):
            api.queue_one_time_job(None, "reddit_scrape", {"search_queries": ["a"]})
        own = {**given, "persona_id": make_persona(brand).pk}
        assert clean_parameters(get_type("reddit_scrape").Params, own, brand)["auto_sync_to_persona"] is True
