"""Ad accounts and their ads in the stock admin. Ads come from Meta alone, so they are read-only here."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from competitors.models import AdAccount, BrandAd
from competitors.subject_admin import ScrapesSubjects, UnlessLive
from pipeline.admin.base import EngineRows

from .views.page import page


@admin.register(AdAccount)
class AdAccountAdmin(ScrapesSubjects, UnlessLive):
    page = page
    list_display = ["account_id", "name", "brand", "currency", "time_zone", "token_state", "last_synced_at", "last_downloaded_at"]
    list_filter = ["brand"]
    list_select_related = ["brand"]
    search_fields = ["account_id", "name", "brand__name__alike"]
    autocomplete_fields = ["brand"]
    readonly_fields = [
        "name",
        "currency",
        "time_zone",
        "attribution_setting",
        "token_state",
        "token_expires_at",
        "checked_at",
        "last_synced_at",
        "ads_listed_at",
        "last_downloaded_at",
        "created_at",
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Another account has other ads: it is added, not edited."""
        return [*super().get_readonly_fields(request, obj), *(["brand", "account_id"] if obj else [])]


@admin.register(BrandAd)
class BrandAdAdmin(EngineRows):
    brand_path = "ad_account__brand"
    list_display = ["ad_id", "name", "ad_account", "status", "is_video", "last_seen_at"]
    list_filter = ["status", "is_video"]
    ordering = ["-pk"]  # by an index, however many there are
    list_select_related = ["ad_account"]
    search_fields = ["ad_id", "name__alike"]
    raw_id_fields = ["last_run", "ad_account"]
