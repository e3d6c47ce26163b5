"""Who gets a stored picture or video, and which part of it."""

import contextlib
from pathlib import Path

import pytest
from waitress.buffers import ReadOnlyFileBasedBuffer

from competitors.models import AdMedia, LibraryAd
from competitors.views.media import send
from tests.factories import make_ad, make_brand, make_competitor, make_media, make_person

pytestmark = pytest.mark.django_db

VIDEO = b"\0\0\0\x20ftypisom" + bytes(range(256)) * 4


@pytest.fixture
def place(settings, tmp_path):
    """A competitor's ad with a stored video."""
    settings.MEDIA_ROOT = str(tmp_path)
    media = make_media(VIDEO, "video/mp4")
    return AdMedia.objects.create(competitor_ad=make_ad(make_competitor()), role="video", media=media, status="stored")


def content(response):
    """Reading it closes the file."""
    return b"".join(response.streaming_content) if response.streaming else response.content


def test_a_file_goes_to_a_person_to_whom_its_brand_is_open(client, place):
    client.force_login(make_person("v", "viewer", place.competitor_ad.competitor.brand))
    got = client.get(f"/media/{place.pk}/")
    assert (got.status_code, content(got)) == (200, VIDEO)
    headers = {"Content-Type": "video/mp4", "X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-cache"}
    assert {name: got.headers[name] for name in headers} == headers
    assert got.headers["Content-Disposition"] == f'inline; filename="video-{place.pk}.mp4"'
    saved = client.get(f"/media/{place.pk}/?download")
    assert (content(saved), saved.headers["Content-Disposition"][:11]) == (VIDEO, "attachment;")


def test_nobody_else_gets_it(client, place):
    assert client.get(f"/media/{place.pk}/").status_code == 302  # to the login
    client.force_login(make_person("o", "operator", make_brand("Other")))
    assert client.get(f"/media/{place.pk}/").status_code == 404
    library = LibraryAd.objects.create(
        ad_archive_id="1", first_seen_at=place.media.created_at, last_seen_at=place.media.created_at
    )
    shared = AdMedia.objects.create(library_ad=library, role="video", media=place.media, status="stored")
    assert client.get(f"/media/{shared.pk}/").status_code == 404  # for the platform, not for a brand
    client.force_login(make_person("v", "viewer"))
    assert content(client.get(f"/media/{shared.pk}/")) == VIDEO


def test_what_is_not_stored_is_not_found(client, place):
    client.force_login(make_person("v", "viewer"))
    Path(place.media.file.path).unlink()
    assert client.get(f"/media/{place.pk}/").status_code == 404
    AdMedia.objects.update(media=None, status="waiting")
    assert client.get(f"/media/{place.pk}/").status_code == 404
    assert client.get("/media/999999/").status_code == 404


PARTS = {  # Range → status, and the first and last byte that are sent
    "bytes=0-": (206, 0, len(VIDEO) - 1),
    "bytes=10-19": (206, 10, 19),
    "bytes=1000-999999": (206, 1000, len(VIDEO) - 1),
    "bytes=-5": (206, len(VIDEO) - 5, len(VIDEO) - 1),
    "bytes=-999999": (206, 0, len(VIDEO) - 1),
    "bytes=9999-": (416, 0, -1),
    "bytes=-0": (416, 0, -1),
    "bytes=20-10": (200, 0, len(VIDEO) - 1),
    "bytes=-": (200, 0, len(VIDEO) - 1),
    "bytes=0-1,5-6": (200, 0, len(VIDEO) - 1),
    "pages=1-2": (200, 0, len(VIDEO) - 1),
}


def test_a_part_is_sent_to_who_asks_for_one(client, place):
    client.force_login(make_person("v", "viewer"))
    for asked, (status, first, last) in PARTS.items():
        got = client.get(f"/media/{place.pk}/", headers={"Range": asked})
        assert (got.status_code, content(got)) == (status, VIDEO[first : last + 1]), asked
        assert got.headers["Accept-Ranges"] == "bytes"
        assert got.headers["Content-Length"] == str(last + 1 - first)
        if status != 200:
            sent = f"{first}-{last}" if status == 206 else "*"
            assert got.headers["Content-Range"] == f"bytes {sent}/{len(VIDEO)}"


def test_the_web_server_sends_a_part_without_a_thread_that_waits_for_its_reader(rf, place):
    got = send(rf.get("/", headers={"Range": "bytes=10-19"}), place.media, "video")
    with contextlib.closing(got):
        sent = ReadOnlyFileBasedBuffer(got.file_to_stream)
        assert sent.prepare() == 10, "waitress itself reads only files in which it can seek"
        assert [sent.get(4), sent.get(4, skip=True), sent.get(), len(sent)] == [VIDEO[10:14], VIDEO[10:14], VIDEO[14:20], 6]


def test_what_the_browser_has_is_not_sent_again_and_a_part_of_another_file_is_not_mixed_in(client, place):
    client.force_login(make_person("v", "viewer"))

    def ask(**headers):
        got = client.get(f"/media/{place.pk}/", headers=headers)
        return got.status_code, content(got)

    etag = client.get(f"/media/{place.pk}/", headers={"Range": "bytes=-0"}).headers["ETag"]
    assert ask(if_none_match=etag) == (304, b"")
    assert ask(range="bytes=10-19", if_range='"other"') == (200, VIDEO)
    assert ask(range="bytes=10-19", if_range=etag) == (206, VIDEO[10:20])
