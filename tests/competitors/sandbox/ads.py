"""Runs of the ads actor, for several tests."""

from collections.abc import Callable
from typing import Any

from competitors.sandbox.server import Sandbox

from .conftest import Api

ADS_ACTOR = "curious_coder~facebook-ads-library-scraper"
LIBRARY = "https://www.facebook.com/ads/library/"
PAGE = f"{LIBRARY}?active_status=active&ad_type=all&country=ALL&view_all_page_id=248734494998159"
SEARCH = f"{LIBRARY}?active_status=active&ad_type=all&country=US&q=dog%20chews&search_type=keyword_unordered"

Item = dict[str, Any]
Start = Callable[..., Sandbox]


def ads_input(*urls: str, **options: Any) -> dict[str, Any]:
    return {"urls": [{"url": url} for url in urls or (PAGE,)], "scrapeAdDetails": False, "period": ""} | options


def started(api: Api, given: dict[str, Any]) -> dict[str, Any]:
    answer = api.post(f"/v2/acts/{ADS_ACTOR}/runs", given)
    assert answer.status_code == 201, answer.text
    return dict(answer.json()["data"])


def scraped(sandbox: Sandbox, *urls: str, **options: Any) -> list[Item]:
    """The items of a whole run."""
    api = Api(sandbox)
    return api.items(api.ended(started(api, ads_input(*urls, **options))["id"]))


def ids(items: list[Item]) -> list[str]:
    return [str(item["ad_archive_id"]) for item in items]


def with_fault(sandbox: Sandbox, name: str, value: Any = True, **options: Any) -> list[Item]:
    sandbox.account.faults.arm(name, value, count=1)
    return scraped(sandbox, **options)
