"""Ad libraries and ads in the stock admin. Ads come from scrapes alone, so they are read-only here."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from competitors.models import CompetitorAd, CompetitorAdLibrary
from competitors.reading.ad_library import AdLibraryUrlField
from competitors.subject_admin import ScrapesSubjects, UnlessLive
from pipeline.admin.base import EngineRows

from .views.tab import tab


class LibraryAdminForm(forms.ModelForm):
    url = AdLibraryUrlField()


@admin.register(CompetitorAdLibrary)
class CompetitorAdLibraryAdmin(ScrapesSubjects, UnlessLive):
    page = tab
    brand_path = "competitor__brand"
    form = LibraryAdminForm
    list_display = ["label", "competitor", "brand", "last_scraped_at"]
    list_filter = ["competitor__brand"]
    list_select_related = ["competitor__brand"]
    search_fields = ["url", "competitor__name__alike"]
    autocomplete_fields = ["competitor"]
    readonly_fields = ["last_scraped_at", "created_at"]

    @admin.display(ordering="competitor__brand__name")
    def brand(self, library: CompetitorAdLibrary) -> str:
        return str(library.competitor.brand)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Another address is another ad list: it is added, not edited."""
        return [*super().get_readonly_fields(request, obj), *(["competitor", "url", "id"] if obj else [])]


@admin.register(CompetitorAd)
class CompetitorAdAdmin(EngineRows):
    brand_path = "competitor__brand"
    list_display = ["ad_archive_id", "competitor", "status", "display_format", "page_name", "started_on", "last_seen_at"]
    list_filter = ["status"]
    ordering = ["-pk"]  # by an index, however many there are
    list_select_related = ["competitor"]
    search_fields = ["=ad_archive_id"]
    search_help_text = "The whole id of an ad. By words: the list of a competitor's ads."
    raw_id_fields = ["last_run", "first_run", "landing_page"]
