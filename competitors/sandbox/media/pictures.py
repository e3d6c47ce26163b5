"""Pictures that are made from their name: the same name and size give the same bytes."""

import io
import random
from functools import lru_cache

from PIL import Image, ImageDraw

from .content import Content

_SHAPES = ((1.0, 1.0), (1.0, 1.0), (0.8, 1.0), (0.5625, 1.0), (1.0, 0.523))  # share of the pixels: width, height
_MOST_PIXELS = 2160
_SEGMENT = 65_533  # a JPEG comment has at most so many bytes


@lru_cache(maxsize=256)
def picture(name: str, pixels: int, least_bytes: int) -> Content:
    """A soft gradient with circles. Some are WebP or PNG, whatever the address says, unless they are padded."""
    rng = random.Random(name)
    pixels = max(1, min(pixels, _MOST_PIXELS))
    width, height = (max(1, int(share * pixels)) for share in rng.choice(_SHAPES))
    image = Image.frombytes("RGB", (3, 3), rng.randbytes(27)).resize((width, height), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(4):
        x, y, radius = rng.randrange(width), rng.randrange(height), rng.uniform(0.05, 0.2) * width
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=tuple(rng.randbytes(3)))
    kind = "JPEG" if least_bytes else rng.choice(["JPEG", "JPEG", "JPEG", "JPEG", "JPEG", "JPEG", "WEBP", "PNG"])
    written = io.BytesIO()
    image.save(written, kind, **({"compress_level": 1} if kind == "PNG" else {"quality": 85}))
    body = written.getvalue()
    return Content.of(f"image/{kind.lower()}", _padded(body, least_bytes) if least_bytes else body)


def _padded(jpeg: bytes, least_bytes: int) -> bytes:
    """The JPEG with comments after its first two bytes, so that it is no shorter and still valid to its last byte."""
    comments = b""
    while (missing := least_bytes - len(jpeg) - len(comments)) > 0:
        text = bytes(min(missing, _SEGMENT))
        comments += b"\xff\xfe" + (len(text) + 2).to_bytes(2) + text
    return jpeg[:2] + comments + jpeg[2:]
