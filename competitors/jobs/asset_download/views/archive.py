"""Stored files as one ZIP file. It is made on the disk and sent from there: no thread waits for its reader."""

import zipfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import PurePath
from shutil import copyfileobj
from typing import IO

from django.conf import settings
from django.db.models import Count, QuerySet, Sum
from django.http import FileResponse
from django.utils.text import slugify

from competitors.models import AdMedia
from pipeline.contract.site.incoming import unnamed
from pipeline.contract.site.turns import Turns

MOST_FILES, PIECE = 1000, 1_000_000
TURNS = Turns(6, of_one=1)  # in a web process: each has up to MEDIA_MAX_ZIP_BYTES on the disk
BUSY = "Another ZIP file is on its way to you, or several to others. Wait until it has arrived, then try again."
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


def response(places: Iterable[AdMedia], filename: str, person: int) -> FileResponse | None:
    """`filename` must be plain ASCII. None while another one is sent to this person, or several to others."""
    with ExitStack() as stack:
        if not TURNS.take(person):
            return None
        stack.callback(TURNS.give_back, person)
        file = unnamed()
        stack.callback(file.close)  # not what the answer makes of it, which ends the request
        _write(file, places)
        file.seek(0)
        answer = _Sent(file, as_attachment=True, filename=filename, content_type="application/zip")
        answer.headers["Cache-Control"] = "private, no-store"
        answer.let_go = stack.pop_all().close
        return answer


class _Sent(FileResponse):
    """Its turn ends when its file is sent, or its reader is gone."""

    let_go: Callable[[], object]  # also called where an error takes its place: nobody closes it then

    def close(self) -> None:
        super().close()
        self.let_go()


def _write(target: IO[bytes], places: Iterable[AdMedia]) -> None:
    missing = []
    with zipfile.ZipFile(target, "w") as archive:
        for place in places:
            name = _name(place)
            try:
                file = place.media.file.open("rb")  # type: ignore[union-attr]
            except FileNotFoundError:
                missing.append(name)
                continue
            with file, archive.open(zipfile.ZipInfo(name, DATE), "w", force_zip64=True) as entry:
                copyfileobj(file, entry, PIECE)
        if missing:
            archive.writestr(zipfile.ZipInfo("missing.txt", DATE), "Not in the storage:\n" + "\n".join(missing))


def _name(place: AdMedia) -> str:
    """Plain ASCII, and different for each place: "summer-offer-120200001-video.mp4"."""
    assert place.brand_ad and place.media
    parts = [slugify(place.brand_ad.name)[:60], place.brand_ad.ad_id, place.role, str(place.position or "")]
    return f"{'-'.join(filter(None, parts))}{PurePath(str(place.media.file)).suffix}"


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.0f} MB"
