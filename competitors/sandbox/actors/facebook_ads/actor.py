"""The actor: turns an input into the plan of a run."""

import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from ...media.links import Links
from ...plan import Batch, Item, Plan
from ..base import World
from .input import problem_of
from .items import item_of
from .library import Aging, ads_of
from .recorded import recorded_ads
from .shapes import malformed, not_found, not_loaded, old_shape, with_error
from .source import Source, read_source

_PAGE_SIZE = 30
_PERIODS = {"last24h": 1, "last7d": 7, "last14d": 14, "last30d": 30}


class FacebookAds:
    id = "XtaWFhbtfxyzqrFmd"
    name = "curious_coder~facebook-ads-library-scraper"
    title = "Facebook Ads Library Scraper"
    memory_mbytes = 1024
    timeout_secs = 3600
    price_per_1000_usd = 0.75
    unit_name = "ad"

    def problem(self, given: dict[str, Any]) -> str | None:
        return problem_of(given)

    def plan(self, given: dict[str, Any], world: World) -> Plan:
        sources = [read_source(url["url"], given) for url in given["urls"]]
        batches: list[Batch] = []
        wanted = given.get("count")
        for stage, source in enumerate(sources, start=1):
            written = sum(len(batch.items) for batch in batches)
            most = _least(None if wanted is None else max(0, wanted - written), given.get("limitPerSource"))
            items = _items(source, given, world, most)
            batches += [Batch(stage, items[start : start + _PAGE_SIZE]) for start in range(0, len(items), _PAGE_SIZE)]
        log = [f"Page {number} of {len(sources)}: {source.url}" for number, source in enumerate(sources, start=1)]
        return Plan(stages=len(sources), unit="URL", noun="ads", batches=batches, log=log)

    def error_item(self, given: dict[str, Any]) -> Item:
        return not_loaded(given["urls"][0]["url"])

    def altered(self, plan: Plan, given: dict[str, Any], faults: dict[str, Any]) -> Plan:
        if "ads_not_found" in faults:
            batches = [Batch(stage, [not_found(url["url"])]) for stage, url in enumerate(given["urls"], start=1)]
            return replace(plan, batches=batches)
        batches, seen = [], 0
        for batch in plan.batches:
            batches.append(Batch(batch.stage, [_altered(item, seen + n, faults) for n, item in enumerate(batch.items)]))
            seen += len(batch.items)
        return replace(plan, batches=batches)


def _items(source: Source, given: dict[str, Any], world: World, most: int | None) -> list[Item]:
    """At most so many ads, and sometimes a few more, as the real actor writes the page that reaches the count."""
    if not source.readable:
        return [not_loaded(source.url)]
    if most == 0:
        return []
    if world.config.data is not None and (recorded := recorded_ads(source, world.config.data)):
        return recorded[:most]
    earlier = world.count_reading(source.url)
    config = world.config
    aging = Aging(
        days=len(world.days) + int(earlier * config.days_per_ads_run),
        new_ads=int(config.new_ads_per_day),
        gone_ads=int(config.gone_ads_per_day),
    )
    found = ads_of(_within_period(source, given, aging.today), world.seed, aging)
    if not found:
        return [not_found(source.url)]
    links = Links(world.base_url, int(config.clock() + config.media_seconds))
    extra = random.Random(f"{world.seed}:{source.url}").choice([0, 0, 0, 1, 3])
    shown = found if most is None else found[: most + extra]
    items = [item_of(ad, source.url, aging.today, links) for ad in shown]
    for position, item in enumerate(items, start=1):
        item["total"] = len(found)
        if source.by_impressions or position % 10:  # without an order that was asked for, some have no place
            item["position"] = position
    return items


def _within_period(source: Source, given: dict[str, Any], today: date) -> Source:
    days = _PERIODS.get(given.get("period") or given.get("scrapePageAds.period") or "")
    return replace(source, since=today - timedelta(days=days)) if days else source


def _altered(item: Item, number: int, faults: dict[str, Any]) -> Item:
    """The faults of single items. Error items stay as they are."""
    if "ad_archive_id" not in item:
        return item
    if (shape := faults.get("old_shape")) is not None:
        item = old_shape(item, deep=shape == "deep")
    if number < faults.get("malformed_items", 0):
        return malformed(item, number)
    return with_error(item) if number < faults.get("errors_with_ids", 0) else item


def _least(*limits: int | None) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)


ACTOR = FacebookAds()
