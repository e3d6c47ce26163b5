"""Bodies that a CDN must not be believed: none is the picture or video that was asked for."""

import struct
import zlib
from functools import lru_cache

from .content import Content


def html(mime: str) -> Content:
    return Content.of(mime, b"<!doctype html><html><head><title>Log in</title></head><body>You must log in.</body></html>")


def svg(mime: str) -> Content:
    return Content.of(mime, b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>')


def pdf(mime: str) -> Content:
    return Content.of(mime, b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n")


@lru_cache(maxsize=4)
def bomb(side: int) -> Content:
    """A valid PNG, one bit a pixel and all black, that is a thousand times smaller than its pixels."""
    packed, row = zlib.compressobj(1), bytes(1 + (side + 7) // 8)
    rows = b"".join(packed.compress(row) for _ in range(side)) + packed.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    body = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")
    return Content.of("image/png", body)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
