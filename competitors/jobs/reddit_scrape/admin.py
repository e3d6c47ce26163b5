"""Researches in the stock admin; and Reddit's rows, which come from scrapes alone, so they are read-only here."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from competitors.models import (
    PersonaQuote,
    RedditComment,
    RedditFinding,
    RedditPost,
    RedditQuote,
    RedditResearch,
    reddit_subject,
)
from competitors.subject_admin import ScrapesSubjects, UnlessLive
from pipeline.admin.base import EngineRows
from pipeline.contract import get_type

from .fields import ListField, SubredditsField
from .job import NAME
from .views.page import page
from .views.saved.changes import save_research


class ResearchAdminForm(forms.ModelForm):
    """What a scrape would refuse is refused here."""

    search_queries = ListField(help_text="One per line.")
    subreddits = SubredditsField(required=False, help_text="Separated by commas. Empty: all of Reddit.")

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        brand = found.get("brand") or getattr(self.instance, "brand", None)
        if self.errors or brand is None:
            return found
        queries = found.get("search_queries", self.instance.search_queries)
        subreddits = found.get("subreddits", self.instance.subreddits)
        persona = found.get("persona")
        given = {"search_queries": queries, "subreddits": subreddits, "persona_id": persona.pk if persona else None}
        asked = get_type(NAME).Params({**found, **given}, brand=brand)
        for name, wrong in asked.errors.items():
            field = "persona" if name == "persona_id" else name
            self.add_error(field if field in self.fields else None, list(wrong))
        same = RedditResearch.objects.filter(brand=brand, subject=reddit_subject(queries, subreddits))
        if other := same.exclude(pk=self.instance.pk).first():
            self.add_error(None, f"The research “{other}” asks for the same queries and subreddits.")
        return found


@admin.register(RedditResearch)
class RedditResearchAdmin(ScrapesSubjects, UnlessLive):
    page = page
    form = ResearchAdminForm
    list_display = ["name", "brand", "timeframe", "max_posts", "stop_at_usd", "last_scraped_at"]
    list_filter = ["brand"]
    list_select_related = ["brand"]
    search_fields = ["name__alike", "brand__name__alike"]
    autocomplete_fields = ["brand"]
    raw_id_fields = ["persona"]
    readonly_fields = ["last_scraped_at", "created_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Other queries are another research, with other runs. Its page changes them, and takes the schedule along."""
        return [*super().get_readonly_fields(request, obj), *(["brand", "search_queries", "subreddits"] if obj else [])]

    def save_model(self, request: HttpRequest, obj: RedditResearch, form: Any, change: bool) -> None:
        save_research(obj, request.user, before=obj.subject if change else "")


@admin.register(RedditPost)
class RedditPostAdmin(EngineRows):
    list_display = ["reddit_id", "brand", "subreddit", "title", "score", "num_comments", "left_at", "last_seen_at"]
    list_filter = ["left_at"]
    ordering = ["-pk"]  # by an index, however many there are
    list_select_related = ["brand"]
    search_fields = ["reddit_id", "search_text__alike"]
    raw_id_fields = ["last_run"]


@admin.register(RedditFinding)
class RedditFindingAdmin(EngineRows):
    brand_path = "post__brand"
    list_display = ["post", "left_at", "relevance", "signal", "unmeasured"]
    list_filter = ["left_at", "unmeasured"]
    ordering = ["-pk"]
    list_select_related = ["post"]
    search_fields = ["post__reddit_id", "subject"]
    raw_id_fields = ["post", "last_run"]


@admin.register(RedditComment)
class RedditCommentAdmin(EngineRows):
    brand_path = "post__brand"
    list_display = ["reddit_id", "post", "score", "created_at", "last_seen_at"]
    ordering = ["-pk"]
    list_select_related = ["post"]
    search_fields = ["reddit_id", "post__reddit_id"]
    raw_id_fields = ["post", "last_run"]


@admin.register(RedditQuote)
class RedditQuoteAdmin(EngineRows):
    brand_path = "post__brand"
    list_display = ["text", "category", "post", "signal"]
    list_filter = ["category"]
    ordering = ["-pk"]
    list_select_related = ["post"]
    search_fields = ["text__icontains", "post__reddit_id"]
    raw_id_fields = ["post", "comment", "last_run"]


@admin.register(PersonaQuote)
class PersonaQuoteAdmin(EngineRows):
    brand_path = "persona__brand"
    list_display = ["persona", "quote", "added_at"]
    ordering = ["-pk"]
    list_select_related = ["persona", "quote"]
    search_fields = ["persona__name__alike"]
    raw_id_fields = ["persona", "quote"]
