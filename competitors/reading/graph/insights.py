"""Figures of ads as the Graph API writes them: numbers are texts, any field may be missing or anything. Never raises."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from ..ad_library.values import read_id
from ..text import decoded, text

_AMOUNT = re.compile(r"[0-9]{1,13}(?:\.[0-9]{1,20})?", re.ASCII)
_COUNT = re.compile(r"([0-9]{1,15})(?:\.0{1,20})?", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_PART = re.compile(r"[\w+ .,-]{1,50}")  # of a breakdown: 25-34, female, facebook_stories
_SETTING = re.compile(r"[a-z0-9_]{1,60}", re.ASCII)
_STORED = Decimal("0.0001")
AGE_GENDER, PLACEMENT = ("age", "gender"), ("publisher_platform", "platform_position")

# Columns, and the field that each is read from.
AMOUNTS = {"spend": "spend"}
COUNTS = {"impressions": "impressions", "reach": "reach", "clicks": "clicks"}
# Fields that are a list with one entry.
FIRST_COUNTS = {
    "link_clicks": "outbound_clicks",
    "video_plays": "video_play_actions",
    "video_thruplays": "video_thruplay_watched_actions",
    "video_p25": "video_p25_watched_actions",
    "video_p50": "video_p50_watched_actions",
    "video_p75": "video_p75_watched_actions",
    "video_p95": "video_p95_watched_actions",
    "video_p100": "video_p100_watched_actions",
}
FIRST_AMOUNTS = {"video_seconds": "video_avg_time_watched_actions"}
# Meta counts the same event under several names: the first that is there counts, and they are never added.
PURCHASE = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
EVENTS = {
    "add_to_carts": ("omni_add_to_cart", "add_to_cart", "offsite_conversion.fb_pixel_add_to_cart"),
    "initiate_checkouts": (
        "omni_initiated_checkout",
        "initiate_checkout",
        "offsite_conversion.fb_pixel_initiate_checkout",
    ),
}
EVENT_COUNTS = {
    "landing_page_views": ("omni_landing_page_view", "landing_page_view"),
    "content_views": ("omni_view_content", "view_content", "offsite_conversion.fb_pixel_view_content"),
    "video_views": ("video_view",),
}
MEASURES = (
    *AMOUNTS, *COUNTS, *FIRST_COUNTS, *FIRST_AMOUNTS, *EVENTS, *EVENT_COUNTS, "purchases", "purchase_value", "purchase_tier",
    "attribution",
)  # fmt: skip
PARTS = ("spend", "impressions", "link_clicks", "purchases", "purchase_value")  # what is kept of a part of an ad's day


@dataclass(frozen=True)
class DayFigures:
    """`measures` has every name of MEASURES; None or '' is absent. `unread`: the fields that were given and make no sense."""

    date: date
    measures: dict[str, Any]
    unread: tuple[str, ...]


@dataclass(frozen=True)
class AdFigures(DayFigures):
    ad_id: str
    names: dict[str, str]  # ad_name, adset_id, campaign_id, campaign_name
    breakdown: str  # such as "25-34 female"; '' for the whole day


def read_ad_day(item: Any, breakdowns: Iterable[str] = ()) -> AdFigures | None:
    """None without an ad's id, a single day and a value for each breakdown: nobody could say what the figures are of."""
    day = read_account_day(item)
    if day is None:
        return None
    ad_id = read_id(item.get("ad_id"))
    parts = [text(item.get(name)).strip() for name in breakdowns]
    if not ad_id or not all(map(_PART.fullmatch, parts)):
        return None
    names = {
        "ad_name": decoded(item.get("ad_name")).strip(),
        "adset_id": read_id(item.get("adset_id")),
        "campaign_id": read_id(item.get("campaign_id")),
        "campaign_name": decoded(item.get("campaign_name")).strip(),
    }
    return AdFigures(day.date, day.measures, day.unread, ad_id, names, " ".join(parts))


def read_account_day(item: Any) -> DayFigures | None:
    """None for what is not about a single day."""
    if not isinstance(item, Mapping):
        return None
    on = _day(item.get("date_start"))
    if on is None or _day(item.get("date_stop")) != on:
        return None
    reader = _Reader(item)
    return DayFigures(on, reader.measures(), tuple(reader.unread))


class _Reader:
    """One row. It notes which of its fields cannot be read."""

    def __init__(self, item: Mapping[str, Any]):
        self._item = item
        self.unread: list[str] = []
        self._events, self._values = self._by_type("actions"), self._by_type("action_values")

    def measures(self) -> dict[str, Any]:
        tier, purchases, value = self._purchases()
        return {
            **{column: self._amount(name, self._item.get(name)) for column, name in AMOUNTS.items()},
            **{column: self._count(name, self._item.get(name)) for column, name in COUNTS.items()},
            **{column: self._count(name, self._first(name)) for column, name in FIRST_COUNTS.items()},
            **{column: self._amount(name, self._first(name)) for column, name in FIRST_AMOUNTS.items()},
            **{column: self._amount(column, self._event(names)) for column, names in EVENTS.items()},
            **{column: self._count(column, self._event(names)) for column, names in EVENT_COUNTS.items()},
            "purchases": purchases,
            "purchase_value": value,
            "purchase_tier": tier,
            "attribution": self._setting(),
        }

    def _purchases(self) -> tuple[str, Decimal | None, Decimal | None]:
        """Their number and what they were worth go by the same name."""
        for found in (self._events, self._values):
            for tier in PURCHASE:
                if tier in found:
                    number = self._amount("purchases", self._events.get(tier))
                    return tier, number, self._amount("purchase_value", self._values.get(tier))
        return "", None, None

    def _event(self, names: tuple[str, ...]) -> Any:
        return next((self._events[name] for name in names if name in self._events), None)

    def _by_type(self, name: str) -> dict[str, Any]:
        """The value of each action type: the first, should one come twice."""
        found: dict[str, Any] = {}
        for entry in self._entries(name):
            kind = entry.get("action_type")
            if isinstance(kind, str):
                found.setdefault(kind, entry.get("value"))
        return found

    def _first(self, name: str) -> Any:
        return next((entry.get("value") for entry in self._entries(name)), None)

    def _entries(self, name: str) -> list[Mapping[str, Any]]:
        value = self._item.get(name)
        if value is None:
            return []
        entries = [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []
        if not isinstance(value, list) or len(entries) < len(value):
            self.unread.append(name)
        return entries

    def _amount(self, name: str, value: Any) -> Decimal | None:
        given = _number(value)
        if _AMOUNT.fullmatch(given):
            return Decimal(given).quantize(_STORED, ROUND_HALF_UP)
        self._note(name, value)
        return None

    def _count(self, name: str, value: Any) -> int | None:
        if found := _COUNT.fullmatch(_number(value)):
            return int(found[1])
        self._note(name, value)
        return None

    def _setting(self) -> str:
        value = self._item.get("attribution_setting")
        found = text(value).strip().lower()
        if _SETTING.fullmatch(found):
            return found
        self._note("attribution_setting", value)
        return ""

    def _note(self, name: str, value: Any) -> None:
        if value not in (None, ""):
            self.unread.append(name)


def _number(value: Any) -> str:
    """The digits of a number that came as text, as Meta sends them, or as a number."""
    return text(value).strip()


def _day(value: Any) -> date | None:
    given = text(value)
    if not _DAY.fullmatch(given):
        return None
    try:
        return date.fromisoformat(given)
    except ValueError:  # 30 February
        return None
