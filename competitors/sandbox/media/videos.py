"""MP4 files that look valid: the boxes of a container, with made-up data instead of frames."""

import hashlib
import random
import struct
from functools import lru_cache

from .content import Content


def seconds_of(name: str) -> int:
    """The length that is written in the file."""
    return hashlib.sha256(name.encode()).digest()[0] % 50 + 6


@lru_cache(maxsize=256)
def video(name: str, size: int) -> Content:
    """At least 200 bytes long."""
    start = _box(b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41") + _box(b"moov", _movie_header(seconds_of(name) * 1000))
    size = max(size, 200)
    head = start + struct.pack(">I4s", min(size - len(start), 2**32 - 1), b"mdat")
    return Content("video/mp4", head, size, random.Random(name).randbytes(65_536))


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _movie_header(milliseconds: int) -> bytes:
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    times = struct.pack(">IIIII", 0, 0, 0, 1000, milliseconds)
    return _box(b"mvhd", times + struct.pack(">IH", 0x10000, 0x100) + bytes(10) + matrix + bytes(24) + struct.pack(">I", 2))
