"""Stored files as one ZIP file, sent while it is made: neither memory nor disk grows with it."""

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import PurePath

from django.conf import settings
from django.db.models import Count, QuerySet, Sum
from django.http import StreamingHttpResponse
from django.utils.text import slugify

from competitors.models import AdMedia

MOST_FILES, PIECE = 1000, 65_536
DATE = (2020, 1, 1, 0, 0, 0)  # the same files make the same ZIP file


def refusal(places: QuerySet[AdMedia]) -> str:
    """Why they cannot be saved together; '' if they can."""
    found = places.order_by().aggregate(files=Count("pk"), bytes=Sum("media__bytes"))
    files, size = found["files"], found["bytes"] or 0
    if not files:
        return "Nothing chosen is stored. Tick ads that have stored files."
    if files > MOST_FILES:
        return f"{files:,} files are too many for one ZIP file. Choose at most {MOST_FILES:,}."
    if size > settings.MEDIA_MAX_ZIP_BYTES:
        most = settings.MEDIA_MAX_ZIP_BYTES
        return f"The chosen files have {_megabytes(size)}. A ZIP file may have {_megabytes(most)}. Choose fewer."
    return ""


def response(places: Iterable[AdMedia], filename: str) -> StreamingHttpResponse:
    """`filename` must be plain ASCII."""
    headers = {"Content-Disposition": f'attachment; filename="{filename}"', "Cache-Control": "private, no-store"}
    return StreamingHttpResponse(_pieces(places), content_type="application/zip", headers=headers)


class _Outgoing:
    """A file for zipfile that cannot be wound back. `take` gives what was written since."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def flush(self) -> None: ...

    def take(self) -> bytes:
        taken, self._written = bytes(self._written), bytearray()
        return taken


def _pieces(places: Iterable[AdMedia]) -> Iterator[bytes]:
    out, missing = _Outgoing(), []
    with zipfile.ZipFile(out, "w") as archive:  # type: ignore[call-overload]
        for place in places:
            name = _name(place)
            try:
                file = place.media.file.open("rb")  # type: ignore[union-attr]
            except FileNotFoundError:
                missing.append(name)
                continue
            with file, archive.open(zipfile.ZipInfo(name, DATE), "w", force_zip64=True) as entry:
                while piece := file.read(PIECE):
                    entry.write(piece)
                    yield out.take()
        if missing:
            archive.writestr(zipfile.ZipInfo("missing.txt", DATE), "Not in the storage:\n" + "\n".join(missing))
    yield out.take()


def _name(place: AdMedia) -> str:
    """Plain ASCII, and different for each place: "summer-offer-120200001-video.mp4"."""
    assert place.brand_ad and place.media
    parts = [slugify(place.brand_ad.name)[:60], place.brand_ad.ad_id, place.role, str(place.position or "")]
    return f"{'-'.join(filter(None, parts))}{PurePath(str(place.media.file)).suffix}"


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.0f} MB"
