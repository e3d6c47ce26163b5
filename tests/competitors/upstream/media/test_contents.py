"""What is stored is decided by the bytes alone, and they are kept as they came."""

import gzip
import hashlib

import pytest

from competitors.models import Media
from competitors.upstream.media import fetch

from .cdn import answer
from .conftest import stored
from .files import AUDIO, HEIC, MKV, MOV, MP4, WEBM, bomb, picture

HTML = b"<!doctype html><html><script>alert(1)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


@pytest.mark.parametrize(
    ("kind", "body", "mime", "ending"),
    [
        ("image", picture("JPEG"), "image/jpeg", "jpg"),
        ("image", picture("MPO"), "image/jpeg", "jpg"),
        ("image", picture("PNG"), "image/png", "png"),
        ("image", picture("WEBP"), "image/webp", "webp"),
        ("image", picture("GIF"), "image/gif", "gif"),
        ("video", MP4, "video/mp4", "mp4"),
        ("video", MOV, "video/quicktime", "mov"),
        ("video", WEBM, "video/webm", "webm"),
    ],
)
def test_a_file_is_stored_as_it_came_and_named_by_its_content(server, folder, kind, body, mime, ending):
    media = fetch(server.serve(answer(body=body, Content_Type="text/html"), "/file.html"), kind)
    name = hashlib.sha256(body).hexdigest()
    assert (media.sha256, media.kind, media.mime, media.bytes) == (name, kind, mime, len(body))
    assert (media.width, media.height) == ((40, 30) if kind == "image" else (None, None))
    assert stored(folder) == [f"{name}.{ending}"]
    with media.file.open() as file:
        assert file.read() == body


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("image", HTML),
        ("image", SVG),
        ("image", b""),
        ("image", b"\x89PNG\r\n\x1a\n"),
        ("image", picture()[:-30]),
        ("image", picture("JPEG", (400, 300))[:-400]),
        ("image", picture("BMP")),
        ("image", MP4),
        ("image", HEIC),
        ("video", picture()),
        ("video", HTML),
        ("video", b""),
        ("video", MKV),
        ("video", HEIC),
        ("video", AUDIO),
        ("video", b"\0\0\0\0ftypisom"),
    ],
)
def test_what_is_no_picture_or_no_video_is_refused_whatever_it_is_called(server, folder, refusal, kind, body):
    url = server.serve(answer(body=body, Content_Type="image/png" if kind == "image" else "video/mp4"), "/file.png")
    assert refusal(url, kind) == ("refused", "wrong_type")
    assert stored(folder) == []
    assert not Media.objects.exists()


@pytest.mark.parametrize(("width", "height"), [(10_000, 6_000), (20_000, 20_000)])
def test_a_picture_that_would_fill_the_memory_is_refused_before_it_is_decoded(server, refusal, width, height):
    body = bomb(width, height)
    assert len(body) < 100_000
    assert refusal(server.serve(answer(body=body))) == ("refused", "wrong_type")


def test_a_file_that_comes_compressed_unasked_is_never_unpacked(server, refusal):
    body = gzip.compress(picture() + b"\0" * 50_000_000)
    url = server.serve(answer(body=body, Content_Encoding="gzip"))
    assert refusal(url) == ("refused", "wrong_type")
    assert server.requests[0]["accept-encoding"] == "identity"


@pytest.mark.parametrize("length", [None, ""], ids=["length told", "length not told"])
@pytest.mark.parametrize("kind", ["image", "video"])
def test_a_file_beyond_the_limit_of_its_kind_is_refused(server, settings, refusal, kind, length):
    settings.MEDIA_MAX_IMAGE_BYTES = settings.MEDIA_MAX_VIDEO_BYTES = 10**9
    setattr(settings, f"MEDIA_MAX_{kind.upper()}_BYTES", 999)
    headers = {} if length is None else {"Content_Length": length}
    assert refusal(server.serve(answer(body=b"\0" * 1000, **headers)), kind) == ("refused", "too_big")
    assert len(server.requests) == 1


def test_a_file_that_is_said_to_be_too_large_is_not_read(server, settings, refusal):
    settings.MEDIA_MAX_IMAGE_BYTES = 999
    assert refusal(server.serve(answer(Content_Length=10**15))) == ("refused", "too_big")
