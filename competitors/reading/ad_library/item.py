"""One item of the ad library's actor → one ad, in any of the forms that the actor has had. Pure, and never raises.

A value that cannot be read is stored empty and named in `unread`. An item is rejected only if it is no ad.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from ..counts import read_count
from ..text import text, visible
from .media import MediaLink, read_media
from .names import Names
from .values import is_placeholder, read_day, read_id, read_impressions, read_link, read_words

NO_ADS = "ADS_NOT_FOUND"  # the actor's code for an address that shows no ads
_MOST_PLATFORMS = 20


@dataclass(frozen=True)
class Ad:
    """`unread` names the fields that were given but could not be read."""

    ad_archive_id: str
    is_active: bool | None
    started_on: date | None
    ended_on: date | None  # of an ad that is over; an active ad's end date is only today
    page_id: str
    page_name: str
    page_likes: int | None
    body: str
    title: str
    caption: str
    link_url: str
    call_to_action: str
    display_format: str  # IMAGE, VIDEO, CAROUSEL, DCO …
    platforms: tuple[str, ...]  # FACEBOOK, INSTAGRAM …
    collation_id: str  # names the group of variants that the ad belongs to
    variants: int | None  # ads of the group; only its first ad tells
    position: int | None
    total: int | None  # ads that the search found
    impressions_lower: int | None
    impressions_upper: int | None
    impressions_text: str
    media: tuple[MediaLink, ...]
    removed: bool  # Meta names rules that the ad broke; it then shows no media
    unread: tuple[str, ...]


@dataclass(frozen=True)
class Rejected:
    """`says_empty`: the item only says that the address shows no ads."""

    reason: str
    says_empty: bool = False


def parse_ad(given: Any) -> Ad | Rejected:
    """The ad of one item. Its texts are the first card's where the ad itself has none, or only a placeholder."""
    if not isinstance(given, dict):
        return Rejected("Not an object")
    item = Names(given)
    ad_archive_id = read_id(item["ad_archive_id"])
    code = item["error_code"]
    if code == NO_ADS:
        return Rejected("The ad library shows no ads at this address", says_empty=True)
    if code or (item["error"] and not ad_archive_id):
        return Rejected("The ad library answered with an error item")
    if not ad_archive_id:
        return Rejected("No ad id")
    return _ad(ad_archive_id, item, item.inside("snapshot"))


def _ad(ad_archive_id: str, item: Names, snapshot: Names) -> Ad:
    places = [snapshot, *snapshot.each("cards")]
    is_active = item["is_active"] if isinstance(item["is_active"], bool) else None
    start, end = item.first("start_date", "start_date_formatted"), item.first("end_date", "end_date_formatted")
    shown = item.inside("impressions_with_index")["impressions_text"]
    started_on, ended_on = read_day(start), read_day(end) if is_active is False else None
    body, link_url = _first(read_words, places, "body"), _first(read_link, places, "link_url")
    lower, upper = read_impressions(shown)
    lost = {
        "started_on": start is not None and not started_on,
        "ended_on": end is not None and is_active is False and not ended_on,
        "link_url": not link_url and any(_given(place["link_url"]) for place in places),
        "body": not body and any(is_placeholder(place["body"]) for place in places),
        "impressions": _given(shown) and lower is None and upper is None,
    }
    return Ad(
        ad_archive_id=ad_archive_id,
        is_active=is_active,
        started_on=started_on,
        ended_on=ended_on,
        page_id=read_id(item["page_id"]) or read_id(snapshot["page_id"]),
        page_name=_line(item["page_name"]) or _line(snapshot["page_name"]),
        page_likes=read_count(snapshot["page_like_count"]),
        body=body,
        title=_first(read_words, places, "title"),
        caption=_first(read_words, places, "caption"),
        link_url=link_url,
        call_to_action=_line(_first(read_words, places, "cta_text")),
        display_format=_line(snapshot["display_format"]).upper()[:40],
        platforms=_platforms(item["publisher_platform"]),
        collation_id=read_id(item["collation_id"]),
        variants=read_count(item["collation_count"]),
        position=read_count(item["position"]),
        total=read_count(item["total"]),
        impressions_lower=lower,
        impressions_upper=upper,
        impressions_text=_line(shown)[:40],
        media=read_media(snapshot),
        removed=isinstance(item["violation_types"], list) and bool(item["violation_types"]),
        unread=tuple(name for name, is_lost in lost.items() if is_lost),
    )


def _first(read: Callable[[Any], str], places: list[Names], name: str) -> str:
    """What the ad says, else the first of its cards that says something."""
    return next((found for place in places if (found := read(place[name]))), "")


def _platforms(value: Any) -> tuple[str, ...]:
    names = [_line(name).upper() for name in (value if isinstance(value, list) else [value])]
    return tuple(dict.fromkeys(name for name in names if name and len(name) <= 40))[:_MOST_PLATFORMS]


def _line(value: Any) -> str:
    return " ".join(visible(text(value)).split())


def _given(value: Any) -> bool:
    return bool(text(value).strip())
