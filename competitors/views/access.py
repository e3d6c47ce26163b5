"""How a page comes by its objects: a brand's things are reached through that brand only, everything else is not found."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404

from pipeline.models import Brand

from ..models import Competitor, CompetitorAmazonUrl


def get_brand(slug: str) -> Brand:
    return get_object_or_404(Brand, slug=slug)


def get_competitor(brand_slug: str, pk: UUID) -> Competitor:
    return get_object_or_404(Competitor.objects.select_related("brand"), pk=pk, brand__slug=brand_slug)


def get_listing(brand_slug: str, competitor_id: UUID, pk: UUID, **more: Any) -> CompetitorAmazonUrl:
    """The listing, with its competitor and brand already read."""
    listings = CompetitorAmazonUrl.objects.select_related("competitor__brand")
    return get_object_or_404(listings, pk=pk, competitor_id=competitor_id, competitor__brand__slug=brand_slug, **more)
