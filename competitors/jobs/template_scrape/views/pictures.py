"""Candidates with what their cards show, read for all of them at once; and the files themselves."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from competitors.models import AdMedia, LibraryAd, MediaStatus, TemplateCandidate
from competitors.views.media import send
from pipeline.views.access import needs

from . import frame


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


def _url(place: int | None) -> str:
    return reverse("media", args=[place]) if place else ""


def _days(ad: LibraryAd | None, today: date) -> int | None:
    if ad is None or ad.started_on is None:
        return None
    end = ad.ended_on or timezone.localdate(ad.last_seen_at) if ad.is_active is False else today
    return max((end - ad.started_on).days, 0)
