"""The reviews of one listing: a page of them, and a CSV file of all that match."""

import logging
from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render

from competitors.models import AmazonReview
from competitors.views.csv_export import CHUNK, csv_response
from competitors.views.deep_pages import DeepPaginator
from pipeline.views.access import needs

from .access import get_listing
from .review_filter import FILTERS, ReviewFilter

logger = logging.getLogger(__name__)
PAGE_SIZE = 25
COLUMNS = [
    "review_id",
    "asin",
    "domain_code",
    "variation",
    "rating",
    "title",
    "body",
    "author",
    "review_date",
    "verified_purchase",
    "helpful_votes",
    "first_seen_at",
    "last_seen_at",
]
SORT_HEADERS = {"rating": "Stars", "date": "Written", "helpful": "Helpful", "seen": "First seen"}


@needs("competitors.view_competitoramazonurl", "competitors.view_amazonreview")
def review_list(request: HttpRequest, brand: str, competitor: UUID, url: UUID) -> HttpResponse:
    """Filter, order and page are in the address."""
    listing = get_listing(brand, competitor, url)
    asked = ReviewFilter(listing, request.GET)
    query = asked.url()
    context: dict[str, Any] = {
        "listing": listing,
        "competitor": listing.competitor,
        "brand": listing.competitor.brand,
        "filter": asked,
        "chips": asked.chips(),
        "clear": asked.url(**dict.fromkeys(FILTERS, "")),
        "query": query,
        "page_link": f"{query}&" if len(query) > 1 else query,
        "headers": asked.headers(SORT_HEADERS),
    }
    try:
        context |= _read(asked, request.GET.get("page"))
    except OperationalError:
        logger.exception("The reviews of %s could not be read.", listing)
        return render(request, "competitors/amazon_review_scrape/reviews.html", context | {"broken": True}, status=503)
    return render(request, "competitors/amazon_review_scrape/reviews.html", context)


def _read(asked: ReviewFilter, page_number: str | None) -> dict[str, Any]:
    """The page's reviews and the star tabs' counts, in two queries."""
    counts = asked.star_counts()
    pages = DeepPaginator(asked.reviews(), PAGE_SIZE)
    pages.count = counts[asked.chosen["stars"]]  # already known: saves a query
    page = _page(pages, page_number, asked.warnings)
    rows = [(review, asked.amazon_page(review.review_id)) for review in page]
    return {"sheet": page, "rows": rows, "star_tabs": asked.star_tabs(counts)}


@needs("competitors.view_competitoramazonurl", "competitors.view_amazonreview")
def review_csv(request: HttpRequest, brand: str, competitor: UUID, url: UUID) -> StreamingHttpResponse:
    """All reviews that the list at this address shows, on all its pages."""
    listing = get_listing(brand, competitor, url)
    rows = ReviewFilter(listing, request.GET).reviews().values_list(*COLUMNS).iterator(chunk_size=CHUNK)
    return csv_response(f"reviews-{listing.asin}-amazon.{listing.domain_code}.csv", COLUMNS, rows)


def _page(pages: "Paginator[AmazonReview]", asked: str | None, warnings: list[str]) -> "Page[AmazonReview]":
    """The page with that number. If there is none, the nearest, with a warning."""
    try:
        number = int(asked or 1)
    except ValueError:
        number = 0
    nearest = min(max(number, 1), pages.num_pages)
    if number != nearest:
        warnings.append(f"There is no page “{str(asked)[:40]}”. This is page {nearest} of {pages.num_pages}.")
    return pages.page(nearest)
