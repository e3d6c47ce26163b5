"""The two paid starts of a research: the posts, then the comments of those past the filters. And what both are expected to cost.

`price` is that of an item, USD; every post and every comment is one.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import ROUND_FLOOR, Decimal
from statistics import median
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Sum

from pipeline.contract import Estimate, Order, cents
from pipeline.models import Run, UpstreamRun
from pipeline.queries import GoodRun

from .asked import USUAL_POSTS, Asked

ACTOR = "fatihtahta/reddit-scraper-search-fast"
MEMORY_MB, TIMEOUT = 1024, timedelta(seconds=600)
POSTS, COMMENTS = "start", "comments"  # the steps of a run
COMMENTS_EACH = 50  # read of a post at most; unless it is set, the actor reads 50,000
FEWEST_ITEMS = 10  # for less money nothing is started
# Before anything is known of a research: which part of the posts asked for comes, which part of these passes the filters, and how
# many comments each has.
USUAL_FILL, USUAL_PASS, USUAL_COMMENTS = Decimal("0.4"), Decimal("0.3"), 20
START_SECONDS, USUAL_SECONDS = 60, 0.1  # of the actor's two starts, and of each item

Thread = tuple[str, int]  # the address of a post, and how many comments it may bring


def usual_price() -> Decimal:
    """USD of one item until Apify tells the price. The run's cost is what Apify says."""
    price: Decimal = settings.REDDIT_PRICE_USD
    return price / 1000


def posts_order(asked: Asked, left: Decimal, good_runs: Sequence[GoodRun], price: Decimal) -> Order:
    """The posts of all searches; their total is divided among the searches. The caps are above it: reaching one is a fault.

    In subreddits, each search is an address: the actor's field for a subreddit takes one only, and its list beside it takes
    words to search for there, not more subreddits.
    """
    most = asked.max_posts + max(asked.max_posts // 10, FEWEST_ITEMS) + asked.sources  # a search may bring its subreddit too
    options = {
        "maxPosts": asked.max_posts // asked.sources,
        "sort": "relevance",
        "timeframe": asked.timeframe,
        "scrapeComments": False,
    }
    if asked.subreddits:
        where: dict[str, Any] = {"urls": [_search(name, query, asked) for name in asked.subreddits for query in asked.queries]}
    else:
        where = {"queries": list(asked.queries)}
    return _order({**where, **options}, most, left, price, expected=usual_posts(asked, good_runs))


def comments_order(threads: Sequence[Thread], left: Decimal, price: Decimal) -> Order:
    """The comments of these posts, best posts first. Each post comes again with its comments, and is paid for again."""
    expected = sum(1 + comments for _, comments in threads)
    most = expected + max(expected // 10, FEWEST_ITEMS)
    options = {"maxPosts": len(threads), "sort": "relevance", "scrapeComments": True}
    return _order({"urls": [url for url, _ in threads], **options}, most, left, price, expected=Decimal(expected))


def left_of(run: Run, step: str, stop_at_usd: Decimal) -> Decimal:
    """USD that the start of this step may cost at most: what the run's other starts, and this step's failed ones, have left."""
    good = (*UpstreamRun.OPEN, UpstreamRun.Status.SUCCEEDED)
    others = UpstreamRun.objects.paid().filter(run=run).exclude(step=step, status__in=good)
    spent = others.aggregate(sum=Sum("cost"))["sum"] or Decimal(0)
    return max(stop_at_usd - spent, Decimal(0)).quantize(Decimal("0.01"), rounding=ROUND_FLOOR)


def is_enough(left: Decimal, price: Decimal) -> bool:
    return left >= max(FEWEST_ITEMS * price, Decimal("0.01"))


def estimate(asked: Asked, good_runs: Sequence[GoodRun], price: Decimal) -> Estimate:
    """What a research is expected to cost and take, both starts together."""
    items, posts = usual_items(asked, good_runs), asked.max_posts
    cap = min(cents(posts * (2 + COMMENTS_EACH) * price), asked.stop_at_usd)
    known = [took.seconds for run in good_runs if (took := run.effort) and took.seconds]
    seconds = int(median(known)) if known else int(START_SECONDS + float(items) * USUAL_SECONDS)
    return Estimate(min(cents(items * price), cap), cap, seconds)


def usual_posts(asked: Asked, good_runs: Sequence[GoodRun]) -> Decimal:
    known = [run.counts["posts"] * _scale(asked, run) for run in good_runs if run.counts.get("posts")]
    return median(known) if known else asked.max_posts * USUAL_FILL


def usual_items(asked: Asked, good_runs: Sequence[GoodRun]) -> Decimal:
    """How many items are paid for, of both starts."""
    known = [took.usd / took.price * _scale(asked, run) for run in good_runs if (took := run.effort) and took.usd and took.price]
    return median(known) if known else asked.max_posts * USUAL_FILL * (1 + USUAL_PASS * (1 + USUAL_COMMENTS))


def _scale(asked: Asked, run: GoodRun) -> Decimal:
    return Decimal(asked.max_posts) / (run.parameters.get("max_posts") or USUAL_POSTS)


def _order(given: dict[str, Any], most: int, left: Decimal, price: Decimal, expected: Decimal) -> Order:
    cap = max(min(cents(most * price), left), Decimal("0.01"))
    return Order(
        source="apify",
        actor=ACTOR,
        input={**given, "includeNsfw": False, "maxComments": COMMENTS_EACH},
        memory_mb=MEMORY_MB,
        timeout=TIMEOUT,
        max_items=most,
        max_cost_usd=cap,
        estimate_usd=min(cents(expected * price), cap),
        price_per_item_usd=price,
    )


def _search(subreddit: str, query: str, asked: Asked) -> str:
    asks = {"q": query, "restrict_sr": "1", "sort": "relevance", "t": asked.timeframe}
    return f"https://www.reddit.com/r/{subreddit}/search/?{urlencode(asks)}"
