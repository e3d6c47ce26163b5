"""Short MP4 files that play: some frames of colored blocks, padded to any size."""

import hashlib
import random
import struct
from functools import lru_cache

from .content import Content
from .frames import Color, frame, picture_set, sequence_set

_COLUMNS, _ROWS = 4, 7  # blocks of 16 pixels: upright, as on a phone
_FRAMES = 8
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_TYPE = struct.pack(">I4s", 28, b"ftyp") + b"isom\0\0\2\0isomiso2mp41"


def seconds_of(name: str) -> int:
    """The length of the video of that name."""
    return hashlib.sha256(name.encode()).digest()[0] % 50 + 6


@lru_cache(maxsize=64)
def video(name: str, size: int) -> Content:
    """It is never smaller than its frames, which need about 90 KB. What is missing to the size is a box that players skip."""
    rng = random.Random(name)
    frames = [frame(_colors(rng), number) for number in range(_FRAMES)]
    samples = [struct.pack(">I", len(data)) + data for data in frames]
    sizes = [len(sample) for sample in samples]
    first = len(_TYPE) + len(_movie(name, sizes, 0)) + 8
    head = _TYPE + _movie(name, sizes, first) + _box(b"mdat", *samples)
    missing = size - len(head)
    if missing < 8:
        return Content.of("video/mp4", head)
    head += struct.pack(">I4s", missing if missing < 2**32 else 0, b"free")  # 0: up to the end of the file
    return Content("video/mp4", head, size, rng.randbytes(65_536))


def _colors(rng: random.Random) -> list[Color]:
    """A soft slope of brightness in one tone."""
    cb, cr, dark = rng.randrange(60, 200), rng.randrange(60, 200), rng.randrange(40, 120)
    return [(dark + 4 * column + 14 * row, cb, cr) for row in range(_ROWS) for column in range(_COLUMNS)]


def _movie(name: str, sizes: list[int], first: int) -> bytes:
    """The ``moov`` box: one track whose frames follow each other from the byte ``first``."""
    length = seconds_of(name) * 1000
    width, height = 16 * _COLUMNS, 16 * _ROWS
    track = _full(
        b"tkhd",
        struct.pack(">5I", 0, 0, 1, 0, length) + bytes(16) + _MATRIX + struct.pack(">II", width << 16, height << 16),
        flags=3,
    )
    media = _box(
        b"mdia",
        _full(b"mdhd", struct.pack(">4I2H", 0, 0, 1000, length, 0x55C4, 0)),
        _full(b"hdlr", bytes(4) + b"vide" + bytes(12) + b"Video\0"),
        _box(
            b"minf",
            _full(b"vmhd", bytes(8), flags=1),
            _box(b"dinf", _full(b"dref", struct.pack(">I", 1), _full(b"url ", flags=1))),
            _box(
                b"stbl",
                _full(b"stsd", struct.pack(">I", 1), _h264(width, height)),
                _full(b"stts", struct.pack(">3I", 1, len(sizes), length // len(sizes))),
                _full(b"stsc", struct.pack(">4I", 1, 1, len(sizes), 1)),
                _full(b"stsz", struct.pack(f">{2 + len(sizes)}I", 0, len(sizes), *sizes)),
                _full(b"stco", struct.pack(">2I", 1, first)),
            ),
        ),
    )
    header = struct.pack(">4IIH", 0, 0, 1000, length, 0x10000, 0x100) + bytes(10) + _MATRIX + bytes(24) + struct.pack(">I", 2)
    return _box(b"moov", _full(b"mvhd", header), _box(b"trak", track, media))


def _h264(width: int, height: int) -> bytes:
    sequence, picture = sequence_set(_COLUMNS, _ROWS), picture_set()
    sets = b"\xe1" + struct.pack(">H", len(sequence)) + sequence + b"\x01" + struct.pack(">H", len(picture)) + picture
    size = struct.pack(">HH", width, height) + struct.pack(">II", 0x480000, 0x480000)
    entry = bytes(6) + struct.pack(">H", 1) + bytes(16) + size + bytes(4) + struct.pack(">H", 1) + bytes(32)
    return _box(b"avc1", entry + struct.pack(">Hh", 24, -1), _box(b"avcC", b"\x01" + sequence[1:4] + b"\xff" + sets))


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _full(kind: bytes, *parts: bytes, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", flags), *parts)
