"""The reviews list: its state is its address, and no address breaks it."""

import re
from datetime import date
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from competitors.jobs.amazon_review_scrape.views.review_filter import ReviewFilter
from competitors.models import Competitor, CompetitorAmazonUrl
from tests.competitors import runs
from tests.competitors.addresses import of_listing, tab
from tests.factories import make_review

pytestmark = pytest.mark.django_db


@pytest.fixture
def reviews(listing: CompetitorAmazonUrl) -> None:
    make_review(
        listing,
        review_id="R1AAAAAAAA",
        rating=5,
        title="Great chews",
        body="Calm at last",
        author="Ann",
        helpful_votes=3,
        review_date=date(2025, 7, 4),
        verified_purchase=True,
    )
    make_review(
        listing,
        review_id="R2AAAAAAAA",
        rating=1,
        title="Awful",
        body="My dog spat them out",
        author="Bob",
        helpful_votes=9,
        review_date=date(2025, 7, 6),
        verified_purchase=False,
    )
    make_review(
        listing,
        review_id="R3AAAAAAAA",
        rating=None,
        title="",
        body="",
        author="",
        helpful_votes=None,
        review_date=None,
        verified_purchase=None,
    )


def shown(client: Client, listing: CompetitorAmazonUrl, **query: Any) -> list[str]:
    body = client.get(of_listing("reviews", listing, **query)).content.decode()
    return re.findall(r"customer-reviews/(R\d)", body)


@pytest.mark.usefixtures("reviews")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["R2", "R1", "R3"]),
        ({"stars": "5"}, ["R1"]),
        ({"stars": "none"}, ["R3"]),
        ({"verified": "yes"}, ["R1"]),
        ({"verified": "no"}, ["R2"]),
        ({"q": "chews"}, ["R1"]),
        ({"q": "SPAT dog"}, ["R2"]),
        ({"q": "bob"}, ["R2"]),
        ({"q": "chews spat"}, []),
        ({"q": "100%"}, []),
        ({"sort": "date"}, ["R1", "R2", "R3"]),
        ({"sort": "-rating"}, ["R1", "R2", "R3"]),
        ({"sort": "rating"}, ["R2", "R1", "R3"]),
        ({"sort": "-helpful"}, ["R2", "R1", "R3"]),
        ({"sort": "-seen"}, ["R3", "R2", "R1"]),
    ],
)
def test_the_address_says_which_reviews_in_which_order(
    page: Client, listing: CompetitorAmazonUrl, query: dict[str, str], expected: list[str]
) -> None:
    assert shown(page, listing, **query) == expected


@pytest.mark.usefixtures("reviews")
@pytest.mark.parametrize(
    "query",
    [
        {"stars": "9"},
        {"stars": "<script>"},
        {"verified": "maybe"},
        {"sort": "body; drop"},
        {"page": "two"},
        {"page": "99"},
        {"page": "-1"},
        {"page": "9" * 400},
        {"q": "x\x00y"},
        {"q": "y" * 300},
        {"colour": "red"},
        {"run": "x"},
        {"run": "-1"},
        {"run": "9" * 400},
        {"page": "1.5"},
    ],
)
def test_a_bad_value_is_named_and_ignored(page: Client, listing: CompetitorAmazonUrl, query: dict[str, str]) -> None:
    response = page.get(of_listing("reviews", listing, **query))
    body = response.content.decode()
    assert response.status_code == 200
    assert 'class="message tone-amber"' in body
    assert "<script>" not in body.replace("<script src", "")
    assert len(re.findall(r"customer-reviews/R\d", body)) == 3


@pytest.mark.usefixtures("reviews")
def test_words_beyond_the_tenth_are_said_to_be_ignored(page: Client, listing: CompetitorAmazonUrl) -> None:
    body = page.get(of_listing("reviews", listing, q="aa bb cc dd ee ff gg hh ii jj kk")).content.decode()
    assert "Only the first 10 words" in body


@pytest.mark.usefixtures("reviews")
def test_a_letter_ten_times_costs_no_search_and_a_word_twice_costs_one(page: Client, listing: CompetitorAmazonUrl) -> None:
    with CaptureQueriesContext(connection) as queries:
        body = page.get(of_listing("reviews", listing, q="a " * 10 + "chews CHEWS chew")).content.decode()
    assert "Words of one letter are not searched for: a." in body
    sought = {word for query in queries for word in re.findall(r"'%(\w+)%'", query["sql"])}
    assert sought == {"chews"}
    assert re.findall(r"customer-reviews/R\d", body)


@pytest.mark.usefixtures("reviews")
def test_each_filter_in_force_has_a_chip_that_removes_it(page: Client, listing: CompetitorAmazonUrl) -> None:
    body = page.get(of_listing("reviews", listing, stars="5", q="chews", page="1")).content.decode()
    assert re.search(r'href="\?q=chews"><span class="vh">Remove filter </span>Stars: 5 stars', body)
    assert re.search(r'href="\?stars=5"><span class="vh">Remove filter </span>Words: chews', body)
    assert "Clear filters" in body


@pytest.mark.usefixtures("reviews")
def test_what_a_run_brought_is_listed_behind_its_number(page: Client, listing: CompetitorAmazonUrl) -> None:
    run = runs.ended(runs.queued(listing), counts={"new": 1})
    make_review(listing, review_id="R4AAAAAAAA", first_run=run)
    link = re.search(r'id="gained-B09XK4T2LM" href="([^"]+)">\+1<', page.get(tab(listing.competitor)).content.decode())
    assert link
    body = page.get(link[1]).content.decode()
    assert re.findall(r"customer-reviews/(R\d)", body) == ["R4"]
    assert re.search(rf'href="\?"><span class="vh">Remove filter </span>New in run: {run.pk}', body)
    of_run = page.get(run.get_absolute_url()).content.decode()
    assert f'{of_listing("reviews", listing, run=run.pk)}">See the 1 new row</a>' in of_run
    assert "It works." in of_run


@pytest.mark.usefixtures("reviews")
def test_star_tabs_count_under_the_other_filters(page: Client, listing: CompetitorAmazonUrl) -> None:
    counts = page.get(of_listing("reviews", listing, verified="yes")).context["star_tabs"]
    assert {tab["label"]: tab["count"] for tab in counts} == {
        "All": 1,
        "5 stars": 1,
        "4 stars": 0,
        "3 stars": 0,
        "2 stars": 0,
        "1 star": 0,
    }


@pytest.mark.usefixtures("reviews")
def test_the_sorted_column_says_so(page: Client, listing: CompetitorAmazonUrl) -> None:
    body = page.get(of_listing("reviews", listing, sort="rating")).content.decode()
    assert body.count("aria-sort") == 1
    assert re.search(r'aria-sort="ascending"><a href="\?sort=-rating">Stars', body)


def test_25_to_a_page_and_the_filter_stays(page: Client, listing: CompetitorAmazonUrl) -> None:
    for number in range(26):
        make_review(listing, review_id=f"R{number:09}", rating=4)
    first = page.get(of_listing("reviews", listing, stars="4")).content.decode()
    assert 'href="?stars=4&amp;page=2"' in first
    assert "1 to 25 of 26 reviews" in first
    assert "26 to 26 of 26 reviews" in page.get(of_listing("reviews", listing, stars="4", page="2")).content.decode()


def test_the_sections_above_stay_reachable(page: Client, listing: CompetitorAmazonUrl) -> None:
    assert (
        '<a href="/competitors/" aria-current="true">Competitors</a>' in page.get(of_listing("reviews", listing)).content.decode()
    )


def test_the_number_of_queries_does_not_grow_with_the_reviews(
    page: Client, listing: CompetitorAmazonUrl, django_assert_max_num_queries: Any
) -> None:
    for number in range(25):
        make_review(listing, review_id=f"R{number:09}")
    with django_assert_max_num_queries(13):
        page.get(of_listing("reviews", listing))


def test_a_never_scraped_listing_sends_to_the_button(page: Client, listing: CompetitorAmazonUrl) -> None:
    body = page.get(of_listing("reviews", listing)).content.decode()
    assert "No reviews yet." in body
    assert "never scraped" in body


@pytest.mark.usefixtures("reviews")
def test_an_empty_filter_result_offers_to_clear(page: Client, listing: CompetitorAmazonUrl) -> None:
    body = page.get(of_listing("reviews", listing, q="nothing like it")).content.decode()
    assert "No reviews match these filters." in body
    assert "No reviews yet." not in body


def test_a_database_that_does_not_answer_loses_nothing(page: Client, listing: CompetitorAmazonUrl, monkeypatch: Any) -> None:
    def fail(self: ReviewFilter) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(ReviewFilter, "star_counts", fail)
    response = page.get(of_listing("reviews", listing, stars="5"))
    assert response.status_code == 503
    assert "The list could not be read just now." in response.content.decode()


def test_a_listing_tracked_twice_shows_the_same_reviews(
    page: Client, listing: CompetitorAmazonUrl, foreign: CompetitorAmazonUrl
) -> None:
    make_review(foreign, review_id="R9AAAAAAAA")
    assert shown(page, listing) == ["R9"]


def test_another_marketplaces_reviews_are_not_shown(page: Client, listing: CompetitorAmazonUrl) -> None:
    make_review(listing, review_id="R9AAAAAAAA", domain_code="de")
    assert shown(page, listing) == []


def test_scraped_text_is_text(page: Client, listing: CompetitorAmazonUrl) -> None:
    evil = "<img src=x onerror=alert(1)>"
    make_review(listing, review_id='"><script>', title=evil, body=evil * 40, author=evil)
    body = page.get(of_listing("reviews", listing)).content.decode()
    assert "<img" not in body
    assert "&lt;img src=x" in body
    assert "customer-reviews" not in body


def test_the_pages_own_words_do_not_hide_the_frame(page: Client, listing: CompetitorAmazonUrl) -> None:
    """A context variable of a view must not take the name of what every page needs."""
    shown = page.get(listing.reviews_url()).content.decode()
    assert 'aria-current="true">Competitors' in shown
    assert "times in Los Angeles" in shown


@pytest.mark.parametrize("words", ["müller", "MULLER", "Äpfel", "ÄPFEL apfel", "ＡＰＦＥＬ", "schon"])
def test_words_are_found_whatever_their_case_and_accents(page: Client, listing: CompetitorAmazonUrl, words: str) -> None:
    make_review(listing, review_id="R1", title="Schöne ÄPFEL", author="Frau Müller")
    make_review(listing, review_id="R2", title="Birnen")
    found = page.get(of_listing("reviews", listing, q=words)).context["rows"]
    assert [review.review_id for review, _ in found] == ["R1"]


def test_text_from_right_to_left_keeps_to_its_place(page: Client, listing: CompetitorAmazonUrl) -> None:
    turned = "\u202eمرحبا"
    CompetitorAmazonUrl.objects.update(product_title=turned)
    Competitor.objects.update(name=turned)
    make_review(listing, title=turned, body=turned, author=turned)
    for address in (of_listing("reviews", listing), listing.get_absolute_url(), of_listing("amazon_remove", listing)):
        shown = page.get(address).content.decode()
        title, _, body = shown.partition("</title>")
        assert "\u202e" not in title
        assert turned in body
        loose = re.sub(r"<bdi>[^<]*</bdi>|=\"[^\"]*\"", "", body)
        assert [loose[hit.start() - 60 : hit.end()] for hit in re.finditer(turned, loose)] == [], address
