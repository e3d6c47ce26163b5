"""A brand's own ads as the Graph API writes them: each field may be missing or anything. Pure, and never raises."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any
from zoneinfo import available_timezones

from ..ad_library.media import MediaLink
from ..ad_library.names import Names
from ..ad_library.values import read_id, read_link, read_words
from ..dates import EARLIEST
from ..text import decoded, text

LATEST_YEAR = 2100  # no ad ends later
LONGEST = 86_400.0  # seconds of a video; more makes no sense
_POST = re.compile(r"[1-9][0-9]{0,24}_[1-9][0-9]{0,24}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}")
_STATUS = re.compile(r"[A-Z_]{2,40}")


@dataclass(frozen=True)
class BrandAdItem:
    """`media` may have a link '': it has to be asked for just before the download."""

    ad_id: str
    name: str
    status: str
    is_video: bool
    video_id: str
    creative_id: str
    post_id: str
    title: str
    body: str
    link_url: str
    display_format: str
    campaign_id: str
    started_at: datetime | None
    ends_at: datetime | None  # of its campaign or its ad set, whichever is first
    media: tuple[MediaLink, ...]


def read_brand_ad(item: Any) -> BrandAdItem | None:
    """None for what has no id."""
    ad = Names(item)
    ad_id = read_id(ad["id"])
    if not ad_id:
        return None
    creative = ad.inside("creative")
    video_id = _video_id(creative)
    made_as = text(creative["object_type"]).upper()
    is_video = bool(video_id) or "VIDEO" in made_as
    post_id = text(creative["effective_object_story_id"])
    post_id = post_id if _POST.fullmatch(post_id) else ""
    status = text(ad["effective_status"])
    return BrandAdItem(
        ad_id=ad_id,
        name=decoded(ad["name"]).strip(),
        status=status if _STATUS.fullmatch(status) else "",
        is_video=is_video,
        video_id=video_id,
        creative_id=read_id(creative["id"]),
        post_id=post_id,
        title=_title(creative),
        body=_body(creative),
        link_url=_destination(creative),
        display_format=made_as if _STATUS.fullmatch(made_as) else "",
        campaign_id=read_id(ad.inside("campaign")["id"]),
        started_at=read_moment(ad["created_time"]),
        ends_at=min(
            filter(None, map(read_moment, (ad.inside("campaign")["stop_time"], ad.inside("adset")["end_time"]))), default=None
        ),
        media=tuple(_of_video(creative) if is_video else _of_picture(creative, post_id)),
    )


def read_post_picture(post: Any) -> str:
    """The link to the picture that a post shows, '' if there is none."""
    found = Names(post)
    images = (one.inside("media").inside("image")["src"] for one in found.inside("attachments").each("data"))
    return next(filter(None, map(read_link, (found["full_picture"], *images))), "")


def has_source(video: Any) -> bool:
    """Whether the token has a right to the video's file: without one, the answer leaves the field out."""
    return isinstance(video, Mapping) and video.get("source") is not None


def read_source(video: Any) -> str:
    """The link to the video's file, '' if it cannot be read."""
    return read_link(Names(video)["source"])


def read_duration(video: Any) -> float | None:
    """Seconds."""
    value = Names(video)["length"]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LONGEST:
        return None
    return float(value) if isfinite(value) else None


def read_moment(value: Any) -> datetime | None:
    """A time with its zone, such as 2026-06-30T18:00:00+0000. Meta writes 1969 or 1970 for none."""
    try:
        at = datetime.fromisoformat(text(value))
        return at.astimezone(UTC) if at.tzinfo and EARLIEST.year <= at.year < LATEST_YEAR else None
    except (ValueError, OverflowError):
        return None


def _title(creative: Names) -> str:
    story = creative.inside("object_story_spec")
    dynamic = (one["text"] for one in creative.inside("asset_feed_spec").each("titles"))
    return _words(creative["title"], story.inside("link_data")["name"], story.inside("video_data")["title"], *dynamic)


def _body(creative: Names) -> str:
    story = creative.inside("object_story_spec")
    dynamic = (one["text"] for one in creative.inside("asset_feed_spec").each("bodies"))
    own = (story.inside("link_data")["message"], story.inside("video_data")["message"], story.inside("photo_data")["caption"])
    return _words(*own, creative["body"], *dynamic)


def _destination(creative: Names) -> str:
    story = creative.inside("object_story_spec")
    video = story.inside("video_data").inside("call_to_action").inside("value")
    dynamic = (one["website_url"] for one in creative.inside("asset_feed_spec").each("link_urls"))
    return _first(story.inside("link_data")["link"], video["link"], *dynamic)


def _words(*values: Any) -> str:
    """The first of these that is a text of its own."""
    return next(filter(None, map(read_words, values)), "")


def _video_id(creative: Names) -> str:
    """An upload can be downloaded, while a published reel belongs to its page: the upload goes first."""
    uploaded = creative.inside("object_story_spec").inside("video_data")["video_id"]
    dynamic = (video["video_id"] for video in creative.inside("asset_feed_spec").each("videos"))
    return next(filter(None, map(read_id, (uploaded, creative["video_id"], *dynamic))), "")


def _of_video(creative: Names) -> list[MediaLink]:
    data = creative.inside("object_story_spec").inside("video_data")
    dynamic = (video["thumbnail_url"] for video in creative.inside("asset_feed_spec").each("videos"))
    still = _first(data["image_url"], creative["image_url"], *dynamic, creative["thumbnail_url"])
    return [MediaLink("video", 0, ""), *([MediaLink("poster", 0, still)] if still else [])]


def _of_picture(creative: Names, post_id: str) -> list[MediaLink]:
    """The ad's own picture; else the post's, which has to be asked for; else the thumbnail."""
    story = creative.inside("object_story_spec")
    link = story.inside("link_data")
    dynamic = (image["url"] for image in creative.inside("asset_feed_spec").each("images"))
    own = _first(creative["image_url"], link["image_url"], link["picture"], story.inside("photo_data")["url"], *dynamic)
    if own:
        return [MediaLink("picture", 0, own)]
    thumbnail = _first(creative["thumbnail_url"])
    return [MediaLink("thumbnail", 0, "" if post_id else thumbnail)] if post_id or thumbnail else []


def read_thumbnail(item: Any) -> str:
    return _first(Names(item).inside("creative")["thumbnail_url"])


def _first(*values: Any) -> str:
    """The first of these that is an address."""
    return next(filter(None, map(read_link, values)), "")


def read_account(answer: Any) -> dict[str, str]:
    """What an ad account says of itself; '' for what cannot be read."""
    account = Names(answer)
    currency, zone = text(account["currency"]), text(account["timezone_name"])
    return {
        "name": decoded(account["name"]).strip(),
        "currency": currency if _CURRENCY.fullmatch(currency) else "",
        "time_zone": zone if zone in available_timezones() else "",
    }
