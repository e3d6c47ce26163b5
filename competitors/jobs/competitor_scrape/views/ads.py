"""The ads of one competitor: a page of them with what is new and gone, where they lead, and a CSV file of all that match."""

from collections.abc import Container
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone

from competitors.models import CompetitorAd, CompetitorAdLibrary, LandingPage
from competitors.views.access import get_competitor
from competitors.views.requirements import of_rows
from pipeline.contract import ListFile, list_export
from pipeline.views.access import needs

from .ad_filter import AdFilter

PAGE_SIZE, LANDING_PAGES = 24, 10
TAGS = {"VIDEO": ("Video", "play"), "CAROUSEL": ("Carousel", "cards"), "DPA": ("Catalog", "cards"), "DCO": ("Dynamic", "cards")}
COLUMNS = [
    "ad_archive_id",
    "status",
    "page_name",
    "title",
    "body",
    "call_to_action",
    "link_url",
    "display_format",
    "variants",
    "started_on",
    "ended_on",
    "first_seen_at",
    "last_seen_at",
    "platforms",
]


@needs("competitors.view_competitoradlibrary", "competitors.view_competitorad")
def ad_list(request: HttpRequest, brand: str, competitor: UUID) -> HttpResponse:
    """Filter, order and page are in the address."""
    owner = get_competitor(brand, competitor)
    asked = AdFilter(owner, request.GET)
    sheet = asked.sheet(with_pictures(asked.ads()), PAGE_SIZE)
    today, new = timezone.localdate(), asked.changed("new")
    context = {
        "competitor": owner,
        "brand": owner.brand,
        "filter": asked,
        "tabs": asked.tabs(),
        "sheet": sheet,
        "cards": [card(ad, today, new) for ad in sheet],
        "landing_pages": _landing_pages(asked),
    }
    libraries = CompetitorAdLibrary.objects.filter(competitor=owner).select_related("competitor__brand")
    context |= of_rows(request, "ad_list", {"competitor": owner, "brand": owner.brand}, list(libraries))
    return render(request, "competitors/competitor_scrape/ads.html", context)


@list_export("ads", "competitors.view_competitoradlibrary", "competitors.view_competitorad")
def ad_file(user: Any, query: QueryDict, brand: str, competitor: UUID) -> ListFile:
    """All ads that the list at this address shows, on all its pages."""
    ads = AdFilter(get_competitor(brand, competitor), query).ads()
    return ListFile("ads.csv", COLUMNS, ads.values_list(*COLUMNS), lambda row: (*row[:-1], " ".join(row[-1])))


def with_pictures(ads: "QuerySet[CompetitorAd]") -> "QuerySet[CompetitorAd]":
    """With all that a card shows."""
    return ads.select_related("landing_page").prefetch_related("media").defer("search_text")


def card(ad: CompetitorAd, today: date, new: Container[str] = ()) -> dict[str, Any]:
    """What the template shows of an ad. Of its media only the first has a row. `new`: ids of new ads."""
    tag, tag_icon = TAGS.get(ad.display_format, ("", ""))
    place = next(iter(ad.media.all()), None)
    return {
        "ad": ad,
        "place": place,
        "days": _days(ad, today),
        "is_new": ad.ad_archive_id in new,
        "tag": tag,
        "tag_icon": tag_icon,
        "platforms": ", ".join(platform.replace("_", " ").title() for platform in ad.platforms),
    }


def _landing_pages(asked: AdFilter) -> list[dict[str, Any]]:
    """Where active ads lead, the most used first, each with the address of the list of its ads."""
    pages = list(LandingPage.objects.filter(competitor=asked.competitor, active_ads__gt=0)[:LANDING_PAGES])
    most = max((page.active_ads for page in pages), default=1)
    return [
        {
            "row": page,
            "percent": 100 * page.active_ads // most,
            "url": asked.url(landing=page.pk),
            "current": asked.chosen["landing"] == str(page.pk),
        }
        for page in pages
    ]


def _days(ad: CompetitorAd, today: date) -> int | None:
    """How long it has been running, or ran as far as is known."""
    if ad.started_on is None:
        return None
    active = ad.status == CompetitorAd.Status.ACTIVE
    end = today if active else ad.ended_on or timezone.localdate(ad.last_seen_at)
    return max((end - ad.started_on).days, 0)
