"""The quotes of a brand: a page of them with their scores, and a CSV file of all that match."""

from typing import Any

from django.db.models import QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from competitors.models import Persona, RedditQuote, post_url
from competitors.views.access import get_brand
from pipeline.contract import ListFile, list_export
from pipeline.views.access import needs

from ..why import LONGEST_NAME
from .card import Card
from .quote_filter import QuoteFilter

VIEW = ("competitors.view_redditquote", "competitors.view_redditpost")
CATEGORIES = {one.value: str(one.label) for one in RedditQuote.Category}
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


@list_export("reddit_quotes", *VIEW)
def quote_file(user: Any, query: QueryDict, brand: str) -> ListFile:
    """All quotes that the list at this address shows, on all its pages."""
    owner = get_brand(brand)
    return file_of(QuoteFilter(owner, query).quotes(), f"quotes-{owner.slug}.csv")


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


def file_of(quotes: "QuerySet[RedditQuote]", name: str) -> ListFile:
    """By values, which takes a third of the time of rows as objects."""
    read = quotes.values_list(
        "category",
        "text",
        "signal",
        "relevance",
        KeyTextTransform("phrase", "why"),
        "comment",
        "post__subreddit",
        "post__title",
        "post__score",
        "comment__score",
        "post__num_comments",
        Coalesce("comment__created_at", "post__created_at"),
        "post__permalink",
        "post__reddit_id",
        "comment__reddit_id",
        "first_seen_at",
    )

    return ListFile(name, COLUMNS, read, _cells)


def _cells(row: tuple[Any, ...]) -> list[Any]:
    category, text, signal, relevance, phrase, in_comment, subreddit, title, of_post, of_comment, *others = row
    comments, written, permalink, post_id, comment_id, seen = others
    return [
        CATEGORIES.get(category, category),
        text,
        signal,
        relevance,
        str(phrase or "")[:LONGEST_NAME],
        "comment" if in_comment else "post",
        subreddit,
        title,
        of_comment if in_comment else of_post,
        comments,
        written,
        post_url(permalink, post_id, comment_id),
        seen,
    ]
