"""Rows of Reddit research that tests start with."""

from typing import Any

from django.utils import timezone

from competitors.models import (
    LeftAt,
    Persona,
    RedditComment,
    RedditFinding,
    RedditPost,
    RedditQuote,
    RedditResearch,
)
from competitors.scoring import quote_key
from pipeline.models import Brand
from pipeline.words.search import folded
from tests.factories import make_brand


def make_persona(brand: Brand | None = None, name: str = "Worried owner") -> Persona:
    return Persona.objects.create(brand=brand or make_brand(), name=name)


def make_research(brand: Brand | None = None, name: str = "Thunder and fireworks", **fields: Any) -> RedditResearch:
    fields.setdefault("search_queries", ["calming chews for dogs", "dog afraid of fireworks"])
    fields.setdefault("topic_context", "Dogs that are afraid of loud noise, and what owners tried at home")
    return RedditResearch.objects.create(brand=brand or make_brand(), name=name, **fields)


def make_post(brand: Brand, reddit_id: str = "1abc", **fields: Any) -> RedditPost:
    now = timezone.now()
    fields = {
        "subreddit": "dogs",
        "title": "Fireworks again",
        "body": "I am tired of the shaking. The vest did nothing for my dog.",
        "author": "a_dog_owner",
        "permalink": f"/r/dogs/comments/{reddit_id}/fireworks_again/",
        "score": 120,
        "num_comments": 34,
        "created_at": now,
        "first_seen_at": now,
        "last_seen_at": now,
        **fields,
    }
    fields.setdefault("search_text", RedditPost.searchable(fields["title"], fields["body"]))
    return RedditPost.objects.create(brand=brand, reddit_id=reddit_id, **fields)


def make_finding(post: RedditPost, research: RedditResearch, left_at: str = LeftAt.KEPT, **fields: Any) -> RedditFinding:
    """What the research made of the post; the post's own scores are the same."""
    fields = {"relevance": 0.8, "signal": 0.7, "why": {}, **fields}
    RedditPost.objects.filter(pk=post.pk).update(
        left_at=left_at, **{name: fields[name] for name in ("relevance", "signal", "why")}
    )
    return RedditFinding.objects.create(post=post, subject=research.subject, left_at=left_at, **fields)


def make_comment(post: RedditPost, reddit_id: str = "c1", **fields: Any) -> RedditComment:
    now = timezone.now()
    fields = {"body": "The vest was a waste of money.", "author": "another_owner", "score": 12, "created_at": now, **fields}
    return RedditComment.objects.create(post=post, reddit_id=reddit_id, **{"first_seen_at": now, "last_seen_at": now, **fields})


def make_quote(post: RedditPost, text: str = "The vest did nothing for my dog.", **fields: Any) -> RedditQuote:
    fields.setdefault("category", RedditQuote.Category.FAILED_SOLUTION)
    fields.setdefault("text_key", quote_key(text))
    fields.setdefault("search_text", folded(text))
    return RedditQuote.objects.create(post=post, text=text, first_seen_at=timezone.now(), **fields)
