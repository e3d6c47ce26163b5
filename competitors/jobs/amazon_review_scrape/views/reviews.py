"""The reviews of one listing: a page of them, and a CSV file of all that match."""

import logging
from typing import Any
from uuid import UUID

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from competitors.views.requirements import of_rows
from pipeline.contract import ListFile, list_export
from pipeline.views.access import needs

from .access import get_listing
from .review_filter import ReviewFilter

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
    context: dict[str, Any] = {
        "listing": listing,
        "competitor": listing.competitor,
        "brand": listing.competitor.brand,
        "filter": asked,
        "headers": asked.headers(SORT_HEADERS),
    }
    place = {"competitor": listing.competitor, "brand": listing.competitor.brand}
    try:
        context |= of_rows(request, "reviews", place, [listing])
        context |= _read(asked)
    except OperationalError:
        logger.exception("The reviews of %s could not be read.", listing)
        return render(request, "competitors/amazon_review_scrape/reviews.html", context | {"broken": True}, status=503)
    return render(request, "competitors/amazon_review_scrape/reviews.html", context)


def _read(asked: ReviewFilter) -> dict[str, Any]:
    """The page's reviews and the star tabs' counts, in two queries."""
    counts = asked.star_counts()
    page = asked.sheet(asked.reviews(), PAGE_SIZE, count=counts[asked.chosen["stars"]])
    rows = [(review, asked.amazon_page(review.review_id)) for review in page]
    return {"sheet": page, "rows": rows, "star_tabs": asked.star_tabs(counts)}


@list_export("reviews", "competitors.view_competitoramazonurl", "competitors.view_amazonreview")
def review_file(user: Any, query: QueryDict, brand: str, competitor: UUID, url: UUID) -> ListFile:
    """All reviews that the list at this address shows, on all its pages."""
    listing = get_listing(brand, competitor, url)
    rows = ReviewFilter(listing, query).reviews().values_list(*COLUMNS)
    return ListFile(f"reviews-{listing.asin}-amazon.{listing.domain_code}.csv", COLUMNS, rows)
