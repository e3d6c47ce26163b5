"""Ads as the actor writes them, with the irregularities of real items."""

import random
from datetime import UTC, date, datetime, time
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from ...media.links import Links
from ...plan import Item
from . import phrases
from .library import Ad
from .snapshot import snapshot_of

_META = ZoneInfo("America/Los_Angeles")  # Meta's days begin at midnight there


def item_of(ad: Ad, url: str, today: date, links: Links) -> Item:
    """The ad's item. Apart from links, dates of today and the URL it depends on the ad only, so a new scrape finds no change."""
    oddity = int(ad.id[-4:]) % 100
    political = oddity in (40, 41, 42)
    european = political or oddity in (43, 44, 45)
    started, ended = _midnight(ad.started), _midnight(ad.ended or today)
    item: Item = {
        "ad_archive_id": int(ad.id) if oddity == 1 else ad.id,
        "ad_id": None,
        "archive_types": [],
        "categories": ["POLITICAL"] if political else ["UNKNOWN"],
        "collation_count": _collation_count(ad, oddity),
        "collation_id": ad.group,
        "contains_digital_created_media": False,
        "contains_sensitive_content": False,
        "currency": "EUR" if political else "",
        "end_date": ended,
        "end_date_formatted": _formatted(ended),
        "entity_type": "PERSON_PROFILE",
        "fev_info": None,
        "gated_type": "ELIGIBLE",
        "has_user_reported": False,
        "hidden_safety_data": False,
        "hide_data_status": "NONE",
        "impressions_with_index": _impressions(ad, oddity),
        "is_aaa_eligible": european,
        "is_active": ad.ended is None,
        "is_profile_page": False,
        "menu_items": [],
        "page_id": ad.page.id,
        "page_is_deleted": False,
        "page_name": ad.page.name,
        "political_countries": ["DE"] if political else [],
        "publisher_platform": _platforms(ad),
        "reach_estimate": {"lower_bound": 10_000, "upper_bound": 50_000} if political else None,
        "regional_regulation_data": {"finserv": {"is_deemed_finserv": False}} if european else None,
        "report_count": None,
        "snapshot": snapshot_of(ad, links, oddity),
        "spend": "€100 - €199" if political else None,
        "start_date": ad.started.isoformat() if oddity == 2 else started,
        "start_date_formatted": _formatted(started),
        "state_media_run_label": None,
        "targeted_or_reached_countries": random.Random(ad.id).sample(phrases.COUNTRIES, 3) if european else [],
        "total_active_time": None if oddity < 30 else max(0, ended - started),
        "url": url,
        "violation_types": ["ADVERTISING_STANDARDS"] if oddity == 5 else [],
        "ad_library_url": f"https://www.facebook.com/ads/library/?id={ad.id}",
    }
    if political:
        item["snapshot"] |= {"byline": f"Paid for by {ad.page.name}", "disclaimer_label": f"Paid for by {escape(ad.page.name)}"}
    return item


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), _META).timestamp())


def _formatted(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _collation_count(ad: Ad, oddity: int) -> int | None:
    if not ad.leads:
        return None
    if ad.group is None:
        return 0 if oddity % 2 else None
    return ad.group_size


def _impressions(ad: Ad, oddity: int) -> dict[str, Any]:
    known = oddity % 5 == 0
    return {
        "impressions_text": phrases.IMPRESSIONS[ad.impressions] if known else None,
        "impressions_index": ad.impressions if known else -1,
    }


def _platforms(ad: Ad) -> list[str]:
    chosen = random.Random(ad.creative).choice([2, 2, 4, 5])
    return ["FACEBOOK", "INSTAGRAM", "AUDIENCE_NETWORK", "MESSENGER", "THREADS"][:chosen]
