"""The made-up reviews: repeatable, skewed to five stars, filtered like the real ones and as irregular."""

from collections import Counter
from datetime import date
from typing import Any

import pytest

from competitors.sandbox.actors.amazon_reviews.query import DOMAINS, Query
from competitors.sandbox.actors.amazon_reviews.sweeps import matching, pages_of
from competitors.sandbox.actors.amazon_reviews.universe import DAY_ZERO, listing
from competitors.sandbox.actors.amazon_reviews.wording import date_sentence, rating_words

ASINS = [f"B0TESTED{number:02d}" for number in range(6)]
KEYWORDS = (
    "great good love amazing excellent perfect works helpful happy recommend "
    "bad terrible awful broke waste refund disappointed quality price value smell taste"
)


def items_of(asin: str = ASINS[0], **options: Any) -> list[dict[str, Any]]:
    query = Query(asin, options.pop("domain", "com"), pages=10, **options)
    return [item for page in pages_of(query, listing(1, asin, query.domain, ()), 1) for item in page]


@pytest.mark.parametrize("asin", ASINS)
def test_a_listing_has_hundreds_of_reviews_with_ids_of_their_own(asin: str) -> None:
    reviews = listing(1, asin, "com", ()).reviews
    assert 300 <= len(reviews) <= 1500
    assert len({review.id for review in reviews}) == len(reviews)
    stars = Counter(review.stars for review in reviews)
    assert set(stars) == {1, 2, 3, 4, 5} and stars[5] == max(stars.values())
    assert max(review.day for review in reviews) <= DAY_ZERO


def test_the_same_seed_gives_the_same_reviews_and_another_seed_others() -> None:
    listing.cache_clear()
    first = listing(1, ASINS[0], "com", (3,))
    listing.cache_clear()
    assert listing(1, ASINS[0], "com", (3,)) == first
    ids = {review.id for review in first.reviews}
    for other in (listing(2, ASINS[0], "com", ()), listing(1, ASINS[0], "de", ()), listing(1, ASINS[1], "com", ())):
        assert not ids & {review.id for review in other.reviews}


def test_a_star_filter_gives_only_that_star() -> None:
    ratings = {str(item["rating"])[0] for item in items_of(stars=2) if "reviewId" in item}
    assert ratings == {"2"}


@pytest.mark.parametrize("keyword", KEYWORDS.split())
def test_every_keyword_finds_reviews_that_contain_it(keyword: str) -> None:
    items = [item for item in items_of(keyword=keyword) if "reviewId" in item]
    assert items
    assert all(keyword in f"{item['title']} {item['text']}".lower() for item in items)


def test_a_sweep_has_ten_pages_of_ten_at_most() -> None:
    items = items_of()
    pages = Counter(item["currentPage"] for item in items)
    assert max(pages) <= 10 and len(items) <= 110


def test_sweeps_overlap() -> None:
    everything = {item.get("reviewId") for item in items_of()}
    assert everything & {item.get("reviewId") for item in items_of(stars=5)}


def test_some_pages_repeat_an_item_and_some_fail() -> None:
    items = [item for asin in ASINS for stars in (None, 5, 4, 1) for item in items_of(asin, stars=stars)]
    errors = [item for item in items if item["statusCode"] != 200]
    assert errors and all("reviewId" not in item for item in errors)
    query = Query(ASINS[0], "com", pages=10)
    pages = [p for asin in ASINS for p in pages_of(Query(asin, "com", pages=10), listing(1, asin, "com", ()), 1)]
    assert any(len(page) == 11 for page in pages), query


def test_a_query_without_a_result_is_one_error_item() -> None:
    assert [item["statusMessage"] for item in items_of(keyword="zebra")] == ["NOT_FOUND"]


def test_helpful_sorts_by_votes() -> None:
    found = listing(1, ASINS[0], "com", ())
    votes = [review.helpful for review in matching(Query(ASINS[0], "com", sort="helpful"), found.reviews)]
    assert votes == sorted(votes, reverse=True) and votes[0] > 0


def test_only_verified_or_only_with_pictures() -> None:
    reviews = listing(1, ASINS[0], "com", ()).reviews
    assert all(review.verified for review in matching(Query(ASINS[0], "com", verified_only=True), reviews))
    assert all(review.images for review in matching(Query(ASINS[0], "com", media_only=True), reviews))


def test_items_have_the_fields_and_irregularities_of_real_ones() -> None:
    items = [item for asin in ASINS for stars in (1, 2, 3, 4, 5) for item in items_of(asin, stars=stars) if "reviewId" in item]
    usual = items[0]
    assert {"reviewId", "text", "date", "rating", "title", "userName", "numberOfHelpful", "variationId"} <= set(usual)
    assert any(item["imageUrlList"] is None for item in items) and any(item["imageUrlList"] == [] for item in items)
    assert any(item["numberOfHelpful"] is None for item in items)
    assert any("verified" not in item for item in items)
    assert any(isinstance(item["rating"], float) for item in items)
    assert any(" out of 5 stars " in item["title"] for item in items)
    assert any(item["text"] == "" for item in items) and any(len(item["text"]) > 1500 for item in items)
    assert any("<br />" in item["text"] for item in items)
    assert any(item["variationId"] != item["asin"] for item in items)
    assert "author" not in usual


def test_dates_and_ratings_are_worded_as_the_marketplace_does() -> None:
    day = date(2025, 7, 4)
    assert date_sentence("com", day) == "Reviewed in the United States on July 4, 2025"
    assert date_sentence("co.uk", day) == "Reviewed in the United Kingdom on 4 July 2025"
    assert date_sentence("de", day) == "Rezension aus Deutschland vom 4. Juli 2025"
    assert rating_words("com", 5) == "5.0 out of 5 stars"
    assert rating_words("de", 4) == "4,0 von 5 Sternen"
    assert all(date_sentence(domain, day) for domain in DOMAINS)
