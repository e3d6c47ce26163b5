"""Ad accounts, their ads, creatives, videos and posts: made up from the account's id alone.

Every id contains its account's id, so that nothing has to be listed before it can be read. An account whose id ends in
0000 gives no permission, and one whose id ends in 9999 has no ads. The ends of some others stand for a zone and a currency.
"""

import random
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from ..media.links import Links
from ..media.videos import seconds_of
from .texts import TEXTS

Node = dict[str, Any]

STATUSES = (
    "ACTIVE", "PAUSED", "DELETED", "PENDING_REVIEW", "DISAPPROVED", "PREAPPROVED", "PENDING_BILLING_INFO", "CAMPAIGN_PAUSED",
    "ARCHIVED", "ADSET_PAUSED", "IN_PROCESS", "WITH_ISSUES",
)  # fmt: skip
#: Left out unless ``effective_status`` asks for them.
HIDDEN = ("DELETED", "ARCHIVED")

_USUAL = {"ACTIVE": 50, "PAUSED": 20, "ARCHIVED": 12, "CAMPAIGN_PAUSED": 8, "DELETED": 5, "DISAPPROVED": 3, "WITH_ISSUES": 2}
_PREFIXES = {
    "ad": "1202",
    "creative": "1203",
    "upload": "1204",
    "reel": "1205",
    "post": "1206",
    "campaign": "1208",
    "adset": "1209",
}
_KINDS = ("image", "image", "photo", "feed", "boosted", "video", "video", "reel", "bare")
_ZONES = [("America/Los_Angeles", "USD"), ("America/New_York", "USD"), ("Europe/Berlin", "EUR"), ("Australia/Sydney", "AUD")]
#: By the last four digits of an account's id.
ZONES = {"0064": ("Pacific/Auckland", "NZD"), "0808": ("Pacific/Honolulu", "USD"), "0081": ("Asia/Tokyo", "JPY")}
_ADS_OF = {"ad": 1, "adset": 5, "campaign": 10}  # how many ads each has
_NAMES = ["Northpaw", "Calmora", "Brightwick", "Tavolo", "Oskelin"]


@dataclass(frozen=True)
class World:
    """What nodes are made from."""

    seed: int
    ads: int  # of each account
    links: Links


@dataclass(frozen=True)
class Found:
    """What an id says: a kind of node, its account, and which of the account's it is."""

    kind: str
    account: str
    number: int


def id_of(kind: str, account: str, number: int) -> str:
    return f"{_PREFIXES[kind]}{number:05d}{account}"


def read_id(text: str, world: World) -> Found | None:
    """Posts are named by page and post, joined by an underscore."""
    for kind, prefix in _PREFIXES.items():
        found = re.fullmatch(rf"(?:\d+_)?{prefix}(\d{{5}})(\d+)", text)
        if found and (kind == "post") == ("_" in text) and int(found[1]) < ads_in(found[2], world):
            return Found(kind, found[2], int(found[1]))
    return None


def ads_in(account: str, world: World) -> int:
    return 0 if account.endswith("9999") else world.ads


def parent_of(kind: str, number: int) -> int:
    """Which ad set or campaign an ad is in; an ad is its own."""
    return number // _ADS_OF[kind]


def account_node(account: str, world: World) -> Node:
    name, zone, currency = _about(world.seed, account)
    return {
        "id": f"act_{account}",
        "account_id": account,
        "account_status": 1,
        "name": name,
        "currency": currency,
        "timezone_name": zone,
    }


@lru_cache(maxsize=1000)
def _about(seed: int, account: str) -> tuple[str, str, str]:
    rng = random.Random(f"{seed}:{account}")
    zone, currency = rng.choice(_ZONES)
    zone, currency = ZONES.get(account[-4:], (zone, currency))
    return f"{rng.choice(_NAMES)} {account[-4:]}", zone, currency


@dataclass(frozen=True)
class Basics:
    name: str
    status: str
    created: datetime


@lru_cache(maxsize=20_000)
def basics(seed: int, account: str, number: int) -> Basics:
    """What an ad is, apart from what it shows."""
    rng = random.Random(f"{seed}:{account}:{number}")
    created = datetime(2026, 6, 30, 18, tzinfo=UTC) - timedelta(hours=rng.randrange(24 * 400))
    name = f"{rng.choice(['Chews', 'Balm', 'Tablets'])} – {rng.choice(['UGC', 'Static', 'Founder', 'Offer'])} {number + 1}"
    return Basics(name, rng.choices(list(_USUAL), list(_USUAL.values()))[0], created)


def ad_node(account: str, number: int, world: World) -> Node:
    ad = basics(world.seed, account, number)
    return {
        "id": id_of("ad", account, number),
        "account_id": account,
        "name": ad.name,
        "effective_status": ad.status,
        "created_time": ad.created.strftime("%Y-%m-%dT%H:%M:%S+0000"),
        "updated_time": (ad.created + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M:%S+0000"),
        "campaign": campaign_node(account, number),
        "adset": adset_node(account, number),
        "creative": creative_node(account, number, world),
    }


def campaign_node(account: str, number: int) -> Node:
    """The ad's campaign. Every fifth one has ended, which its ads' effective_status does not say."""
    campaign = parent_of("campaign", number)
    return {
        "id": id_of("campaign", account, campaign),
        "name": f"{('Prospecting', 'Retargeting', 'Launch')[campaign % 3]} {campaign + 1}",
        "objective": "OUTCOME_SALES",
        "stop_time": "2026-08-31T23:59:59+0000" if campaign % 5 == 4 else None,
    }


def adset_node(account: str, number: int) -> Node:
    adset = parent_of("adset", number)
    return {
        "id": id_of("adset", account, adset),
        "name": f"Ad set {adset + 1}",
        "end_time": "2026-09-15T12:00:00+0000" if adset % 7 == 6 else None,
    }


def creative_node(account: str, number: int, world: World, thumbnail: int = 64) -> Node:
    """Nearly every field may be missing, depending on how the ad was made."""
    kind = kind_of(account, number, world.seed)
    name = _media_name(account, number)
    image, page = world.links.picture(name), f"9{account}"
    upload, reel = id_of("upload", account, number), id_of("reel", account, number)
    title, text = TEXTS[number % len(TEXTS)]
    link = f"https://shop.example/products/{number + 1}"
    node: Node = {
        "id": id_of("creative", account, number),
        "name": f"Creative {number + 1}",
        "thumbnail_url": None if kind == "bare" else world.links.picture(name, thumbnail),
        "image_url": None,
        "image_hash": None,
        "video_id": None,
        "object_type": {"video": "VIDEO", "reel": "VIDEO", "photo": "PHOTO", "bare": "PRIVACY_CHECK_FAIL"}.get(kind, "SHARE"),
        "object_story_spec": None,
        "asset_feed_spec": None,
        "title": None,
        "body": None,
        "effective_object_story_id": f"{page}_{id_of('post', account, number)}",
    }
    story: Node = {"page_id": page}
    if kind == "image":
        node |= {"image_url": image, "image_hash": f"{number:032x}"}
        node["object_story_spec"] = story | {"link_data": {"name": title, "message": text, "link": link, "picture": image}}
    elif kind == "photo":
        node["object_story_spec"] = story | {"photo_data": {"caption": text, "url": image}}
    elif kind == "feed":
        node["asset_feed_spec"] = {
            "titles": [{"text": title}],
            "bodies": [{"text": text}],
            "images": [{"hash": f"{number:032x}", "url": image}],
            "link_urls": [{"website_url": link}],
        }
    elif kind == "video":
        call = {"type": "SHOP_NOW", "value": {"link": link}}
        data = {"video_id": upload, "title": title, "message": text, "image_url": image, "call_to_action": call}
        node |= {"video_id": reel, "object_story_spec": story | {"video_data": data}}
    elif kind == "reel":
        node |= {"video_id": reel, "title": title, "body": text}
    return node


def video_node(found: Found, world: World, denied: bool) -> Node:
    """A published reel is of its page, whose videos the token may not load. Some uploads are out of reach as well."""
    source = world.links.video(_media_name(found.account, found.number))
    denied = denied or found.kind == "reel" or found.number % 8 == 7
    return {
        "id": id_of(found.kind, found.account, found.number),
        "source": None if denied else source,
        "picture": world.links.picture(_media_name(found.account, found.number), 600),
        "length": float(seconds_of(source.partition("?")[0].rsplit("/", 1)[-1])),
    }


def post_node(found: Found, world: World) -> Node:
    image = world.links.picture(_media_name(found.account, found.number))
    return {
        "id": f"9{found.account}_{id_of('post', found.account, found.number)}",
        "full_picture": image,
        "attachments": {"data": [{"media": {"image": {"src": image}}}]},
    }


def kind_of(account: str, number: int, seed: int) -> str:
    return random.Random(f"{seed}:{account}:{number}:kind").choice(_KINDS)


def _media_name(account: str, number: int) -> str:
    """Every seventh ad shows what the one before it shows."""
    return f"{account}:{number - 1 if number % 7 == 6 else number}"
