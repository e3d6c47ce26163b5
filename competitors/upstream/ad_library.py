"""The paid start of every job type that reads Meta's ad library: what it asks for, may cost, and is expected to cost and take.

`good_runs` are the last good runs of the same subject, newest first, as queries.good_runs() reads them; `price` is that of an
ad, USD.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from django.conf import settings

from competitors.reading import read_count
from pipeline.contract import Estimate, Order, UsualNumber, cents
from pipeline.queries import GoodRun

ACTOR = "curious_coder/facebook-ads-library-scraper"
MEMORY_MB, TIMEOUT = 1024, timedelta(seconds=900)
MAX_ADS = "max_ads"  # what the parameter is called
FEWEST = 10  # the actor refuses to look for fewer ads
OF_A_PAGE = Decimal("0.4")  # part of the ads asked for that a page's ad list usually has
START_SECONDS, USUAL_SECONDS = 30, 0.3  # of the actor's start, and of each ad, before anything is known


class MaxAds(UsualNumber):
    """The parameter max_ads: how many ads a scrape asks for."""

    def __init__(self, *, usual: int, most: int, **options: Any):
        super().__init__(usual=usual, least=FEWEST, most=most, label="Max ads", **options)

    def of(self, parameters: Mapping[str, Any]) -> int:
        """What these parameters ask for, also where a page has them as they were typed."""
        given = read_count(parameters.get(MAX_ADS))
        return self.usual if given is None else min(max(given, self.least), self.most)


def usual_price() -> Decimal:
    """USD of one ad until Apify tells the price. The run's cost is what Apify says."""
    price: Decimal = settings.AD_LIBRARY_PRICE_USD
    return price / 1000


def ad_order(
    url: str, max_ads: int, good_runs: Sequence[GoodRun], price: Decimal | None = None, *, usual_fill: Decimal = OF_A_PAGE
) -> Order:
    """`count` limits the ads. The caps are above it, since the actor sends a few more: reaching one is a fault of its own."""
    price = usual_price() if price is None else price
    most = max_ads + max(max_ads // 5, FEWEST)
    cap = cents(most * price)
    return Order(
        source="apify",
        actor=ACTOR,
        input={"urls": [{"url": url}], "scrapeAdDetails": False, "period": "", "count": max(max_ads, FEWEST)},
        memory_mb=MEMORY_MB,
        timeout=TIMEOUT,
        max_items=most,
        max_cost_usd=cap,
        estimate_usd=min(cents(usual_ads(good_runs, max_ads, usual_fill) * price), cap),
        price_per_item_usd=price,
        reuse_key=url,
    )


def estimate(
    url: str, max_ads: int, good_runs: Sequence[GoodRun], price: Decimal, *, usual_fill: Decimal = OF_A_PAGE
) -> Estimate:
    """What a scrape of so many ads is expected to cost and take."""
    order = ad_order(url, max_ads, good_runs, price, usual_fill=usual_fill)
    return Estimate(order.estimate_usd, order.max_cost_usd, usual_seconds(good_runs, max_ads, usual_fill))


def usual_ads(good_runs: Sequence[GoodRun], max_ads: int, usual_fill: Decimal) -> Decimal:
    """How many ads are paid for: as many as the last good runs had, since there are no more; else a part of what may come."""
    known = []
    for run in good_runs:
        if (took := run.effort) and took.usd and took.price:
            ads, limit = took.usd / took.price, read_count(run.parameters.get(MAX_ADS))
            known.append(Decimal(max_ads) if limit and ads >= limit else min(ads, Decimal(max_ads)))
    return median(known) if known else max_ads * usual_fill


def usual_seconds(good_runs: Sequence[GoodRun], max_ads: int, usual_fill: Decimal) -> int:
    """How long such a scrape is worked on, here and upstream. It may have to wait before and in between."""
    known = [took.seconds for run in good_runs if (took := run.effort) and took.seconds]
    return int(median(known) if known else START_SECONDS + float(max_ads * usual_fill) * USUAL_SECONDS)
