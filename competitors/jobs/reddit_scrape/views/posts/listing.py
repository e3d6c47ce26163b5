"""The posts that a research found: a page of them with their scores, and a CSV file of all that match."""

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render

from competitors.models import RedditResearch
from competitors.views.requirements import of_rows
from pipeline.contract import ListFile, list_export
from pipeline.views.access import needs

from ..page import page
from ..why import Why
from .post_filter import PostFilter

PAGE_SIZE = 25
COLUMNS = {
    "reddit_id": "post__reddit_id",
    "subreddit": "post__subreddit",
    "title": "post__title",
    "body": "post__body",
    "upvotes": "post__score",
    "comments": "post__num_comments",
    "created_at": "post__created_at",
    "relevance": "relevance",
    "signal": "signal",
    "result": "left_at",
    "permalink": "post__permalink",
    "first_seen_at": "post__first_seen_at",
    "last_seen_at": "post__last_seen_at",
}


@needs("competitors.view_redditresearch", "competitors.view_redditpost")
def post_list(request: HttpRequest, brand: str, pk: int) -> HttpResponse:
    """Filter, order and page are in the address."""
    research = _research(brand, pk)
    asked = PostFilter(research, request.GET)
    counts = asked.counts()
    found = asked.findings().select_related("post").defer("post__search_text")
    sheet = asked.sheet(found, PAGE_SIZE, count=counts[asked.chosen["left_at"]])
    context = {"brand": research.brand, "research": research, "filter": asked, "tabs": asked.tabs(counts), "sheet": sheet}
    context["rows"] = [(finding, Why.of(finding)) for finding in sheet]
    context |= of_rows(request, "reddit_posts", {"brand": research.brand}, [research])
    return render(request, "competitors/reddit_scrape/posts.html", context)


@list_export("reddit_posts", "competitors.view_redditresearch", "competitors.view_redditpost")
def post_file(user: Any, query: QueryDict, brand: str, pk: int) -> ListFile:
    """All posts that the list at this address shows, on all its pages."""
    research = _research(brand, pk)
    found = PostFilter(research, query).findings().values_list(*COLUMNS.values())
    return ListFile(f"posts-{research.pk}.csv", [*COLUMNS], found)


def _research(brand: str, pk: int) -> RedditResearch:
    return get_object_or_404(page.rows(page.place({"brand": brand})), pk=pk)
