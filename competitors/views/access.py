"""How a page finds its objects: only through the brand they belong to. Anything else is not found."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from pipeline.models import Brand
from pipeline.people import brands_for

from ..models import Competitor


def brands_to_choose(user: Any) -> "QuerySet[Brand]":
    """Those that are open to this person and not archived, by name."""
    return brands_for(user).rows().filter(archived_at=None).order_by("name")


def get_brand(slug: str) -> Brand:
    return get_object_or_404(Brand, slug=slug)


def get_competitor(brand: str, competitor: UUID) -> Competitor:
    return get_object_or_404(Competitor.objects.select_related("brand"), pk=competitor, brand__slug=brand)
