"""The quotes of a brand: a page of them with their scores, and a CSV file of all that match."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render

from competitors.models import Persona, RedditQuote
from competitors.views.access import get_brand
from pipeline.views.access import needs
from pipeline.views.csv_export import CHUNK, csv_response

from .card import Card
from .quote_filter import QuoteFilter, with_sources

VIEW = ("competitors.view_redditquote", "competitors.view_redditpost")
COLUMNS = [
    "category",
    "quote",
    "signal",
    "relevance",
    "phrase",
    "said_in",
    "subreddit",
    "post_title",
    "upvotes",
    "comments",
    "written_at",
    "address",
    "first_seen_at",
]


@needs(*VIEW)
def quote_list(request: HttpRequest, brand: str) -> HttpResponse:
    """Filter, order and page are in the address."""
    owner = get_brand(brand)
    asked = QuoteFilter(owner, request.GET)
    context = list_context(request, asked) | {
        "personas": Persona.objects.filter(brand=owner),
        "may_copy": request.user.has_perm("competitors.add_personaquote") and not owner.closed,
    }
    return render(request, "competitors/reddit_scrape/quotes/all.html", context)


@needs(*VIEW)
def quote_csv(request: HttpRequest, brand: str) -> StreamingHttpResponse:
    """All quotes that the list at this address shows, on all its pages."""
    owner = get_brand(brand)
    return csv_of(QuoteFilter(owner, request.GET).quotes(), f"quotes-{owner.slug}.csv")


def list_context(request: HttpRequest, asked: QuoteFilter) -> dict[str, Any]:
    """What templates/competitors/reddit_scrape/quotes/_list.html shows."""
    sheet = asked.page
    return {
        "brand": asked.brand,
        "filter": asked,
        "sheet": sheet,
        "cards": [Card(quote) for quote in sheet],
        "here": request.get_full_path(),
    }


def csv_of(quotes: "QuerySet[RedditQuote]", filename: str) -> StreamingHttpResponse:
    def rows() -> Iterator[list[Any]]:
        for quote in with_sources(quotes).iterator(chunk_size=CHUNK):
            card, post = Card(quote), quote.post
            yield [
                quote.get_category_display(),
                quote.text,
                quote.signal,
                quote.relevance,
                card.why.phrase,
                "comment" if quote.comment_id else "post",
                post.subreddit,
                post.title,
                card.upvotes,
                post.num_comments,
                card.written_at,
                card.url,
                quote.first_seen_at,
            ]

    return csv_response(filename, COLUMNS, rows())
