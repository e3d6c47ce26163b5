"""Ads that searches found, candidates and what these are filed under, in the stock admin. Their own pages decide about them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet

from competitors.models import LibraryAd, TemplateCandidate, TemplateCategory, TemplateNiche
from competitors.subject_admin import ScrapesSelected
from competitors.views.subjects import several
from pipeline import api
from pipeline.admin.base import EngineRows, OfBrands
from pipeline.contract import get_type
from pipeline.contract.errors import InvalidRequest, NotAllowed
from pipeline.people import Brands

from .job import NAME
from .service import Search


class OfNoBrand(OfBrands):
    """Rows of no single brand: for who may see those."""

    brand_path = ""

    def of_brands(self, rows: QuerySet[Any], brands: Brands) -> QuerySet[Any]:
        return rows if None in brands else rows.none()


@admin.register(TemplateCategory, TemplateNiche)
class TemplateLabelAdmin(OfNoBrand):
    list_display = ["name"]
    search_fields = ["name__alike"]


@admin.register(TemplateCandidate)
class TemplateCandidateAdmin(OfNoBrand, EngineRows):
    list_display = ["__str__", "status", "category", "niche", "awareness", "reviewed_by", "reviewed_at"]
    list_filter = ["status", "category", "niche"]
    list_select_related = ["category", "niche", "reviewed_by"]
    search_fields = ["name__alike"]
    raw_id_fields = ["library_ad", "media", "found_by"]


@admin.register(LibraryAd)
class LibraryAdAdmin(ScrapesSelected, OfNoBrand, EngineRows):
    """Its action runs the searches that found the selected ads again: that brings new links where the old ones have expired."""

    may_scrape, verb, noun = "competitors.scrape_libraryad", "Search again", "ad"
    list_display = [
        "ad_archive_id",
        "page_name",
        "is_active",
        "best_position",
        "times_seen",
        "last_seen_at",
        "last_run",
    ]
    list_filter = ["is_active", "display_format"]
    ordering = ["-pk"]  # by an index, however many there are
    list_select_related = ["last_run"]
    search_fields = ["=ad_archive_id"]
    search_help_text = "The whole id of an ad. By words: the Template Queue."
    raw_id_fields = ["last_run", "first_run"]

    def cost_of(self, rows: Sequence[LibraryAd]) -> tuple[Decimal, Decimal]:
        estimates = [get_type(NAME).estimate(None, search) for search in _searches(rows).values()]
        known = [one for one in estimates if one]
        return sum((one.cost_usd for one in known), Decimal(0)), sum((one.cap_usd for one in known), Decimal(0))

    def queue(self, rows: Sequence[LibraryAd], user: Any) -> tuple[str, int]:
        results: list[tuple[Any, Any]] = []
        for search in _searches(rows).values():
            try:
                results.append((search["search_url"], api.queue_one_time_job(None, NAME, search, created_by=user)))
            except (InvalidRequest, NotAllowed) as error:
                results.append((search["search_url"], error))
        lost = InvalidRequest("The run that found it was deleted. Search for it by its words.")
        return several.in_words("search", [*results, *((row, lost) for row in rows if row.last_run is None)])


def _searches(rows: Sequence[LibraryAd]) -> dict[str, dict[str, Any]]:
    """The parameters of the searches that had these ads last, each once."""
    found = (dict(row.last_run.parameters) for row in rows if row.last_run)
    return {Search.of(parameters).key: parameters for parameters in found}
