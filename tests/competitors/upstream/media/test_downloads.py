"""What becomes of a download: each reason, further tries, and going on where it broke."""

import time
import tracemalloc
from datetime import UTC, datetime

import pytest

from competitors.models import Media
from competitors.upstream.media import expires_at, fetch

from .cdn import answer, file, in_turn, trickle
from .conftest import stored
from .files import MP4, picture

PAST, FUTURE = "5e0be100", "7fffffff"  # 2020 and 2038; fixed, since they are part of the tests’ names
VIDEO = MP4 + bytes(range(256)) * 1000
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
FRAME = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr("competitors.upstream.media.download.PAUSES", (0, 0, 0))


@pytest.mark.parametrize(
    ("status", "query", "expected", "tries"),
    [
        (403, f"?oe={PAST}", ("unavailable", "expired"), 1),
        (403, f"?oe={FUTURE}", ("unavailable", "gone"), 1),
        (403, "?oe=nonsense", ("unavailable", "gone"), 1),
        (403, "", ("unavailable", "gone"), 1),
        (404, f"?oe={PAST}", ("unavailable", "gone"), 1),
        (410, "", ("unavailable", "gone"), 1),
        (429, "", ("failed", "throttled"), 4),
        (500, "", ("failed", "server_error"), 4),
        (503, "", ("failed", "server_error"), 4),
        (408, "", ("failed", "server_error"), 4),
        (400, "", ("failed", "server_error"), 1),
        (401, "", ("failed", "server_error"), 1),
        (416, "", ("failed", "server_error"), 1),
        (204, "", ("failed", "server_error"), 1),
        (206, "", ("failed", "server_error"), 4),
        (304, "", ("failed", "server_error"), 1),
    ],
)
def test_each_answer_has_its_reason(server, folder, refusal, status, query, expected, tries):
    assert refusal(server.serve(answer(status, body=picture()), f"/file{query}")) == expected
    assert len(server.requests) == tries
    assert stored(folder) == []


@pytest.mark.parametrize(
    "passing",
    [answer(500), answer(429), answer(429, Retry_After="Wed, 01 Jan 2020 00:00:00 GMT")],
    ids=["failed", "throttled", "throttled until a date"],
)
def test_what_works_at_the_fourth_try_is_stored(server, passing):
    assert isinstance(fetch(server.serve(in_turn(passing, passing, passing, file(picture()))), "image"), Media)


def test_a_server_that_asks_for_a_short_wait_is_obeyed(server):
    begin = time.monotonic()
    assert isinstance(fetch(server.serve(in_turn(answer(429, Retry_After=1), file(picture()))), "image"), Media)
    assert time.monotonic() - begin >= 1


@pytest.mark.parametrize(("status", "reason"), [(429, "throttled"), (503, "server_error")])
def test_a_server_that_asks_for_a_long_wait_is_left_to_the_next_run(server, refusal, status, reason):
    begin = time.monotonic()
    assert refusal(server.serve(answer(status, Retry_After=31))) == ("failed", reason)
    assert len(server.requests) == 1
    assert time.monotonic() - begin < 10


def test_a_server_that_hangs_up_is_asked_four_times(server, refusal):
    assert refusal(server.serve(lambda handler: None)) == ("failed", "server_error")
    assert len(server.requests) == 4


def test_an_answer_that_breaks_off_in_its_headers_is_no_empty_file(server, refusal):
    assert refusal(server.serve(lambda handler: handler.wfile.write(b"HTTP/1.1 200 OK\r\nX"))) == ("failed", "server_error")
    assert len(server.requests) == 4


def test_a_server_that_is_not_there_or_speaks_no_http_has_failed(server, settings, refusal):
    url = server.serve(lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n"))
    assert refusal(url) == ("failed", "server_error")
    settings.MEDIA_EXTRA_HOSTS = ["127.0.0.1:9"]
    assert refusal("http://127.0.0.1:9/a") == ("failed", "server_error")


@pytest.mark.parametrize(
    "headers",
    [{"ETag": '"1"'}, {"ETag": 'W/"1"'}, {"Last_Modified": "Wed, 01 Jan 2020 00:00:00 GMT"}, {}],
    ids=["etag", "weak etag", "date", "length only"],
)
def test_a_broken_download_goes_on_where_it_broke(server, headers):
    media = fetch(server.serve(file(VIDEO, break_at=[1000, 150_000], **headers)), "video")
    assert server.ranges() == [None, "bytes=1000-", "bytes=150000-"]
    condition = '"1"' if headers.get("ETag") == '"1"' else headers.get("Last_Modified")
    assert [request.get("if-range") for request in server.requests] == [None, condition, condition]
    assert media.file.read() == VIDEO
    media.file.close()


@pytest.mark.parametrize(
    "then",
    [
        [file(VIDEO, ignores_range=True)],
        [answer(416), file(VIDEO)],
        [answer(206, VIDEO[5:], Content_Range="nonsense"), file(VIDEO)],
        [answer(206, VIDEO[5:], Content_Range=f"bytes 5-{len(VIDEO) - 1}/{len(VIDEO)}", ETag='"1"'), file(VIDEO)],
        [file(VIDEO + b"longer", ETag='"1"'), file(VIDEO)],
        [file(VIDEO, ETag='"2"'), file(VIDEO)],
    ],
    ids=["no ranges", "no such range", "unreadable range", "another range", "another length", "another version"],
)
def test_a_broken_download_whose_rest_is_not_to_be_had_starts_anew(server, then):
    other = MP4 + b"\1" * 256_000
    media = fetch(server.serve(in_turn(file(other[: len(VIDEO)], break_at=[1000], ETag='"1"'), *then)), "video")
    assert server.ranges() == [None, "bytes=1000-", *[None] * (len(then) - 1)]
    assert media.file.read() == VIDEO
    media.file.close()


def test_a_download_of_unknown_length_that_breaks_starts_anew(server):
    def chunked(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n")

    media = fetch(server.serve(in_turn(chunked, file(VIDEO))), "video")
    assert server.ranges() == [None, None]
    assert media.bytes == len(VIDEO)


def test_a_chunked_file_is_read(server):
    def chunked(handler):
        parts = [VIDEO[at : at + 9000] for at in range(0, len(VIDEO), 9000)]
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body)

    assert fetch(server.serve(chunked), "video").bytes == len(VIDEO)


def test_a_download_that_breaks_four_times_has_failed(server, folder, refusal):
    url = server.serve(file(VIDEO, break_at=[1000, 2000, 3000, 4000]))
    assert refusal(url, "video") == ("failed", "server_error")
    assert stored(folder) == []


def test_a_trickle_is_given_up_after_a_while(server, settings, refusal):
    settings.MEDIA_LEAST_SPEED_SECONDS = 0.3
    begin = time.monotonic()
    assert refusal(server.serve(trickle(server, HEAD, b"x", 0.02))) == ("failed", "slow")
    assert time.monotonic() - begin < 5
    assert len(server.requests) == 1


def test_silence_in_the_middle_is_slow_too(server, settings, refusal):
    settings.MEDIA_LEAST_SPEED_SECONDS = 0.3
    assert refusal(server.serve(trickle(server, HEAD + b"x", b"x", 30))) == ("failed", "slow")


@pytest.mark.parametrize(("before", "again"), [(HEAD, b"x" * 30), (FRAME, b"x")], ids=["body", "frame"])
def test_a_file_has_so_much_time_and_no_more(server, settings, refusal, before, again):
    """Also inside the frame of a chunk, where not one byte of the file comes."""
    settings.MEDIA_MAX_SECONDS, settings.MEDIA_LEAST_SPEED = 0.5, 10
    begin = time.monotonic()
    assert refusal(server.serve(trickle(server, before, again, 0.02))) == ("failed", "slow")
    assert time.monotonic() - begin < 5


def test_headers_that_never_end_are_cut_off(server, settings, refusal):
    settings.MEDIA_LEAST_SPEED_SECONDS, settings.MEDIA_MAX_SECONDS = 0.3, 1
    begin = time.monotonic()
    url = server.serve(trickle(server, b"HTTP/1.1 200 OK\r\nX: ", b"x", 0.02))
    assert refusal(url) in [("failed", "server_error"), ("failed", "slow")]  # which of the two limits comes first
    assert len(server.requests) > 1
    assert time.monotonic() - begin < 5


def test_a_fast_file_is_not_slow_however_often_it_is_measured(server, settings):
    settings.MEDIA_LEAST_SPEED_SECONDS, settings.MEDIA_LEAST_SPEED = 0.1, 1000

    def paced(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(VIDEO))
        for at in range(0, len(VIDEO), 20_000):
            handler.wfile.write(VIDEO[at : at + 20_000])
            server.closed.wait(0.02)

    assert isinstance(fetch(server.serve(paced), "video"), Media)


def test_who_waits_may_leave_at_any_time_and_nothing_is_left(server, folder):
    class Leave(BaseException):
        pass

    def check():
        raise Leave

    for page in (file(VIDEO), answer(429, Retry_After=20)):
        with pytest.raises(Leave):
            fetch(server.serve(page), "video", check)
    assert stored(folder) == []


def test_a_large_file_does_not_fill_the_memory(server):
    size, piece = 100_000_000, bytes(1_000_000)

    def large(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        handler.wfile.write(MP4.ljust(len(piece), b"\0"))
        for _ in range(size // len(piece) - 1):
            handler.wfile.write(piece)

    url = server.serve(large)
    tracemalloc.start()
    try:
        media = fetch(url, "video")
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()
    assert media.bytes == size


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://video.xx.fbcdn.net/a?x=1&oe=65920080&y=2", datetime(2024, 1, 1, 0, 0, tzinfo=UTC)),
        ("https://video.xx.fbcdn.net/a?oe=", None),
        ("https://video.xx.fbcdn.net/a?oe=xyz", None),
        ("https://video.xx.fbcdn.net/a?oe=" + "f" * 40, None),
        ("https://video.xx.fbcdn.net/a", None),
        ("https://[/a?oe=65920080", None),
        ("", None),
    ],
)
def test_a_link_tells_when_it_expires(url, expected):
    assert expires_at(url) == expected


def test_links_can_be_put_in_the_order_in_which_they_expire():
    links = [f"https://a.fbcdn.net/?oe={oe}" for oe in (FUTURE, PAST)]
    assert sorted(links, key=expires_at) == links[::-1]
