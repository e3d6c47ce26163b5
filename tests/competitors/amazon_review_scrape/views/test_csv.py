"""The export: the same reviews as the list, all of them, and nothing that a spreadsheet would run."""

import csv
import io
from typing import Any

import pytest
from django.test import Client

from competitors.models import CompetitorAmazonUrl
from tests.competitors.addresses import of_listing
from tests.factories import make_review

pytestmark = pytest.mark.django_db


def exported(client: Client, listing: CompetitorAmazonUrl, **query: Any) -> list[dict[str, str]]:
    response: Any = client.get(of_listing("reviews_csv", listing, **query))
    assert response.status_code == 200
    assert not response.streaming  # no thread waits for a reader
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline="")))


def test_the_file_is_named_after_the_listing(page: Client, listing: CompetitorAmazonUrl) -> None:
    response = page.get(of_listing("reviews_csv", listing))
    assert response["Content-Disposition"] == 'attachment; filename="reviews-B09XK4T2LM-amazon.com.csv"'
    assert response["Content-Type"] == "text/csv; charset=utf-8"


def test_it_holds_every_review_that_matches_not_just_a_page(page: Client, listing: CompetitorAmazonUrl) -> None:
    for number in range(30):
        make_review(listing, review_id=f"R{number:09}", rating=5 if number else 1)
    assert len(exported(page, listing)) == 30
    assert len(exported(page, listing, stars="5", page="2")) == 29


def test_text_comes_out_as_it_came_in(page: Client, listing: CompetitorAmazonUrl) -> None:
    body = 'Two\nlines, a "quote", a comma; ünïcødé 🐶'
    make_review(listing, body=body)
    assert exported(page, listing)[0]["body"] == body


def test_what_is_not_known_is_empty(page: Client, listing: CompetitorAmazonUrl) -> None:
    make_review(listing, rating=None, review_date=None, verified_purchase=None, helpful_votes=None)
    row = exported(page, listing)[0]
    assert [row[name] for name in ("rating", "review_date", "verified_purchase", "helpful_votes")] == [""] * 4


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\n", "＝", "\u200b=", " -", '"='])
def test_a_csv_cell_cannot_be_a_formula(start: str, page: Client, listing: CompetitorAmazonUrl) -> None:
    text = f"{start}HYPERLINK(1)"
    make_review(listing, title=text, body=text, author=text)
    row = exported(page, listing)[0]
    assert [row[name] for name in ("title", "body", "author")] == [f"'{text}"] * 3


def test_the_file_says_that_it_is_utf_8(page: Client, listing: CompetitorAmazonUrl) -> None:
    response: Any = page.get(of_listing("reviews_csv", listing))
    assert response.content.startswith(b"\xef\xbb\xbfreview_id,")


def test_a_bad_filter_is_ignored_here_too(page: Client, listing: CompetitorAmazonUrl) -> None:
    make_review(listing)
    assert len(exported(page, listing, stars="9", sort="x")) == 1
