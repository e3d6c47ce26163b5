"""The imitation of the Reddit actor: what it refuses, finds and writes."""

from random import Random

import pytest

from competitors.sandbox.actors.base import World
from competitors.sandbox.actors.reddit import ACTOR, remarks
from competitors.sandbox.actors.reddit.phrases import ELSEWHERE
from competitors.sandbox.config import Config
from competitors.scoring.quotes import CATEGORIES, find_quotes

QUERIES = ["calming chews for dogs", "dog afraid of fireworks"]


def found(seed=1, data=None, **given):
    assert ACTOR.problem(given) is None
    return ACTOR.plan(given, World(Config(seed=seed, data=data), "http://sandbox")).rows


def posts(items):
    return [item for item in items if item["kind"] == "post"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "input.queries"),
        ({"queries": "dogs"}, "queries must be array"),
        ({"queries": [""]}, "queries.0 must be string"),
        ({"urls": [{"url": "https://www.reddit.com/r/dogs/"}]}, "urls.0 must be string"),
        ({"urls": ["r/dogs"]}, "urls.0 must be a URL"),
        ({"queries": ["a"], "sort": "rising"}, "input.sort must be equal to one of"),
        ({"subredditName": "dogs", "subredditSort": "rising"}, "subredditSort must be equal to one of"),
        ({"queries": ["a"], "timeframe": "decade"}, "timeframe must be equal to one of"),
        ({"queries": ["a"], "maxPosts": 0}, "maxPosts must be >= 1"),
        ({"queries": ["a"], "maxComments": "50"}, "maxComments must be integer"),
        ({"queries": ["a"], "scrapeComments": "yes"}, "scrapeComments must be boolean"),
    ],
)
def test_what_it_refuses(given, words):
    assert words in str(ACTOR.problem(given))


def test_max_posts_is_per_query_and_the_same_post_comes_under_several():
    items = found(queries=QUERIES, maxPosts=100)
    ids = [item["id"] for item in items]
    assert max(sum(item["query"] == query for item in items) for query in QUERIES) <= 100
    assert len(found(queries=QUERIES, maxPosts=5)) == 10
    assert len(set(ids)) < len(ids)
    assert found(queries=QUERIES, maxPosts=5)[0]["id"] == ids[0]  # the same again


def test_posts_have_the_irregularities_of_real_ones():
    items = [item for seed in range(6) for item in found(seed=seed, queries=QUERIES, timeframe="all", includeNsfw=True)]
    forms = {(type(item["created_utc"]).__name__, str(item["created_utc"])[-6:-2] == "+00:") for item in items}
    assert forms == {("str", False), ("str", True), ("int", False), ("float", False)}
    assert {type(item["author"]) for item in items} == {str, dict, type(None)}
    assert {item.get("body") for item in items} > {"", None, "[removed]"}
    assert any("selftext" in item for item in items)
    assert None in {item["score"] for item in items}
    assert min(item["score"] or 0 for item in items) < 0
    assert any(item["over_18"] for item in items)
    assert any("crosspost_parent" in item for item in items)
    off_topic = sum(item["subreddit"] in ELSEWHERE.subreddits for item in items) / len(items)
    assert 0.4 < off_topic < 0.7  # a search of all of Reddit is mostly junk


def test_one_subreddit_has_keywords_and_several_are_addresses():
    search = "https://www.reddit.com/r/{}/search/?q=fireworks&restrict_sr=1&t=all"
    by_field = posts(found(subredditName="dogs", subredditKeywords=["fireworks"], subredditSort="relevance"))
    by_address = posts(found(urls=[search.format("dogs")], queries=["ignored"]))
    assert [item["id"] for item in by_field] == [item["id"] for item in by_address] != []
    assert found(urls=[search.format("dogs")])[0]["kind"] == "community"
    assert found(urls=[search.format("PrivateDogs")]) == []


def test_addresses_of_posts_bring_their_comments_some_of_them_before_the_post_or_without_it():
    chosen = [*{item["id"]: item for item in posts(found(queries=QUERIES, maxPosts=80)) if item["num_comments"]}.values()]
    urls = [item["canonical_url"] for item in chosen]
    items = found(urls=urls, scrapeComments=True, maxComments=10)
    comments = [item for item in items if item["kind"] == "comment"]
    by_post = {item["id"]: [one for one in comments if one["postId"] == item["id"]] for item in chosen}
    assert max(len(one) for one in by_post.values()) == 10
    assert all(len(by_post[item["id"]]) <= item["num_comments"] for item in chosen)
    came = {item["id"]: number for number, item in enumerate(items)}
    with_post = [one for one in comments if one["postId"] in came]
    assert any(came[one["id"]] < came[one["postId"]] for one in with_post)
    assert len(with_post) < len(comments)
    assert {one["parentId"][:3] for one in comments} > {"t1_", "t3_"}
    assert "[removed]" in {one["body"] for one in comments}
    assert len(posts(found(urls=urls))) == len(found(urls=urls)) == len(urls)  # without comments, the posts alone


def test_comments_say_things_of_all_six_kinds_and_few_of_them_twice():
    for kind, templates in remarks.TEMPLATES.items():
        for template in templates:
            for parts in (remarks.NOISE, remarks.JOINTS, remarks.MUGS):
                for dice in map(Random, range(25)):
                    told = remarks.worded(template, dice, parts)
                    assert [(one.category, one.text) for one in find_quotes(told)] == [(kind, told)]
    urls = [
        item["canonical_url"]
        for item in posts(found(queries=QUERIES, maxPosts=80))
        if item["subreddit"] not in ELSEWHERE.subreddits
    ]
    comments = [item["body"] for item in found(urls=urls, scrapeComments=True, maxComments=10) if item["kind"] == "comment"]
    quotes = [quote for body in comments for quote in find_quotes(body)]
    assert {quote.category for quote in quotes} == set(CATEGORIES)
    assert len({quote.text for quote in quotes}) > 0.85 * len(quotes) > 200


def test_its_faults_take_scores_and_ids_away():
    given = {"queries": QUERIES}
    plan = ACTOR.plan(given, World(Config(), "http://sandbox"))
    half = ACTOR.altered(plan, given, {"scores_missing": 0.5}).rows
    assert abs(sum("score" not in item for item in half) - len(half) / 2) <= 1
    assert all(item["num_comments"] is None for item in half if "score" not in item)
    broken = ACTOR.altered(plan, given, {"malformed_items": 4}).rows
    assert [isinstance(item["id"], str) and item["id"] != "" for item in broken[:5]] == [False] * 4 + [True]


@pytest.mark.needs_samples
def test_recorded_items_are_served_unchanged(samples):
    assert len(found(data=samples, queries=["all0000001"])) == 600
    thread = found(data=samples, queries=["all0000002"])
    assert len(thread) == 3
    assert (
        len(found(data=samples, urls=[f"https://www.reddit.com{item['permalink']}" for item in thread], scrapeComments=True))
        == 804
    )
