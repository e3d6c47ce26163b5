"""Addresses of the pages under test."""

from typing import Any

from django.urls import reverse

from competitors.models import Competitor, CompetitorAmazonUrl


def tab(competitor: Competitor) -> str:
    return reverse("amazon", args=[competitor.brand.slug, competitor.pk])


def of_competitor(name: str, competitor: Competitor) -> str:
    return reverse(name, args=[competitor.brand.slug, competitor.pk])


def of_listing(name: str, listing: CompetitorAmazonUrl, **query: Any) -> str:
    from urllib.parse import urlencode

    path = reverse(name, args=[listing.competitor.brand.slug, listing.competitor_id, listing.pk])
    return f"{path}?{urlencode(query)}" if query else path
