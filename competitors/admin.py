"""Competitors in the stock admin, and the admin of each job type's own rows."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from .jobs.amazon_review_scrape import admin as amazon_review_scrape  # noqa: F401  registers its models
from .jobs.asset_download import admin as asset_download  # noqa: F401
from .jobs.competitor_scrape import admin as competitor_scrape  # noqa: F401
from .jobs.meta_sync import admin as meta_sync  # noqa: F401
from .jobs.reddit_scrape import admin as reddit_scrape  # noqa: F401
from .jobs.template_scrape import admin as template_scrape  # noqa: F401
from .models import Competitor
from .subject_admin import UnlessLive


@admin.register(Competitor)
class CompetitorAdmin(UnlessLive):
    list_display = ["name", "brand", "ad_lists", "listings", "archived_at"]
    ordering = ["name"]  # Django ignores the model's in a grouped query
    list_filter = ["brand"]
    list_select_related = ["brand"]
    search_fields = ["name__alike", "brand__name__alike"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Competitor]:
        return (
            super()
            .get_queryset(request)
            .annotate(listing_count=Count("amazon_urls", distinct=True), ad_list_count=Count("ad_libraries", distinct=True))
        )

    @admin.display(description="Ad lists", ordering="ad_list_count")
    def ad_lists(self, competitor: Any) -> int:
        return int(competitor.ad_list_count)

    @admin.display(description="Amazon listings", ordering="listing_count")
    def listings(self, competitor: Any) -> int:
        return int(competitor.listing_count)
