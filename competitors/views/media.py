"""Sends stored pictures and videos to people who may see the ad that shows them, and tries others again.

Files have no address of their own.
"""

import re
from collections.abc import Mapping
from os import SEEK_CUR, SEEK_END, SEEK_SET
from pathlib import PurePath
from typing import IO, Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from competitors.models import AdMedia, Media
from pipeline import api, queries
from pipeline.contract import InvalidRequest, NotAllowed
from pipeline.models import Brand
from pipeline.people import brands_for
from pipeline.views.access import needs

RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")  # one range; browsers ask for no more


def try_again(request: HttpRequest, brand: Brand | None, job_type: str, parameters: Mapping[str, Any]) -> None:
    """Queue a run for one file, and say so. The caller has checked that the person may."""
    try:
        queued = api.queue_one_time_job(brand.pk if brand else None, job_type, dict(parameters), created_by=request.user)
    except (InvalidRequest, NotAllowed) as error:
        messages.error(request, str(error))
        return
    run = queued.run
    words = "It is tried again when a worker is free." if queued.created else queries.already_queued(run, {}, request.user)
    link = format_html('<a href="{}">See run {}</a>', run.get_absolute_url(), run.pk)
    messages.info(request, format_html("{} {}", words, link), str(run.pk))


@require_safe
@needs("competitors.view_admedia")
def ad_media(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The picture or video at one place of an ad. `?download`: as a file to save."""
    places = AdMedia.objects.select_related("media", "competitor_ad__competitor", "brand_ad__ad_account")
    place = get_object_or_404(places, pk=pk, media__isnull=False)
    if place.brand_id not in brands_for(request.user):
        raise Http404
    assert place.media
    return send(request, place.media, name=f"{place.role}-{place.pk}")


def send(request: HttpRequest, media: Media, name: str) -> HttpResponseBase:
    """The file, or the part of it that was asked for: videos are played before they are there, and wound forward.

    The caller has checked that the person may see it.
    """
    etag = f'"{media.sha256}"'
    if unchanged := get_conditional_response(request, etag=etag):
        return unchanged
    try:
        file = media.file.open("rb")
    except FileNotFoundError as error:
        raise Http404("The file is not in the storage.") from error
    part = _part(request, media.bytes, etag)
    response: HttpResponseBase
    if part is None:
        response = FileResponse(file)
        response.headers["Content-Length"] = str(media.bytes)
    elif part.start >= media.bytes:
        file.close()
        response = HttpResponse(status=416, headers={"Content-Range": f"bytes */{media.bytes}"})
    else:
        response = FileResponse(_Part(file, part), status=206)
        response.headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{media.bytes}"
        response.headers["Content-Length"] = str(len(part))
    filename = f"{name}{PurePath(str(media.file)).suffix}"
    response.headers["Content-Type"] = media.mime
    response.headers["Content-Disposition"] = content_disposition_header("download" in request.GET, filename) or "inline"
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "private, no-cache"  # asked for each time: who has signed out sees no more of them
    return response


def _part(request: HttpRequest, size: int, etag: str) -> range | None:
    """The bytes that were asked for; None for all. A range that cannot be read is ignored, as the standard has it."""
    found = RANGE.fullmatch(request.headers.get("Range", ""))
    if not found or found[1] == found[2] == "" or request.headers.get("If-Range", etag) != etag:
        return None
    if not found[1]:  # the last so many bytes
        return range(max(size - int(found[2]), 0), size) if int(found[2]) else range(size, size)
    first, last = int(found[1]), int(found[2]) if found[2] else size - 1
    return range(first, min(last + 1, size)) if first <= last or first >= size else None


class _Part:
    """Some bytes of an open file, as a file. The web server sends one that it can seek in without a thread that waits."""

    def __init__(self, file: IO[bytes], part: range):
        self._file, self._part, self._at = file, part, 0
        self.close = file.close

    def tell(self) -> int:
        return self._at

    def seek(self, to: int, whence: int = SEEK_SET) -> int:
        self._at = to + {SEEK_SET: 0, SEEK_CUR: self._at, SEEK_END: len(self._part)}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        rest = max(len(self._part) - self._at, 0)
        self._file.seek(self._part.start + self._at)
        piece = self._file.read(rest if size < 0 else min(size, rest))
        self._at += len(piece)
        return piece
