"""Faults of the CDN: files that are gone, late, cut off, or not what they claim to be."""

import contextlib
import io
import time
from typing import Any

import pytest
import requests
from PIL import Image

from competitors.sandbox.server import Sandbox

from .test_cdn import FOREVER, get, links


def struck(sandbox: Sandbox, fault: str, value: Any = True, **headers: str) -> requests.Response:
    """The answer to a request for a picture that the fault strikes."""
    sandbox.account.faults.arm(fault, value, count=1)
    return get(links(sandbox).picture("a"), **headers)


def until_it_breaks(answer: requests.Response) -> bytes:
    body = b""
    with contextlib.suppress(requests.RequestException):
        for chunk in answer.iter_content(1000):
            body += chunk
    return body


@pytest.mark.parametrize(
    ("fault", "value", "status"),
    [
        ("media_gone", True, 404),
        ("media_gone", 410, 410),
        ("media_expired", True, 403),
        ("media_error", True, 503),
        ("media_error", 500, 500),
        ("media_throttled", 0, 429),
    ],
)
def test_no_file_once_and_then_the_file(sandbox: Sandbox, fault: str, value: Any, status: int) -> None:
    assert struck(sandbox, fault, value).status_code == status
    assert get(links(sandbox).picture("a")).status_code == 200


@pytest.mark.parametrize(("seconds", "header"), [(5, "5"), (0, None)])
def test_throttling_may_say_how_long(sandbox: Sandbox, seconds: int, header: str | None) -> None:
    assert struck(sandbox, "media_throttled", seconds).headers.get("Retry-After") == header


def test_a_fault_can_strike_one_file_only(sandbox: Sandbox) -> None:
    name = links(sandbox).picture("a").split("/")[-1].split("?")[0]
    sandbox.account.faults.arm("media_gone", path=name)
    assert [get(links(sandbox).picture(picture)).status_code for picture in "aba"] == [404, 200, 404]


def test_a_redirect_leads_to_the_given_address(sandbox: Sandbox) -> None:
    answer = struck(sandbox, "media_redirect", "http://127.0.0.1:1/secret")
    assert (answer.status_code, answer.headers["Location"]) == (302, "http://127.0.0.1:1/secret")


def test_a_cut_download_goes_on_by_range(sandbox: Sandbox) -> None:
    address = links(sandbox).video("film")
    sandbox.account.faults.arm("media_cut", 0.25, count=1)
    with requests.get(address, stream=True, timeout=10) as answer:
        assert answer.headers["Content-Length"] == "200000"
        first = until_it_breaks(answer)
    assert 0 < len(first) <= 50_000
    assert first + get(address, Range=f"bytes={len(first)}-").content == get(address).content


def test_a_server_without_range_sends_everything(sandbox: Sandbox) -> None:
    answer = struck(sandbox, "media_no_range", Range="bytes=10-")
    assert answer.status_code == 200 and "Content-Range" not in answer.headers


def test_a_length_that_is_not_said(sandbox: Sandbox) -> None:
    answer = struck(sandbox, "media_no_length")
    assert "Content-Length" not in answer.headers
    assert answer.content == get(links(sandbox).picture("a")).content


def test_a_body_that_trickles_in(sandbox: Sandbox) -> None:
    sandbox.account.faults.arm("media_slow", 2000, count=1)
    began = time.monotonic()
    with requests.get(links(sandbox).picture("a"), stream=True, timeout=10) as answer:
        chunks = answer.iter_content(200)
        assert [len(next(chunks)) for _ in range(4)] == [200] * 4
    assert time.monotonic() - began >= 0.3


def test_a_trickle_ends_with_the_sandbox(sandbox: Sandbox) -> None:
    sandbox.account.faults.arm("media_slow", 10)
    with requests.get(links(sandbox).picture("a"), stream=True, timeout=10) as answer:
        sandbox.close()
        with pytest.raises(requests.RequestException):
            assert answer.content


def test_a_huge_body_is_streamed(sandbox: Sandbox) -> None:
    sandbox.account.faults.arm("media_huge", 10**12)
    with requests.get(links(sandbox).video("film"), stream=True, timeout=10) as answer:
        assert answer.headers["Content-Length"] == str(10**12)
        assert len(next(answer.iter_content(1_000_000))) == 1_000_000
    assert get(links(sandbox).video("film"), Range="bytes=999999999990-").content


@pytest.mark.parametrize(
    ("fault", "mime", "beginning"),
    [
        ("media_html", "text/html", b"<!doctype html>"),
        ("media_svg", "image/svg+xml", b"<svg"),
        ("media_wrong_type", "application/pdf", b"%PDF-"),
    ],
)
def test_something_else_than_a_picture_under_its_own_type_or_a_false_one(
    sandbox: Sandbox, fault: str, mime: str, beginning: bytes
) -> None:
    honest, false = struck(sandbox, fault), struck(sandbox, fault, "image/jpeg")
    assert (honest.headers["Content-Type"], false.headers["Content-Type"]) == (mime, "image/jpeg")
    assert honest.content.startswith(beginning) and false.content.startswith(beginning)


def test_a_bomb_is_a_small_file_with_many_pixels(sandbox: Sandbox) -> None:
    body = struck(sandbox, "media_bomb").content
    assert len(body) < 1_000_000
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(body))
    small = Image.open(io.BytesIO(struck(sandbox, "media_bomb", 100).content))
    small.load()
    assert small.size == (100, 100)


def test_faults_of_media_leave_apify_alone(sandbox: Sandbox) -> None:
    sandbox.account.faults.arm("media_gone")
    assert get(f"{sandbox.url}/v2/users/me?token=t").status_code == 200
    assert get(links(sandbox, FOREVER).picture("a")).status_code == 404
