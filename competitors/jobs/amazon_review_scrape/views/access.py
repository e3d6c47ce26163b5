"""How a page finds a listing: only through its brand and competitor."""

from uuid import UUID

from django.shortcuts import get_object_or_404

from competitors.models import CompetitorAmazonUrl


def get_listing(brand_slug: str, competitor_id: UUID, pk: UUID) -> CompetitorAmazonUrl:
    """The listing, with its competitor and brand already read."""
    listings = CompetitorAmazonUrl.objects.select_related("competitor__brand")
    return get_object_or_404(listings, pk=pk, competitor_id=competitor_id, competitor__brand__slug=brand_slug)
