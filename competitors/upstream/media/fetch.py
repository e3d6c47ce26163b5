"""One link, or one file that somebody brought, to one stored file or to the reason why there is none."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import IO

from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone

from competitors.models import Media, MediaReason, MediaStatus
from pipeline.contract.site.incoming import incoming, move_to_storage, on_disk

from .content import Content, judge, judge_either
from .download import Download
from .failure import Failure

ENDINGS = {
    Media.Mime.JPEG: "jpg",
    Media.Mime.PNG: "png",
    Media.Mime.WEBP: "webp",
    Media.Mime.GIF: "gif",
    Media.Mime.MP4: "mp4",
    Media.Mime.MOV: "mov",
    Media.Mime.WEBM: "webm",
}


@dataclass(frozen=True)
class NotStored:
    reason: MediaReason
    detail: str  # for the log

    @property
    def status(self) -> MediaStatus:
        return self.reason.status


def fetch(url: str, kind: str, check: Callable[[], None] = lambda: None) -> Media | NotStored:
    """Fetch a picture or a video (`Media.Kind`) and store it.

    `check` is called often and may raise, such as a context's. BlockedError or PermanentError: the disk is full or refuses.
    """
    limit = settings.MEDIA_MAX_IMAGE_BYTES if kind == Media.Kind.IMAGE else settings.MEDIA_MAX_VIDEO_BYTES
    with incoming() as file:
        try:
            download = Download(file)
            download.fetch(url, limit, check)
            content = judge(file, kind)
        except Failure as failure:
            return NotStored(failure.reason, str(failure))
        return _store(file, download.sha256, download.size, kind, content)


def keep(chunks: Iterable[bytes]) -> Media | NotStored:
    """Store a picture or video that somebody brought, by the same rules. BlockedError or PermanentError as for fetch()."""
    digest, size = hashlib.sha256(), 0
    with incoming() as file:
        try:
            for chunk in chunks:
                size += len(chunk)
                if size > settings.MEDIA_MAX_VIDEO_BYTES:
                    raise Failure(MediaReason.TOO_BIG, f"The file is larger than {settings.MEDIA_MAX_VIDEO_BYTES:,} bytes.")
                digest.update(chunk)
                with on_disk():
                    file.write(chunk)
            kind, content = judge_either(file)
            if kind == Media.Kind.IMAGE and size > settings.MEDIA_MAX_IMAGE_BYTES:
                raise Failure(MediaReason.TOO_BIG, f"The picture is larger than {settings.MEDIA_MAX_IMAGE_BYTES:,} bytes.")
        except Failure as failure:
            return NotStored(failure.reason, str(failure))
        return _store(file, digest.hexdigest(), size, kind, content)


def _store(file: IO[bytes], sha256: str, size: int, kind: str, content: Content) -> Media:
    """Name the file by its content. Two workers with the same content at the same moment make one file and one row."""
    # Before the file is looked for: what removes old files leaves rows alone that were used lately, or is done with them by now.
    Media.objects.filter(sha256=sha256).update(used_at=timezone.now(), removed_at=None)
    name = f"{sha256[:2]}/{sha256}.{ENDINGS[content.mime]}"
    with on_disk():
        if not default_storage.exists(name):
            saved = move_to_storage(file, name)
            if saved != name:  # another worker was faster
                default_storage.delete(saved)
    row = {
        "kind": kind,
        "file": name,
        "bytes": size,
        "mime": content.mime,
        "width": content.width,
        "height": content.height,
    }
    return Media.objects.get_or_create(sha256=sha256, defaults=row)[0]
