"""An ad of the ad library as the columns of AdContent, the same for every kind of ad."""

from typing import Any

from competitors.models.ads import AdContent
from competitors.reading.ad_library import Ad

# Those in which an ad that was stored before may differ: land()'s `content`.
CONTENT = (
    "page_name",
    "started_on",
    "ended_on",
    "body",
    "title",
    "caption",
    "link_url",
    "call_to_action",
    "display_format",
    "platforms",
    "variants",
)
# Fields that were given but could not be read, and the marks that count them (PageResult.rows).
UNREAD = {"started_on": "no_start", "ended_on": "no_end", "link_url": "no_link", "body": "no_text"}


def ad_columns(ad: Ad) -> dict[str, Any]:
    return {
        "ad_archive_id": ad.ad_archive_id,
        "page_id": ad.page_id,
        "page_name": ad.page_name,
        "started_on": ad.started_on,
        "ended_on": ad.ended_on,
        "body": ad.body,
        "title": ad.title,
        "caption": ad.caption,
        "link_url": ad.link_url,
        "call_to_action": ad.call_to_action,
        "display_format": ad.display_format,
        "platforms": list(ad.platforms),
        "collation_id": ad.collation_id,
        "variants": ad.variants,
        "search_text": AdContent.searchable(ad.page_name, ad.title, ad.body, ad.link_url),
    }
