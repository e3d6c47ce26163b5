"""An item of Reddit is read field by field: what is missing is unknown, and what cannot be read is never guessed."""

import json
from datetime import UTC, datetime

import pytest

from competitors.reading.reddit import Comment, Post, Rejected, parse_item, read_moment, read_score

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
POST = {
    "kind": "post",
    "id": "1s80pf6",
    "title": "Fireworks &amp; thunder",
    "body": "He shakes.",
    "author": "mossy_otter",
    "score": 12,
    "num_comments": 3,
    "subreddit": "dogs",
    "created_utc": "2026-06-01T12:00:00.000Z",
    "permalink": "/r/dogs/comments/1s80pf6/fireworks/",
    "over_18": False,
}
COMMENT = {
    "kind": "comment",
    "id": "k1",
    "postId": "1s80pf6",
    "parentId": "t3_1s80pf6",
    "body": "Same here.",
    "author": "quiet_comet",
    "score": -2,
    "created_utc": 1780315200,
}


def post(**fields):
    read = parse_item(POST | fields)
    assert isinstance(read, Post), read
    return read


def comment(**fields):
    read = parse_item(COMMENT | fields)
    assert isinstance(read, Comment), read
    return read


def test_a_post_and_a_comment():
    assert post() == Post(
        reddit_id="1s80pf6",
        original_id="1s80pf6",
        subreddit="dogs",
        title="Fireworks & thunder",
        body="He shakes.",
        author="mossy_otter",
        permalink="/r/dogs/comments/1s80pf6/fireworks/",
        score=12,
        num_comments=3,
        created_at=NOON,
        over_18=False,
        unread=(),
    )
    assert comment() == Comment("k1", "1s80pf6", "", "Same here.", "quiet_comet", -2, NOON)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("2026-06-01T12:00:00.000Z", NOON),
        ("2026-06-01T14:00:00+02:00", NOON),
        ("2026-06-01T12:00:00", NOON),  # it names no zone: UTC, never this machine's
        (1780315200, NOON),
        (1780315200.0, NOON),
        ("1780315200", NOON),
        (1780315200000, NOON),
        ("yesterday", None),
        ("", None),
        (None, None),
        (True, None),
        (0, None),
        (99999999999, None),
        (float("nan"), None),
        ("9999-12-31T23:59:59+00:00", None),
        ("0001-01-01T00:00:00+14:00", None),
        ({"utc": 1780315200}, None),
    ],
)
def test_times_in_all_their_forms(given, read):
    assert read_moment(given) == read


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (12, 12),
        (0, 0),
        (-3, -3),
        ("1,204", 1204),
        ("-7", -7),
        (3.0, 3),
        (-3.0, -3),
        (None, None),
        ("", None),
        ("many", None),
        ("1.2k", None),
        (1.5, None),
        (True, None),
        (10**12, None),
        (-(10**12), None),
        (float("inf"), None),
        ([], None),
    ],
)
def test_a_score_may_be_negative_and_what_is_no_number_is_unknown(given, read):
    assert read_score(given) == read


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"author": None}, "author", ""),
        ({"author": "[deleted]"}, "author", ""),
        ({"author": {"name": "mossy_otter"}}, "author", "mossy_otter"),
        ({"author": ["x"]}, "author", ""),
        ({"author": "u/mossy_otter"}, "author", "mossy_otter"),
        ({"body": "[removed]"}, "body", ""),
        ({"body": "[ Removed by Reddit ]"}, "body", ""),
        ({"body": "[deleted by user]"}, "body", ""),
        ({"body": "[removed] says who?"}, "body", "[removed] says who?"),
        ({"body": None, "selftext": "older name"}, "body", "older name"),
        ({"body": "", "selftext": None}, "body", ""),
        ({"body": {"text": "x"}}, "body", ""),
        ({"title": None}, "title", ""),
        ({"id": "t3_1S80PF6"}, "reddit_id", "1s80pf6"),
        ({"id": 123456}, "reddit_id", "123456"),
        ({"score": None}, "score", None),
        ({"score": 1, "score_hidden": True}, "score", None),
        ({"score": "hidden"}, "unread", ("score",)),
        ({"num_comments": -1}, "num_comments", None),
        ({"num_comments": "many"}, "unread", ("num_comments",)),
        ({"num_comments": None, "numComments": 9}, "num_comments", 9),
        ({"created_utc": None, "createdUtc": 1780315200}, "created_at", NOON),
        ({"subreddit": None, "subreddit_name_prefixed": "r/dogs"}, "subreddit", "dogs"),
        ({"over_18": "true"}, "over_18", True),
        ({"over_18": 3}, "over_18", False),
        ({"permalink": "https://old.reddit.com/r/dogs/comments/1s80pf6/x/?utm=1"}, "permalink", "/r/dogs/comments/1s80pf6/x/"),
        ({"permalink": "https://evil.example/r/dogs/comments/1s80pf6/x/"}, "permalink", ""),
        ({"permalink": "//evil.example/r/dogs/comments/1s80pf6/"}, "permalink", ""),
        ({"permalink": "javascript:alert(1)"}, "permalink", ""),
        ({"permalink": "https://[", "url": "https://www.reddit.com/r/a/comments/1/"}, "permalink", "/r/a/comments/1/"),
        ({"permalink": "/r/dogs/comments/1/" + "x" * 500}, "permalink", ""),
        ({"crosspost_parent": "t3_1abc"}, "original_id", "1abc"),
        ({"crosspost_parent_list": [{"id": "1abc"}]}, "original_id", "1abc"),
        ({"crosspostParent": "1abc"}, "original_id", "1abc"),
        ({"crosspost_parent": {"id": 1}, "crosspost_parent_list": "x"}, "original_id", "1s80pf6"),
        ({"kind": "t3"}, "reddit_id", "1s80pf6"),
        ({"kind": None}, "reddit_id", "1s80pf6"),
    ],
)
def test_a_field_of_a_post(fields, name, value):
    assert getattr(post(**fields), name) == value


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"parentId": "t1_k9"}, "parent_id", "k9"),
        ({"parentId": "k9"}, "parent_id", "k9"),
        ({"parentId": "1s80pf6"}, "parent_id", ""),
        ({"parentId": None}, "parent_id", ""),
        ({"parentId": {"id": "k9"}}, "parent_id", ""),
        ({"postId": "t3_1s80pf6"}, "post_id", "1s80pf6"),
        ({"postId": None, "link_id": "t3_1s80pf6"}, "post_id", "1s80pf6"),
        ({"body": "[deleted]"}, "body", ""),
        ({"score": None}, "score", None),
        ({"kind": None}, "post_id", "1s80pf6"),
    ],
)
def test_a_field_of_a_comment(fields, name, value):
    assert getattr(comment(**fields), name) == value


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (None, "Not an object"),
        ([POST], "Not an object"),
        ({}, "Neither a post nor a comment"),
        ({"kind": "community", "id": "t5_2qh1o"}, "Neither a post nor a comment"),
        ({"kind": "user", "id": "t2_a", "title": "x"}, "Neither a post nor a comment"),
        ({"kind": ["post"], "id": "a"}, "Neither a post nor a comment"),
        ({"error": "The page could not be loaded"}, "An error instead of a post"),
        (POST | {"id": None}, "No id of the post"),
        (POST | {"id": "../../etc"}, "No id of the post"),
        (POST | {"id": {"id": "1"}}, "No id of the post"),
        (COMMENT | {"id": ""}, "No id of the comment"),
        (COMMENT | {"postId": None}, "A comment without the id of its post"),
    ],
)
def test_what_is_neither_is_rejected_with_the_reason(item, reason):
    assert parse_item(item) == Rejected(reason)


@pytest.mark.needs_samples
def test_every_real_item_is_read_whole(samples):
    for file in ("reddit_posts", "reddit_threads"):
        for line in (samples / f"{file}.jsonl").read_text(encoding="utf-8").splitlines():
            item = json.loads(line)
            read = parse_item(item)
            assert isinstance(read, Post if item["kind"] == "post" else Comment)
            assert (read.reddit_id, read.score) == (item["id"], item["score"])
            assert read.created_at is not None
            if isinstance(read, Post):
                assert (read.unread, read.num_comments, read.title) == ((), item["num_comments"], item["title"].strip())
                assert read.permalink
