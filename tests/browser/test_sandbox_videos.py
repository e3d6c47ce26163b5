"""The sandbox's videos play, so that pages with them look in development as they will."""

from playwright.sync_api import Browser

from competitors.sandbox.media.links import Links
from competitors.sandbox.media.videos import seconds_of
from competitors.sandbox.server import Sandbox

SHOWN = """address => new Promise((resolve, reject) => {
    const video = document.createElement("video");
    video.muted = true;
    video.onerror = () => reject(video.error.message);
    video.onloadeddata = () => { video.currentTime = video.duration * 0.9 };
    video.onseeked = () => resolve([video.videoWidth, video.videoHeight, video.duration]);
    video.src = address;
})"""


def test_chromium_plays_a_video_to_its_end(chromium: Browser, sandbox: Sandbox) -> None:
    page = chromium.new_page()
    try:
        page.goto(f"{sandbox.url}/sandbox/state")
        for name in ("a", "b", "c"):
            address = Links(sandbox.url, 2**33).video(name)
            file = address.partition("?")[0].rsplit("/", 1)[-1]
            assert page.evaluate(SHOWN, address) == [64, 112, seconds_of(file)]
    finally:
        page.close()
