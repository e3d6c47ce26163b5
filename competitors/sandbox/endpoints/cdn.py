"""Pictures and videos, as Meta's CDN serves them: signed links that expire, and parts by Range."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from ..account import Account
from ..errors import ApiError, CutConnection
from ..http import Answer, Request, Stream
from ..media import impostors
from ..media.content import Content
from ..media.pictures import picture
from ..media.videos import video

_IMPOSTORS: dict[str, Callable[[Any], Content]] = {
    "media_html": impostors.html,
    "media_svg": impostors.svg,
    "media_wrong_type": impostors.pdf,
    "media_bomb": impostors.bomb,
}


def file(account: Account, request: Request) -> Answer:
    if refused := _refused(account, request):
        return refused
    content = _content(account, request)
    etag = f'"{hashlib.sha256(f"{request.path}{content.length}".encode()).hexdigest()[:16]}"'
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "max-age=1209600", "ETag": etag}
    start, stop, status = 0, content.length, 200
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
    if wanted and request.headers.get("if-range", etag) == etag and _take(account, request, "media_no_range") is None:
        start, stop, status = int(wanted[1]), min(int(wanted[2] or stop) + bool(wanted[2]), stop), 206
        if start >= stop:
            return _text(416, "Requested range not satisfiable", {"Content-Range": f"bytes */{content.length}"})
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{content.length}"
    length = None if _take(account, request, "media_no_length") is not None else stop - start
    return Answer(status, b"", content.mime, headers, Stream(_body(account, request, content, start, stop), length))


def as_error(error: ApiError) -> Answer:
    return _text(error.status, error.message, error.headers)


def _text(status: int, text: str, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, text.encode(), "text/plain", headers or {})


def _take(account: Account, request: Request, fault: str) -> Any:
    return account.faults.take(fault, request.path)


def _refused(account: Account, request: Request) -> Answer | None:
    """An answer without a file: expired, gone, failing, throttled or elsewhere."""
    expires = request.query.get("oe")
    if expires is not None and not re.fullmatch(r"[0-9A-Fa-f]{1,16}", expires):
        return _text(403, "Bad URL timestamp")
    if (expires and int(expires, 16) < account.now()) or _take(account, request, "media_expired") is not None:
        return _text(403, "URL signature expired")
    for fault in ("media_gone", "media_error"):
        if (status := _take(account, request, fault)) is not None:
            return _text(status, "Content not found" if fault == "media_gone" else "Service unavailable")
    if (seconds := _take(account, request, "media_throttled")) is not None:
        return _text(429, "Too many requests", {"Retry-After": str(seconds)} if seconds else None)
    if (address := _take(account, request, "media_redirect")) is not None:
        return _text(302, "", {"Location": address})
    return None


def _content(account: Account, request: Request) -> Content:
    """The file that the address names, or what a fault puts in its place."""
    for fault, make in _IMPOSTORS.items():
        if (value := _take(account, request, fault)) is not None:
            return make(value)
    name = request.captured["name"]
    if name.endswith(".mp4"):
        content = video(name, int(account.config.video_bytes))
    elif name.endswith(".jpg"):
        size = re.search(r"_s(\d{1,5})x", request.query.get("stp", ""))
        content = picture(name, int(size[1]) if size else 1080, int(account.config.picture_bytes))
    else:
        raise ApiError(404, "not-found", "Content not found")
    huge = _take(account, request, "media_huge")
    return content if huge is None else replace(content, length=max(huge, len(content.head)))


def _body(account: Account, request: Request, content: Content, start: int, stop: int) -> Iterable[bytes]:
    """The chunks of the body, late or cut off if a fault says so. Only a request whose body is sent uses up a count."""
    chunks: Iterator[bytes] = content.chunks(start, stop)
    if request.method != "HEAD" and (share := _take(account, request, "media_cut")) is not None:
        chunks = _cut(content.chunks(start, start + int((stop - start) * share)))
    if request.method != "HEAD" and (speed := _take(account, request, "media_slow")) is not None:
        chunks = _trickled(account, chunks, speed)
    return chunks


def _cut(chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield from chunks
    raise CutConnection


def _trickled(account: Account, chunks: Iterator[bytes], bytes_a_second: int) -> Iterator[bytes]:
    """Ten times a second a little."""
    size = max(1, bytes_a_second // 10)
    for chunk in chunks:
        for start in range(0, len(chunk), size):
            if account.closed.wait(0.1):
                raise CutConnection
            yield chunk[start : start + size]
