"""What can be done with the files below the ad accounts: try one again, and save a selection as a ZIP file."""

import logging
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from competitors.models import AdMedia, MediaStatus
from competitors.views import media
from competitors.views.access import get_brand
from pipeline.views.access import back_to, needs

from ..job import NAME
from . import archive
from .file_filter import FileFilter

logger = logging.getLogger(__name__)


@require_POST
@needs("competitors.scrape_adaccount")
def try_again(request: HttpRequest, brand: str, pk: int) -> HttpResponseBase:
    """Queue a run for this one file."""
    owner = get_brand(brand)
    unstored = AdMedia.objects.select_related("brand_ad__ad_account").exclude(status=MediaStatus.STORED)
    place = get_object_or_404(unstored, pk=pk, brand_ad__ad_account__brand=owner)
    assert place.brand_ad
    wanted = {"ad_account_id": place.brand_ad.ad_account.account_id, "only": place.pk}
    media.try_again(request, owner, NAME, wanted)
    return back_to(request, reverse("research", args=[brand]))


@require_GET
@needs("competitors.view_adaccount", "competitors.view_admedia")
def as_zip(request: HttpRequest, brand: str) -> HttpResponseBase:
    """The stored files of the ticked ads, or with `all` of all that match the filters."""
    owner = get_brand(brand)
    places = FileFilter(owner, request.GET).places.filter(status=MediaStatus.STORED)
    if "all" not in request.GET:
        picked = [int(pk) for pk in request.GET.getlist("ad")[: archive.MOST_FILES] if pk.isdecimal() and len(pk) < 19]
        places = AdMedia.objects.filter(brand_ad__ad_account__brand=owner, brand_ad__in=picked, status=MediaStatus.STORED)
    places = places.select_related("media", "brand_ad").order_by("brand_ad_id", "role", "position")
    person: Any = request.user
    refusal = archive.refusal(places)
    try:
        answer = None if refusal else archive.response(places, f"{owner.slug}-files.zip", person.pk)
    except OSError:
        logger.exception("A ZIP file of %s could not be made.", owner)
        answer, refusal = None, "The ZIP file could not be made: the disk is full, or cannot be written to. Tell an admin."
    if answer is None:
        messages.error(request, refusal or archive.BUSY)
        return back_to(request, f"{reverse('research', args=[brand])}#files")
    return answer
