"""Reddit Research: a row per saved research of a brand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, QuerySet
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from competitors.models import LeftAt, RedditFinding, RedditResearch
from competitors.views.access import get_brand
from competitors.views.subjects.page import Cell, SubjectPage
from pipeline import queries
from pipeline.contract import Estimate
from pipeline.models import Brand, Run

from .. import order
from ..asked import Asked
from ..job import NAME
from .funnel import Funnel, funnels
from .saved.forms import ResearchForm

UNSAVED = 10  # runs that the page shows of those that belong to no research
NAMED = 2  # subreddits in the small line below the name


@dataclass(frozen=True)
class Facts:
    """What the last run of a research brought, and how many quotes the posts have that were kept."""

    funnel: Funnel | None
    quotes: int


class RedditPage(SubjectPage[RedditResearch]):
    job_type = NAME
    url_name, tab = "reddit", "Reddit Research"
    templates = "competitors/reddit_scrape"
    may_view = "competitors.view_redditresearch"
    may_scrape = "competitors.scrape_redditresearch"
    work, verb, noun = "Reddit scrape", "Scrape Reddit", "research"
    key_kind = "int"
    columns = ("Posts → kept", "Quotes")

    def place(self, address: Mapping[str, Any]) -> dict[str, Any]:
        return {"brand": get_brand(address["brand"])}

    def rows(self, place: Mapping[str, Any]) -> QuerySet[RedditResearch]:
        return RedditResearch.objects.filter(brand=place["brand"]).select_related("brand", "persona")

    def key(self, row: RedditResearch) -> str:
        return row.subject

    def anchor(self, row: RedditResearch) -> str:
        return str(row.pk)

    def parameters(self, row: RedditResearch) -> dict[str, Any]:
        return row.parameters()

    def estimate(
        self, row: RedditResearch, parameters: Mapping[str, Any], good_runs: Sequence[queries.GoodRun], price: Decimal
    ) -> Estimate:
        return order.estimate(Asked.of(parameters), good_runs, price)

    def facts(self, rows: Sequence[RedditResearch]) -> dict[str, Facts]:
        if not rows:
            return {}
        brand_id, subjects = rows[0].brand_id, [row.subject for row in rows]
        found = funnels(brand_id, rows)
        kept = RedditFinding.objects.filter(post__brand=brand_id, subject__in=subjects, left_at=LeftAt.KEPT)
        quotes = dict(kept.order_by().values_list("subject").annotate(count=Count("post__quotes")))
        return {subject: Facts(found.get(subject), quotes.get(subject, 0)) for subject in subjects}

    def cells(self, row: RedditResearch, facts: Facts, user: Any) -> list[Cell]:
        posts, quotes = Cell("–", of=f"{row.name} was not scraped yet"), Cell("–", of="not scraped yet")
        if facts.funnel:
            may_list = facts.funnel.posts and user.has_perm("competitors.view_redditpost")
            address = reverse("reddit_posts", args=[row.brand.slug, row.pk]) if may_list else ""
            text = f"{facts.funnel.posts:,} → {facts.funnel.kept:,}"
            posts = Cell(text, facts.funnel.note, address, f"posts of {row.name}")
        if facts.funnel or facts.quotes:
            may_list = facts.quotes and user.has_perm("competitors.view_redditquote")
            address = f"{reverse('reddit_quotes', args=[row.brand.slug])}?research={row.pk}" if may_list else ""
            quotes = Cell(f"{facts.quotes:,}", url=address, of=f"quotes of {row.name}")
        return [posts, quotes]

    def more(self, place: Mapping[str, Any], facts: Mapping[str, Facts]) -> dict[str, Any]:
        brand = place["brand"]
        return {
            "quotes": sum(one.quotes for one in facts.values()),
            # A poll shows neither.
            "unsaved": SimpleLazyObject(lambda: _unsaved(brand, [*facts])),
            "form": SimpleLazyObject(lambda: ResearchForm(brand=brand, auto_id="new_%s")),
            "estimate": SimpleLazyObject(lambda: queries.estimate_for(NAME, brand, RedditResearch(brand=brand).parameters())),
        }

    def nothing_yet(self, facts: Any) -> tuple[str, str]:
        return "No runs yet.", "Press Scrape to fetch posts. You can close this page meanwhile; the run shows up here."

    def below(self, row: RedditResearch) -> str:
        asked = len(row.search_queries)
        queries_ = f"{asked} {'query' if asked == 1 else 'queries'}"
        if not row.subreddits:
            return f"{queries_}, all of Reddit"
        named, more = row.subreddits[:NAMED], len(row.subreddits) - NAMED
        return f"{queries_} in {', '.join(f'r/{name}' for name in named)}{f' and {more} more' if more > 0 else ''}"


def _unsaved(brand: Brand, subjects: Sequence[str]) -> list[queries.RunRow]:
    """The last runs for what no research of the brand asks for."""
    runs = Run.objects.for_rows().asked_or_started().filter(brand=brand, job_type=NAME).exclude(subject__in=subjects)
    return queries.run_rows(runs.order_by("-pk")[:UNSAVED])


page = RedditPage()
