"""What templates are filed under, in the stock admin, and the candidates: these are decided about on their own pages."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet

from competitors.models import TemplateCandidate, TemplateCategory, TemplateNiche
from pipeline.admin.base import EngineRows, OfBrands
from pipeline.people import Brands


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
