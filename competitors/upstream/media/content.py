"""What a file is, judged by its bytes alone: a server's word and a name's ending are not trusted."""

from dataclasses import dataclass
from typing import IO

from PIL import Image

from competitors.models import Media, MediaReason

from .failure import Failure

MOST_PIXELS = 50_000_000  # decoded, such a picture takes 200 MB of memory
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")  # whose decoders are tried
PICTURES = {
    "JPEG": Media.Mime.JPEG,
    "MPO": Media.Mime.JPEG,  # a JPEG with further pictures behind the first, as phones make them
    "PNG": Media.Mime.PNG,
    "WEBP": Media.Mime.WEBP,
    "GIF": Media.Mime.GIF,
}
BEGINNING = 64  # bytes of a video that are looked at
# The brands of MP4 files with video. Those of HEIC and AVIF pictures and of audio are not among them.
MP4_BRANDS = (b"iso", b"mp41", b"mp42", b"mp71", b"avc1", b"dash", b"M4V", b"mmp4", b"MSNV", b"3gp", b"f4v", b"F4V")
EBML, WEBM_TYPE = b"\x1a\x45\xdf\xa3", b"\x42\x82\x84webm"  # Matroska's first bytes, and the element that makes it WebM


@dataclass(frozen=True)
class Content:
    mime: Media.Mime
    width: int | None = None
    height: int | None = None


def judge(file: IO[bytes], kind: str) -> Content:
    """What the file is. A Failure unless it is a picture, or a video, as asked for."""
    file.seek(0)
    return _picture(file) if kind == Media.Kind.IMAGE else _video(file.read(BEGINNING))


def judge_either(file: IO[bytes]) -> tuple[Media.Kind, Content]:
    """The same for a file of which nobody says what it is."""
    file.seek(0)
    try:
        return Media.Kind.VIDEO, _video(file.read(BEGINNING))
    except Failure:
        return Media.Kind.IMAGE, judge(file, Media.Kind.IMAGE)


def _picture(file: IO[bytes]) -> Content:
    """Decode it once, to see that it is whole. Of an animation the first picture."""
    try:
        with Image.open(file, formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > MOST_PIXELS:
                raise Failure(MediaReason.WRONG_TYPE, f"The picture has {width} × {height} pixels, which is too many.")
            mime = PICTURES[picture.format or ""]
            picture.load()
    except Failure:
        raise
    except Exception as error:  # a foreign file can make a decoder raise anything
        raise Failure(MediaReason.WRONG_TYPE, f"It is not a picture that can be read ({type(error).__name__}).") from error
    return Content(mime, width, height)


def _video(beginning: bytes) -> Content:
    if beginning[4:8] == b"ftyp" and len(beginning) >= 12 and int.from_bytes(beginning[:4]) >= 12:
        brand = beginning[8:12]
        if brand == b"qt  ":
            return Content(Media.Mime.MOV)
        if brand.startswith(MP4_BRANDS):
            return Content(Media.Mime.MP4)
    if beginning.startswith(EBML) and WEBM_TYPE in beginning:
        return Content(Media.Mime.WEBM)
    raise Failure(MediaReason.WRONG_TYPE, "It does not begin like an MP4, QuickTime or WebM video.")
