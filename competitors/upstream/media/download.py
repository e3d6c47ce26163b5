"""Brings a file onto the disk: limits of size, speed and time, a few tries, and a broken download goes on where it broke."""

import hashlib
import re
import time
from collections.abc import Callable
from typing import IO

from django.conf import settings

from competitors.models import MediaReason
from pipeline.contract.site.incoming import on_disk

from .. import retry_after
from .exchange import Answer, get
from .failure import Failure, Passing
from .link import has_expired

PIECE = 65536  # bytes
PAUSES = (0.5, 1, 2)  # seconds before the second, third and fourth try
LONGEST_WAIT = 30  # seconds that a server may ask for; for more, the next run tries again
CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18})")


class Download:
    """A file as far as it came."""

    def __init__(self, file: IO[bytes]):
        self.file = file
        self._start()

    def _start(self, answer: Answer | None = None) -> None:
        with on_disk():
            self.file.seek(0)
            self.file.truncate()
        self._hash, self.size = hashlib.sha256(), 0
        self._total = answer.length if answer else None
        self._version = _version(answer) if answer else ""

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def fetch(self, url: str, limit: int, check: Callable[[], None]) -> None:
        """Fetch the whole file, or raise a Failure. `check` may raise too, between two pieces."""
        deadline = time.monotonic() + settings.MEDIA_MAX_SECONDS
        for pause in (*PAUSES, None):
            try:
                with get(url, self._headers(), deadline) as answer:
                    self._begin(answer, url)
                    self._receive(answer, limit, check)
                return
            except Passing as passing:
                wait = max(passing.wait or 0, pause or 0)
                if pause is None or wait > LONGEST_WAIT:
                    raise
            _sleep(wait, check)

    def _headers(self) -> dict[str, str]:
        if not self.size or not self._total:
            return {}
        condition = {"If-Range": self._version} if self._version and not self._version.startswith("W/") else {}
        return {"Range": f"bytes={self.size}-", **condition}

    def _begin(self, answer: Answer, url: str) -> None:
        """Take the answer as the file's rest, or as a new start, or refuse it."""
        if answer.status == 200:
            self._start(answer)
        elif answer.status == 206:
            found = CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
            if not found or (int(found[1]), int(found[2]), _version(answer)) != (self.size, self._total, self._version):
                self._start()
                raise Passing(MediaReason.SERVER_ERROR, "The server sent another part than was asked for.")
        elif answer.status == 416 and self.size:
            self._start()
            raise Passing(MediaReason.SERVER_ERROR, "The server does not have the rest of the file.")
        else:
            raise _failure(answer, url)

    def _receive(self, answer: Answer, limit: int, check: Callable[[], None]) -> None:
        if (self._total or 0) > limit:
            raise _too_big(limit)
        since, before = time.monotonic(), self.size
        for piece in answer.pieces(PIECE):
            with on_disk():
                self.file.write(piece)
            self._hash.update(piece)
            self.size += len(piece)
            if self.size > limit:
                raise _too_big(limit)
            elapsed = time.monotonic() - since
            if elapsed >= settings.MEDIA_LEAST_SPEED_SECONDS:
                if self.size - before < settings.MEDIA_LEAST_SPEED * elapsed:
                    raise Failure(MediaReason.SLOW, f"Only {self.size - before} bytes came in {elapsed:.0f} s.")
                since, before = time.monotonic(), self.size
            check()
        if self.size < (1 if self._total is None else self._total):  # with neither length nor content, the headers were cut short
            words = f"The connection ended after {self.size} of {self._total or 'unknown'} bytes."
            raise Passing(MediaReason.SERVER_ERROR, words)


def _failure(answer: Answer, url: str) -> Failure:
    words, wait = f"The server answered HTTP {answer.status}.", retry_after.seconds(answer.headers.get("Retry-After"))
    if answer.status == 403 and has_expired(url):
        return Failure(MediaReason.EXPIRED, words)
    if answer.status in (403, 404, 410):
        return Failure(MediaReason.GONE, words)
    if answer.status == 429:
        return Passing(MediaReason.THROTTLED, words, wait)
    if answer.status >= 500 or answer.status in (408, 425):
        return Passing(MediaReason.SERVER_ERROR, words, wait)
    return Failure(MediaReason.SERVER_ERROR, words)


def _too_big(limit: int) -> Failure:
    return Failure(MediaReason.TOO_BIG, f"The file is larger than {limit:,} bytes.")


def _version(answer: Answer) -> str:
    """Tells whether two answers have parts of the same file."""
    return answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""


def _sleep(seconds: float, check: Callable[[], None]) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        check()
        time.sleep(min(left, 0.5))
