"""Pictures and videos: made from their address, served in parts, and gone when their link expires."""

import io
from typing import Any

import pytest
import requests
from PIL import Image

from competitors.sandbox.media.links import Links
from competitors.sandbox.server import Sandbox

from .ads import SEARCH, Start, scraped
from .conftest import Api, Clock

FOREVER = 2**33


def links(sandbox: Sandbox, expires: int = FOREVER) -> Links:
    return Links(sandbox.url, expires)


def get(address: str, **headers: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(address, headers=headers, timeout=10, allow_redirects=False)


def test_a_picture_is_whole_and_of_the_size_that_was_asked_for(sandbox: Sandbox) -> None:
    for number in range(20):
        answer = get(links(sandbox).picture(f"picture {number}", 600))
        assert answer.status_code == 200 and int(answer.headers["Content-Length"]) == len(answer.content)
        image = Image.open(io.BytesIO(answer.content))
        image.load()
        assert max(image.size) == 600 and answer.headers["Content-Type"] == Image.MIME[str(image.format)]


def test_some_pictures_are_of_another_format_than_their_address_says(sandbox: Sandbox) -> None:
    types = {get(links(sandbox).picture(f"picture {number}", 60)).headers["Content-Type"] for number in range(60)}
    assert types == {"image/jpeg", "image/webp", "image/png"}


def test_the_same_address_has_the_same_bytes_however_it_is_signed(sandbox: Sandbox, start_sandbox: Start) -> None:
    first = get(links(sandbox).picture("a")).content
    assert get(links(sandbox, FOREVER + 1).picture("a")).content == first
    assert get(links(start_sandbox()).picture("a")).content == first
    assert get(links(sandbox).picture("b")).content != first
    assert get(links(sandbox).video("a")).content != get(links(sandbox).video("b")).content


def test_the_media_of_scraped_ads_are_there(sandbox: Sandbox) -> None:
    ads = [ad["snapshot"] for ad in scraped(sandbox, SEARCH, count=60)]
    picture = next(ad["images"][0] for ad in ads if ad["images"])
    film = next(ad["videos"][0] for ad in ads if ad["videos"])
    assert get(picture["original_image_url"]).headers["Content-Type"].startswith("image/")
    assert get(film["video_sd_url"]).headers["Content-Type"] == "video/mp4"
    assert get(film["video_preview_image_url"]).status_code == 200


def test_a_video_is_a_container_with_a_length(start_sandbox: Start) -> None:
    body = get(links(start_sandbox(video_bytes=150_000)).video("film")).content
    assert body[4:12] == b"ftypisom" and body.count(b"moov") >= 1 and b"mvhd" in body[:200]
    assert len(body) == 150_000
    boxes, at = [], 0
    while at < len(body):
        boxes.append(body[at + 4 : at + 8])
        at += int.from_bytes(body[at : at + 4])
    assert (boxes, at) == ([b"ftyp", b"moov", b"mdat", b"free"], len(body))


def test_a_video_is_never_smaller_than_its_frames(start_sandbox: Start) -> None:
    body = get(links(start_sandbox(video_bytes=10)).video("film")).content
    assert 80_000 < len(body) < 100_000 and b"free" not in body


def test_pictures_can_be_made_as_large_as_a_test_needs_them(start_sandbox: Start) -> None:
    body = get(links(start_sandbox(picture_bytes=200_000)).picture("a")).content
    assert 200_000 <= len(body) <= 200_010
    image = Image.open(io.BytesIO(body))
    image.load()
    assert image.format == "JPEG"


def test_a_file_can_be_read_in_parts(sandbox: Sandbox) -> None:
    address = links(sandbox).video("film")
    whole = get(address)
    assert whole.headers["Accept-Ranges"] == "bytes"
    rest = get(address, Range="bytes=70000-")
    assert (rest.status_code, rest.headers["Content-Range"]) == (206, "bytes 70000-199999/200000")
    assert rest.content == whole.content[70_000:]
    assert get(address, Range="bytes=30-99").content == whole.content[30:100]
    assert get(address, Range="bytes=100-400000").content == whole.content[100:]
    behind = get(address, Range="bytes=200000-")
    assert (behind.status_code, behind.headers["Content-Range"]) == (416, "bytes */200000")


def test_a_part_of_another_version_is_the_whole_file(sandbox: Sandbox) -> None:
    address = links(sandbox).picture("a")
    etag = get(address).headers["ETag"]
    assert get(address, Range="bytes=10-", **{"If-Range": etag}).status_code == 206
    assert get(address, Range="bytes=10-", **{"If-Range": '"other"'}).status_code == 200


def test_a_link_expires_and_a_new_one_brings_the_same_bytes(start_sandbox: Start, clock: Clock) -> None:
    sandbox = start_sandbox(clock=clock)
    old = links(sandbox, int(clock.now + 60)).picture("a")
    body = get(old).content
    clock.advance(61)
    assert (get(old).status_code, get(old).text) == (403, "URL signature expired")
    assert get(links(sandbox, int(clock.now + 60)).picture("a")).content == body


def test_an_expiry_that_cannot_be_read_is_refused(sandbox: Sandbox) -> None:
    assert get(f"{sandbox.cdn_url}/v/t39/a.jpg?oe=soon").status_code == 403
    assert get(f"{sandbox.cdn_url}/v/t39/a.jpg").status_code == 200


def test_what_is_not_there_is_a_404_in_plain_text(sandbox: Sandbox) -> None:
    for path in ("/v/t39/a.exe", "/nothing"):
        answer = get(sandbox.cdn_url + path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/plain")


def test_the_state_counts_requests_for_media(sandbox: Sandbox) -> None:
    get(links(sandbox).picture("a"))
    assert sandbox.state["requests"] == {"GET /cdn/v/{folder}/{name}": 1}


def test_head_has_no_body(sandbox: Sandbox) -> None:
    answer = requests.head(links(sandbox).video("film"), timeout=10)
    assert (answer.status_code, answer.headers["Content-Length"], answer.content) == (200, "200000", b"")


def test_media_need_no_token_and_take_any(api: Api, sandbox: Sandbox) -> None:
    address: Any = links(sandbox).picture("a").removeprefix(sandbox.url)
    assert api.get(address).status_code == 200
    assert Api(sandbox, token=None).get(address).status_code == 200
    assert Api(sandbox, token="bad-token").get(address).status_code == 200


@pytest.mark.parametrize("fault", ["slow", "drop", "server_error", "rate_limit"])
def test_faults_of_any_request_strike_media_too(sandbox: Sandbox, fault: str) -> None:
    sandbox.account.faults.arm(fault, 500 if fault == "server_error" else True if fault == "drop" else 0, count=1, path="/cdn/")
    if fault == "drop":
        with pytest.raises(requests.ConnectionError):
            get(links(sandbox).picture("a"))
    else:
        assert get(links(sandbox).picture("a")).status_code == {"slow": 200, "server_error": 500, "rate_limit": 429}[fault]
    assert sandbox.state["struck"] == {fault: 1}
