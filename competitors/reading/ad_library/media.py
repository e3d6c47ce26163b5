"""Where the pictures and videos of an ad are. The links are signed and end within days."""

from collections.abc import Iterator
from dataclasses import dataclass

from .names import Names
from .values import read_link

MOST_MEDIA = 50  # of one ad; a carousel has ten cards
_PICTURE = ("original_image_url", "resized_image_url", "watermarked_resized_image_url")
_VIDEO = ("video_hd_url", "video_sd_url", "watermarked_video_hd_url", "watermarked_video_sd_url")
_POSTER = ("video_preview_image_url",)


@dataclass(frozen=True)
class MediaLink:
    """`position` counts the places of an ad from 0; a video and its poster have the same."""

    role: str  # picture | video | poster
    position: int
    url: str


def read_media(snapshot: Names) -> tuple[MediaLink, ...]:
    """In the order in which the ad shows them, each address once."""
    found: list[MediaLink] = []
    known: set[str] = set()
    position = 0
    for place in _places(snapshot):
        new = [(role, url) for role, url in place if url not in known]
        found += [MediaLink(role, position, url) for role, url in new]
        known |= {url for _, url in new}
        position += bool(new)
        if len(found) >= MOST_MEDIA:
            break
    return tuple(found[:MOST_MEDIA])


def _places(snapshot: Names) -> Iterator[list[tuple[str, str]]]:
    for name in ("images", "videos", "cards", "extra_images", "extra_videos"):
        for one in snapshot.each(name):
            video, poster, picture = (_link(one, names) for names in (_VIDEO, _POSTER, _PICTURE))
            moving = [("video", video), ("poster", poster)]
            yield [(role, url) for role, url in (moving if video else [("poster", poster), ("picture", picture)]) if url]


def _link(one: Names, names: tuple[str, ...]) -> str:
    """The first of these that is an address."""
    return next((url for name in names if (url := read_link(one[name]))), "")
