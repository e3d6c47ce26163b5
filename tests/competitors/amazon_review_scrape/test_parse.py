"""Items as the actor sends them, and as it should not."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from competitors.jobs.amazon_review_scrape.parse import Rejected, Review, parse_date, parse_item, parse_rating
from tests.factories import read_items

ITEM = {
    "statusCode": 200,
    "statusMessage": "FOUND",
    "asin": "B09XK4T2LM",
    "domainCode": "com",
    "reviewId": "R1ABCDEFGH",
    "text": "It works.",
    "date": "Reviewed in the United States on July 4, 2025",
    "rating": "5.0 out of 5 stars",
    "title": "Good",
    "userName": "A. B.",
    "numberOfHelpful": 3,
    "verified": True,
}


def parsed(**changes):
    return parse_item({**ITEM, **changes}, "B000000000", "com")


def test_an_item_becomes_a_row():
    assert parsed().row == {
        "review_id": "R1ABCDEFGH",
        "asin": "B09XK4T2LM",
        "domain_code": "com",
        "rating": 5,
        "review_date": date(2025, 7, 4),
        "helpful_votes": 3,
        "title": "Good",
        "body": "It works.",
        "author": "A. B.",
        "verified_purchase": True,
    }


@pytest.mark.parametrize(
    ("sentence", "read"),
    [
        ("Reviewed in the United States on July 4, 2025", date(2025, 7, 4)),
        ("Reviewed in the United Kingdom on 24 November 2024", date(2024, 11, 24)),
        ("Reviewed in India on 1 May 2023", date(2023, 5, 1)),
        ("Rezension aus Deutschland vom 5. Oktober 2025", date(2025, 10, 5)),
        ("Rezension aus Deutschland vom 3. März 2025", date(2025, 3, 3)),
        ("Avis laissé en France le 14 août 2024", date(2024, 8, 14)),
        ("Commenté en France le 1er février 2024", date(2024, 2, 1)),
        ("Reseñado en España el 2 de enero de 2025", date(2025, 1, 2)),
        ("Revisado en México el 30 de septiembre de 2023", date(2023, 9, 30)),
        ("Recensito in Italia il 9 luglio 2025", date(2025, 7, 9)),
        ("Avaliado no Brasil em 7 de março de 2025", date(2025, 3, 7)),
        ("Beoordeeld in Nederland op 11 mei 2025", date(2025, 5, 11)),
        ("Recenserad i Sverige den 8 augusti 2025", date(2025, 8, 8)),
        ("2025年10月5日に日本でレビュー済み", date(2025, 10, 5)),
        ("2025-10-05", date(2025, 10, 5)),
        ("2025-10-05T23:59:59.000Z", date(2025, 10, 5)),
        ("Reviewed in the United States on February 30, 2025", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (20250101, None),
    ],
)
def test_the_date_is_read_out_of_its_sentence(sentence, read):
    assert parse_date(sentence) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("5.0 out of 5 stars", 5),
        ("1,0 von 5 Sternen", 1),
        ("4,0 sur 5 étoiles", 4),
        ("5つ星のうち3.0", 3),
        (4.0, 4),
        (2, 2),
        ("3", 3),
        (0, None),
        (6, None),
        ("55 out of 5", None),
        ("no stars", None),
        (None, None),
        (True, None),
        (float("nan"), None),
        ("", None),
    ],
)
def test_the_rating_is_the_first_number_and_within_one_to_five(value, read):
    assert parse_rating(value) == read


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("text", "Not an object"),
        (None, "Not an object"),
        ([], "Not an object"),
        ({"statusCode": 404, "asin": "B09XK4T2LM"}, "Amazon answered with an error item"),
        ({**ITEM, "error": "blocked"}, "Amazon answered with an error item"),
        ({**ITEM, "reviewId": None}, "No review id"),
        ({**ITEM, "reviewId": "  "}, "No review id"),
    ],
)
def test_only_what_is_no_review_is_rejected(item, reason):
    assert parse_item(item, "B09XK4T2LM", "com") == Rejected(reason)


def test_what_cannot_be_read_is_empty_and_named():
    review = parsed(rating="many", date="some day", numberOfHelpful="lots")
    assert (review.row["rating"], review.row["review_date"], review.row["helpful_votes"]) == (None, None, None)
    assert review.unread == ["rating", "review_date", "helpful_votes"]


def test_what_is_missing_is_empty_and_not_named():
    review = parse_item({"reviewId": "R1"}, "B09XK4T2LM", "de")
    assert (review.row["asin"], review.row["domain_code"], review.row["title"], review.unread) == ("B09XK4T2LM", "de", "", [])


def test_the_rating_in_front_of_a_title_is_dropped_and_nothing_else():
    assert parsed(title="5.0 out of 5 stars Great chews").row["title"] == "Great chews"
    assert parsed(title="5 stars from my dog").row["title"] == "5 stars from my dog"


@pytest.mark.parametrize("text", ["x" * 5000, "🐶 good 👍🏽", "a &amp; b<br />c", "tab\tnew\nline\\", ""])
def test_text_stays_as_it_came(text):
    row = parsed(title=text, text=text, userName=text).row
    assert (row["title"], row["body"], row["author"]) == (text, text, text)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.one_of(anything, st.fixed_dictionaries(dict.fromkeys(ITEM, anything))))
def test_no_item_whatever_raises(item):
    result = parse_item(item, "B09XK4T2LM", "com")
    assert isinstance(result, Review | Rejected)
    if isinstance(result, Review):
        assert result.row["rating"] in (None, 1, 2, 3, 4, 5)


@pytest.mark.needs_samples
def test_every_real_review_is_read_whole(samples):
    items = read_items(samples / "amazon_reviews.jsonl")
    assert len(items) == 1352
    for item in items:
        review = parse_item(item, "B000000000", "com")
        assert (review.unread, review.row["body"], review.row["title"]) == ([], item.get("text", ""), item.get("title", ""))
        assert review.row["rating"] and review.row["review_date"]


@pytest.mark.needs_samples
def test_real_rows_without_an_id_are_rejected_and_their_dates_are_read(samples):
    items = read_items(samples / "amazon_reviews_without_id.jsonl")
    assert {parse_item(item, "B000000000", "com") for item in items} == {Rejected("No review id")}
    unread = [item["date"] for item in items if item.get("date") and parse_date(item["date"]) is None]
    assert not unread, unread[:5]
