"""Pictures and a video from loopback, stored by the step that runs use, compared with a loop of requests.get().

    DATABASE_URL=… python -m benchmarks.media [--pictures 200] [--video-mb 400]

The peer writes each file and nothing else: no check, no row. Memory is the peak of a new process that stores one video.
"""

import argparse
import contextlib
import os
import random
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests
from PIL import Image

from benchmarks.scratch import ROOT, database
from tests.machine import free_port

SIDE, QUALITY = 470, 92  # noise of this size makes a JPEG of about 200 KB
MP4 = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41"
LIMIT_SECONDS, LIMIT_MB = 10, 20


def make_files(folder: Path, pictures: int, video_mb: int) -> int:
    """Returns the mean size of a picture, in bytes."""
    dice = random.Random(1)
    for number in range(pictures):
        Image.frombytes("RGB", (SIDE, SIDE), dice.randbytes(SIDE * SIDE * 3)).save(folder / f"{number}.jpg", quality=QUALITY)
    for name, size in (("small", 1_000_000), ("large", video_mb * 1_000_000)):
        with (folder / f"{name}.mp4").open("wb") as file:
            file.write(MP4)
            file.truncate(size)
    return sum((folder / f"{number}.jpg").stat().st_size for number in range(pictures)) // pictures


@contextlib.contextmanager
def served(folder: Path):
    """The address of a web server of its own process."""
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.05)
        yield f"127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait(10)


def store_pictures(host: str, pictures: int) -> float:
    """Seconds in which one worker's run stores them all."""
    from django.utils import timezone

    from competitors.models import AdMedia, Competitor, CompetitorAd
    from competitors.steps.ad_media import store
    from pipeline import api
    from pipeline.engine.execution.context import WorkerContext
    from pipeline.engine.queue.claim import claim
    from pipeline.engine.workers.processes import register_worker
    from pipeline.models import Brand

    brand = Brand.objects.create(name="Bench", slug="bench")
    competitor = Competitor.objects.create(brand=brand, name="Rival")
    seen = {"first_seen_at": timezone.now(), "last_seen_at": timezone.now()}
    for number in range(pictures):
        ad = CompetitorAd.objects.create(competitor=competitor, ad_archive_id=str(number), **seen)
        AdMedia.objects.create(competitor_ad=ad, role="picture", url=f"http://{host}/{number}.jpg")
    api.queue_one_time_job(brand.pk, "mark", {"name": "media"})
    claimed = claim(register_worker())
    assert claimed
    begin = time.perf_counter()
    done = store(WorkerContext(*claimed, stopping=lambda: False), AdMedia.objects.all(), pictures)
    took = time.perf_counter() - begin
    assert done.files == pictures, done
    return took


def peer(host: str, pictures: int, folder: Path) -> float:
    begin = time.perf_counter()
    for number in range(pictures):
        (folder / f"copy-{number}.jpg").write_bytes(requests.get(f"http://{host}/{number}.jpg", timeout=10).content)
    return time.perf_counter() - begin


def peak_memory_mb(host: str, name: str) -> float:
    """Peak memory of a process that does nothing else, imports included."""
    command = [sys.executable, "-m", "benchmarks.media", "--only-store", f"http://{host}/{name}.mp4"]
    return float(subprocess.run(command, cwd=ROOT, env=os.environ, check=True, capture_output=True, text=True).stdout)


def only_store(url: str) -> None:
    import django

    django.setup()
    from competitors.models import Media
    from competitors.upstream.media import fetch

    found = fetch(url, "video")
    assert isinstance(found, Media), found
    print(int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--video-mb", type=int, default=400)
    parser.add_argument("--only-store", metavar="URL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only_store:
        return only_store(options.only_store)
    with database() as folder:
        from django.conf import settings
        from django.db import connection

        site, stored = folder / "site", folder / "stored"
        site.mkdir()
        size = make_files(site, options.pictures, options.video_mb)
        with served(site) as host:
            settings.MEDIA_EXTRA_HOSTS, settings.MEDIA_ROOT = [host], str(stored)
            os.environ |= {"MEDIA_EXTRA_HOSTS": host, "MEDIA_ROOT": str(stored)}
            ours, theirs = store_pictures(host, options.pictures), peer(host, options.pictures, folder)
            print(f"Media on {connection.vendor}: {options.pictures} pictures of {size / 1000:.0f} KB from loopback, one worker")
            print(f"ours {ours:.2f} s (≤ {LIMIT_SECONDS}), a loop of requests.get() {theirs:.2f} s, {ours / theirs:.1f} ×")
            peaks = [peak_memory_mb(host, name) for name in ("small", "large")]
            grown = peaks[1] - peaks[0]
            print(f"peak memory with a video of 1 and of {options.video_mb} MB: {peaks[0]:.1f} and {peaks[1]:.1f} MB", end="")
            print(f", {grown:+.1f} (≤ {LIMIT_MB})")
    return None


if __name__ == "__main__":
    main()
