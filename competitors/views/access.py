"""How a page finds its objects: only through the brand they belong to. Anything else is not found."""

from uuid import UUID

from django.shortcuts import get_object_or_404

from pipeline.models import Brand

from ..models import Competitor


def get_brand(slug: str) -> Brand:
    return get_object_or_404(Brand, slug=slug)


def get_competitor(brand: str, competitor: UUID) -> Competitor:
    return get_object_or_404(Competitor.objects.select_related("brand"), pk=competitor, brand__slug=brand)
