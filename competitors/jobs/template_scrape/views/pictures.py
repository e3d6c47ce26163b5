"""Candidates with what their cards show, read for all of them at once; the files themselves, and those that are not stored."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from competitors.models import AdMedia, LibraryAd, MediaReason, MediaStatus, TemplateCandidate
from competitors.views.media import send, try_again
from pipeline.views.access import back_to, needs

from ..candidates import files_of_ads
from ..job import NAME
from . import frame

PAGE_SIZE = 24


@dataclass(frozen=True)
class Card:
    """`still`: address of a still of its video; '' if there is none, or it is a picture."""

    row: TemplateCandidate
    still: str
    days: int | None  # how long the ad has been running, or ran as far as is known

    @property
    def src(self) -> str:
        return reverse("template_media", args=[self.row.pk])


def with_pictures(rows: Iterable[TemplateCandidate]) -> list[Card]:
    rows, today = list(rows), timezone.localdate()
    videos = [row.library_ad_id for row in rows if row.is_video]
    places = AdMedia.objects.filter(library_ad__in=videos, role=AdMedia.Role.POSTER, status=MediaStatus.STORED)
    stills: dict[int | None, int] = dict(places.order_by("-position").values_list("library_ad", "pk"))  # the first one wins
    return [Card(row, _url(stills.get(row.library_ad_id)) if row.is_video else "", _days(row.library_ad, today)) for row in rows]


@require_safe
@needs(frame.VIEW, platform=True)
def template_media(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A candidate's picture or video. `?download`: as a file to save."""
    row = get_object_or_404(TemplateCandidate.objects.select_related("media"), pk=pk)
    return send(request, row.media, name=f"template-{row.pk}")


def not_stored() -> "QuerySet[AdMedia]":
    """Pictures and videos of ads that a search found, with the reason; without those of ads that have none."""
    return files_of_ads().exclude(reason__in=["", MediaReason.NONE_IN_AD])


@needs(frame.VIEW, platform=True)
def not_stored_list(request: HttpRequest) -> HttpResponse:
    sheet = Paginator(not_stored().order_by("-tried_at", "-pk"), PAGE_SIZE).get_page(request.GET.get("page"))
    context = frame.frame(request, "templates") | {"sheet": sheet, "here": request.get_full_path()}
    return render(request, "competitors/template_scrape/not_stored.html", context)


@require_POST
@needs(frame.SCRAPE, platform=True)
def again(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Queue a run for this one file. It searches nothing, so it is free."""
    place = get_object_or_404(not_stored().select_related("library_ad__last_run"), pk=pk)
    assert place.library_ad
    try_again(request, None, NAME, {"search_url": _search_of(place.library_ad), "only": place.pk})
    return back_to(request, reverse("template_not_stored"))


def _search_of(ad: LibraryAd) -> str:
    """The search that found it last; one for its number where that run is gone."""
    found = ad.last_run.parameters.get("search_url") if ad.last_run else ""
    return found or f"https://www.facebook.com/ads/library/?{urlencode({'q': ad.ad_archive_id})}"


def _url(place: int | None) -> str:
    return reverse("media", args=[place]) if place else ""


def _days(ad: LibraryAd | None, today: date) -> int | None:
    if ad is None or ad.started_on is None:
        return None
    end = ad.ended_on or timezone.localdate(ad.last_seen_at) if ad.is_active is False else today
    return max((end - ad.started_on).days, 0)
