"""Faults of items: older shapes, and what real datasets have instead of a readable ad."""

import re
from html import escape
from typing import Any

from ...plan import Item

#: Names whose older form is not plain camelCase.
_OLD_NAMES = {
    "ad_archive_id": "adArchiveID",
    "ad_id": "adid",
    "collation_id": "collationID",
    "contains_digital_created_media": "containsDigitallyCreatedMedia",
    "is_aaa_eligible": "isAAAEligible",
    "page_id": "pageID",
}
_NEWER = {"start_date_formatted", "end_date_formatted", "url", "ad_library_url", "total_active_time", "position", "total"}
_MALFORMED: list[Item] = [
    {"ad_archive_id": ""},
    {"ad_archive_id": None, "snapshot": None},
    {"ad_archive_id": {"id": "1"}},
    {"ad_archive_id": [], "snapshot": "{}"},
]


def not_found(url: str) -> Item:
    """The honest zero: this URL has no ads."""
    return {"error": "Ads not found", "errorCode": "ADS_NOT_FOUND", "url": url}


def not_loaded(url: str) -> Item:
    return {"error": "The page could not be loaded", "errorCode": "PAGE_NOT_LOADED", "url": url}


def malformed(item: Item, number: int) -> Item:
    """The item without a usable id, broken in turn in one of several ways."""
    return item | _MALFORMED[number % len(_MALFORMED)]


def with_error(item: Item) -> Item:
    """An ad that was read, though something about it failed."""
    return item | {"error": "Ad details could not be loaded"}


def old_shape(item: Item, deep: bool) -> Item:
    """The item as builds of 2024 wrote it: camelCase outside, or with ``deep`` everywhere."""
    snapshot = item["snapshot"]
    old = {_OLD_NAMES.get(name, _camel(name)): value for name, value in item.items() if name not in _NEWER}
    if deep:
        return old | {"snapshot": _deep_camel(snapshot)}
    return old | {
        "adArchiveID": str(item["ad_archive_id"]),
        "adid": "0",
        "categories": [0],
        "collationID": None if item["collation_id"] is None else int(item["collation_id"]),
        "entityType": "person_profile",
        "gatedType": "eligible",
        "impressionsWithIndex": _deep_camel(item["impressions_with_index"]),
        "publisherPlatform": [name.lower() for name in item["publisher_platform"]],
        "snapshot": snapshot
        | {
            "body": _markup(snapshot["body"]),
            "display_format": snapshot["display_format"].lower(),
            "page_categories": {"109527622457518": next(iter(snapshot["page_categories"]))},
            "page_id": int(snapshot["page_id"]),
        },
    }


def _markup(body: Any) -> Any:
    text = body.get("text") if isinstance(body, dict) else body
    return {"markup": {"__html": escape(text).replace("\n", "<br />")}} if isinstance(text, str) else body


def _camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda found: found[1].upper(), name)


def _deep_camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {_camel(name): _deep_camel(inner) for name, inner in value.items()}
    return [_deep_camel(inner) for inner in value] if isinstance(value, list) else value
