"""Items as the actor sends them, and as it should not."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from competitors.jobs.amazon_review_scrape.parse import LANGUAGES, Rejected, Review, parse_item
from competitors.reading import decoded, read_date
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
    return parse_item({**ITEM, **changes}, "B09XK4T2LM", "com")


def test_an_item_becomes_a_row():
    assert parsed().row == {
        "review_id": "R1ABCDEFGH",
        "asin": "B09XK4T2LM",
        "domain_code": "com",
        "variation": "",
        "rating": 5,
        "review_date": date(2025, 7, 4),
        "helpful_votes": 3,
        "title": "Good",
        "body": "It works.",
        "author": "A. B.",
        "verified_purchase": True,
    }


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
        ({**ITEM, "reviewId": "\0"}, "No review id"),
        ({**ITEM, "reviewId": "R\ud800"}, "No review id"),
        ({**ITEM, "reviewId": "R" * 41}, "No review id"),
    ],
)
def test_only_what_is_no_review_is_rejected(item, reason):
    assert parse_item(item, "B09XK4T2LM", "com") == Rejected(reason)


@pytest.mark.parametrize(
    ("named", "variation"),
    [
        ({"asin": "B0CHILD001"}, "B0CHILD001"),
        ({"asin": "b0aaaaaaa1"}, "B0AAAAAAA1"),
        ({"asin": " B0CHILD001\n"}, "B0CHILD001"),
        ({"asin": "B09XK4T2LM", "variationId": "B0CHILD001"}, "B0CHILD001"),
        ({"asin": None, "variationId": "B0CHILD001"}, "B0CHILD001"),
        ({"asin": "B0CHILD001", "variationId": "B0CHILD002"}, "B0CHILD001"),
        ({"asin": "b09xk4t2lm"}, ""),
        ({"asin": "B0CHİLD001"}, ""),
        ({"asin": "B09XK4T2LM0"}, ""),
        ({"asin": ["B0CHILD001"]}, ""),
        ({"asin": 10**400}, ""),
        ({"domainCode": "COM"}, ""),
        ({"domainCode": "amazon.com"}, ""),
        ({"domainCode": "de"}, ""),
        ({"asin": None, "domainCode": None}, ""),
    ],
)
def test_a_review_belongs_to_the_listing_that_was_asked_for_whatever_it_names(named, variation):
    row = parsed(**named).row
    assert (row["asin"], row["domain_code"], row["variation"]) == ("B09XK4T2LM", "com", variation)


def test_what_cannot_be_read_is_empty_and_named():
    review = parsed(rating="many", date="some day", numberOfHelpful="lots")
    assert (review.row["rating"], review.row["review_date"], review.row["helpful_votes"]) == (None, None, None)
    assert review.unread == ["rating", "review_date", "helpful_votes"]


def test_what_is_missing_is_empty_and_not_named():
    review = parse_item({"reviewId": "R1"}, "B09XK4T2LM", "de")
    assert (review.row["asin"], review.row["domain_code"], review.row["title"], review.unread) == ("B09XK4T2LM", "de", "", [])


@pytest.mark.parametrize("field", ["rating", "date"])
def test_a_sentence_in_a_language_of_no_marketplace_is_unread(field):
    turkish = {"rating": "5 yıldız üzerinden 2,0", "date": "5 Mayıs 2024 tarihinde Türkiye'de değerlendirildi"}
    review = parsed(**{field: turkish[field]})
    assert review.unread == [{"date": "review_date"}.get(field, field)]
    assert review.row[review.unread[0]] is None


@pytest.mark.parametrize(
    ("title", "kept"),
    [
        ("5.0 out of 5 stars Great chews", "Great chews"),
        ("5.0 out of 5 stars 4 &lt; 5", "4 < 5"),
        ("4 out of 5 dentists agree", "4 out of 5 dentists agree"),
        ("5 out of 5 dentists agree", "5 out of 5 dentists agree"),
        ("2 out of 5 bulbs arrived dead", "2 out of 5 bulbs arrived dead"),
    ],
)
def test_only_the_reviews_own_rating_before_a_title_is_dropped(title, kept):
    assert parsed(title=title).row["title"] == kept


@pytest.mark.parametrize("text", ["x" * 5000, "🐶 good 👍🏽", "R&D <3", "tab\tnew\nline\\", ""])
def test_text_stays_as_it_came(text):
    row = parsed(title=text, text=text, userName=text).row
    assert (row["title"], row["body"], row["author"]) == (text, text, text)


def test_html_in_texts_is_decoded_once():
    row = parsed(title="a &amp;lt; b", text="Good<br />Tom &amp; Jerry", userName="J&uuml;rgen").row
    assert (row["title"], row["body"], row["author"]) == ("a &lt; b", "Good\nTom & Jerry", "Jürgen")


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
        assert (review.unread, review.row["title"]) == ([], decoded(item.get("title")))
        assert review.row["body"] == decoded(item.get("text"))
        assert review.row["rating"] and review.row["review_date"]


@pytest.mark.needs_samples
def test_real_rows_without_an_id_are_rejected_and_their_dates_are_read(samples):
    items = read_items(samples / "amazon_reviews_without_id.jsonl")
    assert {parse_item(item, "B000000000", "com") for item in items} == {Rejected("No review id")}
    unread = [item["date"] for item in items if item.get("date") and read_date(item["date"], LANGUAGES) is None]
    assert not unread, unread[:5]
