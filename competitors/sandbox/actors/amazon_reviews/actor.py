"""The actor: turns an input into the plan of a run."""

from functools import lru_cache
from typing import Any

from ...plan import Batch, Item, Plan
from ..base import World
from .query import Query, problem_of, read_query
from .recorded import recorded_pages
from .sweeps import error_item, pages_of
from .universe import listing


class AmazonReviews:
    id = "ZebkvH3nVOrafqr5T"
    name = "axesso_data~amazon-reviews-scraper"
    title = "Amazon Reviews Scraper"
    memory_mbytes = 2048
    timeout_secs = 3600
    price_per_1000_usd = 0.75
    unit_name = "review"

    def problem(self, given: dict[str, Any]) -> str | None:
        return problem_of(given)

    def plan(self, given: dict[str, Any], world: World) -> Plan:
        queries = [read_query(query) for query in given["input"]]
        batches = []
        for stage, query in enumerate(queries, start=1):
            batches += [Batch(stage, page) for page in self._pages(query, world)]
        log = [f"Search {number} of {len(queries)}: {query.label}" for number, query in enumerate(queries, start=1)]
        return Plan(stages=len(queries), unit="Search", noun="reviews", batches=batches, log=log)

    def error_item(self, given: dict[str, Any]) -> Item:
        return error_item(read_query(given["input"][0]), 1)

    def altered(self, plan: Plan, given: dict[str, Any], faults: dict[str, Any]) -> Plan:
        return plan

    def _pages(self, query: Query, world: World) -> list[list[Item]]:
        if world.config.data is not None:
            pages = recorded_pages(query, world.config.data)
            if pages is not None:
                return pages
        return _made_up(query, world.seed, tuple(world.days))


@lru_cache(maxsize=200)  # six full scrapes; many tests use the same listing
def _made_up(query: Query, seed: int, days: tuple[int, ...]) -> list[list[Item]]:
    return pages_of(query, listing(seed, query.asin, query.domain, days), seed)


ACTOR = AmazonReviews()
