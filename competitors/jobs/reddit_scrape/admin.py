"""Reddit's rows in the stock admin. They come from scrapes alone, so they are read-only here."""

from django.contrib import admin

from competitors.models import PersonaQuote, RedditComment, RedditFinding, RedditPost, RedditQuote
from pipeline.admin.base import EngineRows


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
