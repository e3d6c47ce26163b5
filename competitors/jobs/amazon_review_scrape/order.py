"""The one paid start of a scrape: what it asks for, what it may cost at most, and what it is expected to cost and take.

`good_runs` are the listing's last good runs, newest first, as queries.good_runs() reads them; `price` is that of an item, USD.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from functools import cache
from statistics import median

from django.conf import settings

from competitors.models import CompetitorAmazonUrl
from pipeline.contract import Estimate, Order, cents
from pipeline.queries import GoodRun

from .sweeps import PAGE_REVIEWS, PAGES, SweepOptions, sweeps

ACTOR = "axesso_data/amazon-reviews-scraper"
MEMORY_MB, TIMEOUT = 2048, timedelta(seconds=900)
CAP_MARGIN = Decimal("1.2")  # a sweep's last page may have a few more than ten
USUAL_FILL = Decimal("0.4")  # of what the sweeps could bring, before anything is known of a listing
USUAL_SECONDS = 18  # per sweep, before anything is known of a listing


def usual_price() -> Decimal:
    """USD of one item until Apify tells the price; every raw item counts. The run's cost is what Apify says."""
    price: Decimal = settings.AMAZON_REVIEWS_PRICE_USD
    return price / 1000


def review_order(
    listing: CompetitorAmazonUrl, options: SweepOptions, good_runs: Sequence[GoodRun], price: Decimal | None = None
) -> Order:
    """One order for all sweeps, capped in items and money at what they can bring."""
    configs = sweeps(listing.asin, listing.domain_code, options)
    price = usual_price() if price is None else price
    most = int(len(configs) * PAGES * PAGE_REVIEWS * CAP_MARGIN)
    cap = cents(most * price)
    return Order(
        source="apify",
        actor=ACTOR,
        input={"input": configs},
        memory_mb=MEMORY_MB,
        timeout=TIMEOUT,
        max_items=most,
        max_cost_usd=cap,
        estimate_usd=min(cents(usual_cost(good_runs, len(configs), price)), cap),
        price_per_item_usd=price,
        reuse_key=listing.about,
    )


def estimate(listing: CompetitorAmazonUrl, options: SweepOptions, good_runs: Sequence[GoodRun], price: Decimal) -> Estimate:
    """What a scrape with these options is expected to cost and take."""
    order = review_order(listing, options, good_runs, price)
    return Estimate(order.estimate_usd, order.max_cost_usd, usual_seconds(good_runs, len(order.input["input"])))


def usual_cost(good_runs: Sequence[GoodRun], configs: int, price: Decimal) -> Decimal:
    """USD: per sweep what the last good runs cost, at today's price; else a part of what the sweeps could bring at most."""
    known = [
        took.usd / _sweeps_of(run) * (price / took.price if took.price else 1)
        for run in good_runs
        if (took := run.effort) and took.usd
    ]
    if known:
        return median(known) * configs
    return configs * PAGES * PAGE_REVIEWS * price * USUAL_FILL


def usual_seconds(good_runs: Sequence[GoodRun], configs: int) -> int:
    """How long such a scrape is worked on, here and upstream. It may have to wait before and in between."""
    known = [took.seconds / _sweeps_of(run) for run in good_runs if (took := run.effort) and took.seconds]
    return int((median(known) if known else USUAL_SECONDS) * configs)


def _sweeps_of(run: GoodRun) -> int:
    return _count(SweepOptions.of(run.parameters))


@cache
def _count(options: SweepOptions) -> int:
    """How many sweeps a run makes. The listing does not matter for the number."""
    return len(sweeps("", "", options))
