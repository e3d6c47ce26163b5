"""The pages of items that the actor writes for one query of a made-up listing."""

import random
from typing import Any

from ...plan import Item
from .query import PAGE_SIZE, Query
from .universe import Listing, Review
from .wording import rating_words


def pages_of(query: Query, found: Listing, seed: int) -> list[list[Item]]:
    """Pages of ten items. A query without results gives one error item. Some pages fail or repeat an item."""
    hits = matching(query, found.reviews)
    if not hits:
        return [[error_item(query, 1)]]
    facts = _page_facts(query, found, len(hits))
    shown = hits[: query.pages * PAGE_SIZE]
    pages = []
    for number, start in enumerate(range(0, len(shown), PAGE_SIZE), start=1):
        rng = random.Random(f"{seed}:{query}:{number}")
        if number > 1 and rng.random() < 0.01:
            pages.append([error_item(query, number)])
            continue
        page = shown[start : start + PAGE_SIZE]
        if number > 1 and rng.random() < 0.05:
            page = [shown[start - 1], *page]  # a new review moved the list between two pages
        pages.append([facts | {"currentPage": number} | review_item(query, review) for review in page])
    return pages


def matching(query: Query, reviews: tuple[Review, ...]) -> list[Review]:
    hits = [
        review
        for review in reviews
        if (query.stars is None or review.stars == query.stars)
        and (not query.verified_only or review.verified)
        and (not query.media_only or review.images)
        and (query.keyword is None or review.mentions(query.keyword))
    ]
    if query.sort == "helpful":
        hits.sort(key=lambda review: -review.helpful)
    return hits


def error_item(query: Query, page: int) -> Item:
    return {
        "statusCode": 404,
        "statusMessage": "NOT_FOUND",
        "asin": query.asin,
        "domainCode": query.domain,
        "currentPage": page,
        "sortStrategy": query.sort,
        "filters": query.filters,
    }


def review_item(query: Query, review: Review) -> Item:
    """The review's own fields, with the irregularities of real items."""
    oddity = int(review.id[-4:].encode().hex(), 16) % 100  # depends on the id only, so that a new scrape finds no change
    rating: Any = float(review.stars) if oddity == 0 else rating_words(query.domain, review.stars)
    item: Item = {
        "reviewId": review.id,
        "text": review.text,
        "date": review.date_text,
        "rating": rating,
        "title": f"{rating_words(query.domain, review.stars)} {review.title}" if oddity < 4 else review.title,
        "userName": review.author,
        "numberOfHelpful": None if oddity == 5 else review.helpful,
        "variationId": review.variation,
        "variationList": [f"Size: {review.size}"] if review.size else None,
        "imageUrlList": _images(review),
        "videoUrlList": None if review.images is None else [],
        "locale": None,
        "verified": review.verified,
        "vine": review.vine,
        "profilePath": f"/gp/profile/amzn1.account.{review.profile}",
    }
    if oddity == 6:
        del item["verified"]
    return item


def _images(review: Review) -> list[str] | None:
    if review.images is None:
        return None
    return [f"https://images.example.com/{review.id}-{number}.jpg" for number in range(1, review.images + 1)]


def _page_facts(query: Query, found: Listing, hits: int) -> Item:
    """The page and product fields that every item repeats."""
    total = len(found.reviews)
    spread = [sum(review.stars == stars for review in found.reviews) for stars in (5, 4, 3, 2, 1)]
    names = ("fiveStar", "fourStar", "threeStar", "twoStar", "oneStar")
    mean = sum(stars * count for stars, count in zip((5, 4, 3, 2, 1), spread, strict=True)) / total
    return {
        "statusCode": 200,
        "statusMessage": "FOUND",
        "asin": query.asin,
        "productTitle": found.title,
        "currentPage": 1,
        "sortStrategy": query.sort,
        "countReviews": hits,
        "countRatings": total * 4,
        "domainCode": query.domain,
        "filters": query.filters,
        "productRating": f"{mean:.1f} out of 5",
        "reviewSummary": {name: {"percentage": round(100 * n / total)} for name, n in zip(names, spread, strict=True)},
    }
