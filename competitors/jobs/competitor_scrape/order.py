"""The one paid start of a scrape: what it asks for, what it may cost at most, and what it is expected to cost and take.

`good_runs` are the library's last good runs, newest first, as queries.good_runs() reads them; `price` is that of an ad, USD.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from statistics import median

from django.conf import settings

from pipeline.contract import Estimate, Order
from pipeline.models import Run
from pipeline.queries import effort

ACTOR = "curious_coder/facebook-ads-library-scraper"
MEMORY_MB, TIMEOUT = 1024, timedelta(seconds=900)
FEWEST, USUAL, MOST = 10, 500, 2000  # ads of one scrape; the actor refuses fewer
USUAL_FILL = Decimal("0.4")  # of the ads that may come, before anything is known of a library
START_SECONDS, USUAL_SECONDS = 30, 0.3  # of the actor's start, and of each ad, before anything is known


def usual_price() -> Decimal:
    """USD of one ad until Apify tells the price. The run's cost is what Apify says."""
    price: Decimal = settings.AD_LIBRARY_PRICE_USD
    return price / 1000


def ad_order(url: str, max_ads: int, good_runs: Sequence[Run], price: Decimal | None = None) -> Order:
    """`count` limits the ads. The caps are above it, since the actor sends a few more: reaching one is a fault of its own."""
    price = usual_price() if price is None else price
    most = max_ads + max(max_ads // 5, FEWEST)
    cap = _cents(most * price)
    return Order(
        source="apify",
        actor=ACTOR,
        input={"urls": [{"url": url}], "scrapeAdDetails": False, "period": "", "count": max(max_ads, FEWEST)},
        memory_mb=MEMORY_MB,
        timeout=TIMEOUT,
        max_items=most,
        max_cost_usd=cap,
        estimate_usd=min(_cents(usual_ads(good_runs, max_ads) * price), cap),
        price_per_item_usd=price,
        reuse_key=url,
    )


def estimate(url: str, max_ads: int, good_runs: Sequence[Run], price: Decimal) -> Estimate:
    """What a scrape of so many ads is expected to cost and take."""
    order = ad_order(url, max_ads, good_runs, price)
    return Estimate(order.estimate_usd, order.max_cost_usd, usual_seconds(good_runs, max_ads))


def usual_ads(good_runs: Sequence[Run], max_ads: int) -> Decimal:
    """How many ads are paid for: as many as the last good runs had, since a library has no more; else a part of what may come."""
    known = []
    for run in good_runs:
        if (took := effort(run)) and took.usd and took.price:
            ads, limit = took.usd / took.price, most_ads(run.parameters)
            known.append(Decimal(max_ads) if ads >= limit else min(ads, Decimal(max_ads)))
    return median(known) if known else max_ads * USUAL_FILL


def usual_seconds(good_runs: Sequence[Run], max_ads: int) -> int:
    """How long such a scrape is worked on, here and upstream. It may have to wait before and in between."""
    known = [took.seconds for run in good_runs if (took := effort(run)) and took.seconds]
    return int(median(known) if known else START_SECONDS + float(usual_ads([], max_ads)) * USUAL_SECONDS)


def most_ads(parameters: Mapping[str, object]) -> int:
    """How many ads a run with these parameters asks for; one from before there was a choice asked for the usual number."""
    given = parameters.get("max_ads", USUAL)
    return given if isinstance(given, int) else USUAL


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), rounding=ROUND_CEILING)
