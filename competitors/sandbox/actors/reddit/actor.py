"""The actor: turns an input into the plan of a run."""

from dataclasses import replace
from typing import Any

from ...ids import iso
from ...plan import Batch, Item, Plan
from ..base import World
from .input import problem_of
from .items import comment_item, error_item, malformed, other_item, post_item, without_score
from .recorded import recorded_items
from .source import Search, Thread, sources_of
from .threads import Post, comments_of, found_by, post_of

_PAGE_SIZE = 25
_MOST_COMMENTS = 50_000  # of a post, where the input does not say


class Reddit:
    id = "TwqHBuZZPHJxiQrTU"
    name = "fatihtahta~reddit-scraper-search-fast"
    title = "Reddit Scraper Search Fast"
    memory_mbytes = 1024
    timeout_secs = 3600
    price_per_1000_usd = 1.49
    unit_name = "result"

    def problem(self, given: dict[str, Any]) -> str | None:
        return problem_of(given)

    def plan(self, given: dict[str, Any], world: World) -> Plan:
        sources = sources_of(given)
        batches = [
            Batch(stage, items[start : start + _PAGE_SIZE])
            for stage, source in enumerate(sources, start=1)
            for items in [_items(source, given, world)]
            for start in range(0, len(items), _PAGE_SIZE)
        ]
        log = [f"Source {number} of {len(sources)}: {source}" for number, source in enumerate(sources, start=1)]
        return Plan(stages=len(sources), unit="Source", noun="results", batches=batches, log=log)

    def error_item(self, given: dict[str, Any]) -> Item:
        return error_item("https://www.reddit.com/search.json")

    def altered(self, plan: Plan, given: dict[str, Any], faults: dict[str, Any]) -> Plan:
        batches, seen = [], 0
        for batch in plan.batches:
            batches.append(Batch(batch.stage, [_altered(item, seen + n, faults) for n, item in enumerate(batch.items)]))
            seen += len(batch.items)
        return replace(plan, batches=batches)


def _items(source: Search | Thread, given: dict[str, Any], world: World) -> list[Item]:
    """At most maxPosts posts of a source, each with at most maxComments comments. Each item is paid for."""
    most = given.get("maxComments", _MOST_COMMENTS) if given.get("scrapeComments", False) else 0
    if world.config.data is not None and (recorded := recorded_items(source, world.config.data)) is not None:
        return [item for item in recorded if most or item["kind"] == "post"]
    if isinstance(source, Thread):
        post = post_of(source.post_id, world.seed)
        return _thread(post, "", most, world) if post else []
    found = found_by(source, world.seed)[: given.get("maxPosts")]
    first = [other_item(source)] if source.subreddit and found else []
    return [*first, *(item for post in found for item in _thread(post, source.query, most, world))]


def _thread(post: Post, query: str, most: int, world: World) -> list[Item]:
    """The post and its comments. Some comments come before their post, and some posts do not come with their comments."""
    own = [post_item(post, query, iso(world.config.clock()))]
    comments = [comment_item(comment, post) for comment in comments_of(post, world.seed, most)]
    if not comments:
        return own
    match post.number % 10:
        case 3:
            return [*comments, *own]
        case 7:
            return comments
    return [*own, *comments]


def _altered(item: Item, number: int, faults: dict[str, Any]) -> Item:
    """The faults of single items. Error items stay as they are."""
    if "id" not in item:
        return item
    if number < faults.get("malformed_items", 0):
        return malformed(item, number)
    if (share := faults.get("scores_missing")) is not None and item["kind"] == "post":
        return without_score(item) if int((number + 1) * share) > int(number * share) else item
    return item


ACTOR = Reddit()
