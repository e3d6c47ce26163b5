"""One URL of the actor's input: a search in the ad library, all ads of a page, or a Facebook page.

A page whose id ends in 0000, and a search for "nothing", have no ads.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

_HOSTS = ("facebook.com", "fb.com")
STATUSES = ("active", "all", "inactive")


@dataclass(frozen=True)
class Source:
    url: str
    key: str  # decides which ads there are
    page_id: str | None = None  # None: a search, whose ads are of many pages
    status: str = "active"
    media: str = "all"
    by_impressions: bool = False
    since: date | None = None  # ads that started earlier are left out
    until: date | None = None
    readable: bool = True

    @property
    def empty(self) -> bool:
        return self.key == "search:nothing" or (self.page_id or "").endswith("0000")


def read_source(url: str, given: dict[str, Any]) -> Source:
    """The URL's own query decides for a search; the input's ``scrapePageAds.…`` for a Facebook page."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not any(host == known or host.endswith(f".{known}") for known in _HOSTS):
        return Source(url, url, readable=False)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if not parts.path.startswith("/ads/library"):
        name = parts.path.strip("/").lower()
        return Source(
            url,
            f"page:{name}",
            page_id=name if name.isdigit() else None,
            status=given.get("scrapePageAds.activeStatus", "active"),
            by_impressions=given.get("scrapePageAds.sortBy") == "impressions_desc",
        )
    page_id = query.get("view_all_page_id")
    words = query.get("q", "").strip(' "').lower()
    status = query.get("active_status", "active")
    return Source(
        url,
        f"page:{page_id}" if page_id else f"search:{words}",
        page_id=page_id,
        status=status if status in STATUSES else "active",
        media=query.get("media_type", "all"),
        by_impressions=query.get("sort_data[mode]") == "total_impressions",
        since=_day(query.get("start_date[min]") or given.get("start_date_min")),
        until=_day(query.get("start_date[max]") or given.get("start_date_max")),
    )


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
