"""A brand with a research that was scraped, one that was not, and a run that belongs to none."""

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from competitors.models import BrandSubreddit, LeftAt, RedditResearch
from pipeline import api
from pipeline.models import Brand, Run
from tests.competitors import runs
from tests.factories import make_person
from tests.reddit_rows import make_finding, make_post, make_quote, make_research

COUNTS = {
    "posts": 103,
    "comments": 486,
    "crossposts": 6,
    "not_measured": 8,
    "past_filters": 53,
    "unmeasured_past_filters": 4,
    "dropped_filters": 49,
    "dropped_nsfw": 1,
    "relevant": 31,
    "unmeasured_relevant": 2,
    "dropped_relevance": 22,
    "kept": 12,
    "unmeasured_kept": 1,
    "dropped_share": 19,
    "quotes": 2,
}


def scraped(research: RedditResearch, **fields: Any) -> Run:
    run = api.queue_one_time_job(research.brand_id, "reddit_scrape", research.parameters()).run
    return runs.ended(run, **{"counts": COUNTS, "summary": "12 kept.", **fields})


def unsaved(brand: Brand, query: str = "dog car sick") -> Run:
    asked = {"search_queries": [query], "subreddits": ["puppy101"], "max_posts": 120, "top_percentile": 0.35}
    return runs.ended(api.queue_one_time_job(brand.pk, "reddit_scrape", asked).run, summary="3 kept.")


@pytest.fixture
def research(brand: Brand) -> RedditResearch:
    return make_research(brand, subreddits=["dogs", "AnxiousDogs", "DogAdvice"])


@pytest.fixture
def found(research: RedditResearch) -> RedditResearch:
    """The research with a post of each result; of the last one neither score nor number of comments is known."""
    for number, left_at in enumerate(LeftAt.values):
        known = left_at != LeftAt.KEPT
        post = make_post(
            research.brand,
            f"1p{number}",
            title=f"Fireworks {left_at}",
            score=100 - number if known else None,
            num_comments=7 if known else None,
        )
        scores = {"relevance": None, "signal": None} if number < 3 else {"relevance": 0.6 + number / 100, "signal": number / 10}
        make_finding(post, research, left_at, unmeasured=not known, **scores)
    make_quote(post)
    make_quote(post, "=HYPERLINK() <b>")
    BrandSubreddit.objects.create(brand=research.brand, name="PuppyHelp")
    return research


@pytest.fixture
def page(db: None) -> Client:
    return signed_in("operator")


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(make_person(f"{role}-person", role))
    return client


def at(brand: Brand, name: str = "reddit", *args: Any) -> str:
    return reverse(name, args=[brand.slug, *args])


def said(response: Any) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def typed(**changes: Any) -> dict[str, Any]:
    """What the browser sends of the form."""
    return {
        "name": "Fear of the vet",
        "topic_context": "Dogs that panic at the vet",
        "search_queries": "dog vet fear\n\n  muzzle   VET \nDog vet fear",
        "timeframe": "year",
        "max_posts": "200",
        "min_upvotes": "10",
        "min_comments": "3",
        "relevance_threshold": "0.55",
        "signal_threshold": "0.45",
        "top_percentile": "12.5",
        "persona": "",
        "persona_context": "",
        "stop_at_usd": "2.50",
        "add": "",
        "do": "save",
    } | changes
