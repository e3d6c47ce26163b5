"""The Amazon review scrape: one paid actor run for all sweeps of a listing, its pages landed as reviews."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from pipeline.contract.context import Context, PageResult
from pipeline.contract.errors import PermanentError, TransientError
from pipeline.contract.job_type import Done
from pipeline.contract.landing import land, storable
from pipeline.contract.source import Order, get_source
from pipeline.models import Run, UpstreamRun
from pipeline.states import RunStatus, Verdict

from ..models import AmazonReview, CompetitorAmazonUrl
from .parse import Rejected, parse_item
from .sweeps import PAGE_REVIEWS, PAGES, sweeps
from .tracking import JOB_TYPE

ACTOR = "axesso_data/amazon-reviews-scraper"
MEMORY_MB, TIMEOUT = 2048, timedelta(seconds=900)
PRICE_PER_ITEM = Decimal("0.75") / 1000  # USD, every raw item counts; booked is what the upstream says
CAP_MARGIN = Decimal("1.2")  # a sweep's last page may hold a few more than ten
USUAL_FILL = Decimal("0.4")  # of what the sweeps could bring, before anything is known of a listing
FAR_FEWER = 0.3  # of the usual number of different reviews
KNOWN_RUNS = 4  # good ones that tell what is usual
KNOWN = "good_runs_read"  # attribute of a listing whose good runs are read already
CONTENT = ("domain_code", "rating", "review_date", "helpful_votes", "title", "body", "author", "verified_purchase")


def review_order(listing: CompetitorAmazonUrl, *, include_keywords: bool, include_helpful: bool) -> Order:
    """The one paid start, capped in items and money to what all its sweeps can bring."""
    configs = sweeps(listing.asin, listing.domain_code, include_keywords=include_keywords, include_helpful=include_helpful)
    most = int(len(configs) * PAGES * PAGE_REVIEWS * CAP_MARGIN)
    estimate = usual_cost(listing, len(configs))
    return Order(
        source="apify",
        actor=ACTOR,
        input={"input": configs},
        memory_mb=MEMORY_MB,
        timeout=TIMEOUT,
        max_items=most,
        max_cost_usd=max(_cents(most * PRICE_PER_ITEM), _cents(estimate)),
        estimate_usd=_cents(estimate),
        price_per_item_usd=PRICE_PER_ITEM,
    )


def scrape_amazon_reviews_for_competitor(
    ctx: Context, listing: CompetitorAmazonUrl, *, include_keywords: bool = True, include_helpful: bool = True
) -> Done:
    """Scrape a listing's reviews and land them. The same method on a worker (waits parked) and in legacy mode (waits here).

    Raises TransientError where the upstream run died (what it had is landed by then), PermanentError where nothing that came
    could be read.
    """
    order = review_order(listing, include_keywords=include_keywords, include_helpful=include_helpful)
    upstream = ctx.start(order)
    upstream = ctx.wait_for(upstream)
    fetched = upstream.finished_at or ctx.now()
    newer = _newer(listing, ctx.run, fetched)

    def land_page(items: list[Any], offset: int) -> PageResult:
        return _land(listing, items, ctx.run, fetched, newer)

    totals = ctx.ingest(upstream, land_page)
    if upstream.status != UpstreamRun.Status.SUCCEEDED:
        label = get_source(upstream.source).label
        raise TransientError(
            f"The run at {label} ended as {upstream.get_status_display().lower()}."
            f" {totals['new'] + totals['changed']:,} reviews that it had"
            f" were saved. {upstream.message}".strip()
        )
    return judge(listing, upstream, totals, ctx.run)


def _newer(listing: CompetitorAmazonUrl, run: Run, fetched: datetime) -> dict[str, str]:
    """The reviews that another run has fetched since, as before a late Retry: they stay as they are. Each with how it counts."""
    others = AmazonReview.objects.filter(asin=listing.asin, last_seen_at__gt=fetched).exclude(last_run=run)
    return dict.fromkeys(others.values_list("review_id", flat=True), "unchanged")


def _land(listing: CompetitorAmazonUrl, items: list[Any], run: Run, fetched: datetime, newer: dict[str, str]) -> PageResult:
    """One page: rows merged, the rest kept with its reason."""
    rows, rejected, unread, stay = [], [], Counter[str](), Counter[str]()
    title = ""
    for item in items:
        parsed = parse_item(item, listing.asin, listing.domain_code)
        if isinstance(parsed, Rejected):
            rejected.append((parsed.reason, item))
        elif (met := parsed.row["review_id"]) in newer:
            stay[newer[met]] += 1
            newer[met] = "duplicate"
        else:
            rows.append(parsed.row)
            unread.update(parsed.unread)
            title = title or (item.get("productTitle") if isinstance(item.get("productTitle"), str) else "")
    landed = land(
        AmazonReview,
        rows,
        key=("review_id", "asin"),
        content=CONTENT,
        touch={"last_seen_at": fetched, "last_run_id": run.pk},
        mark="last_run_id",
        first={"first_seen_at": fetched},
    )
    if title and title != listing.product_title and not newer:
        listing.product_title = storable(title)
        CompetitorAmazonUrl.objects.filter(pk=listing.pk).update(product_title=listing.product_title)
    counts = {"raw": len(items), **(Counter(landed.counts) + stay), "rejected": len(rejected)}
    counts |= {"no_rating": unread["rating"], "no_date": unread["review_date"], "no_votes": unread["helpful_votes"]}
    return PageResult({name: count for name, count in counts.items() if count}, rejected)


def judge(listing: CompetitorAmazonUrl, upstream: UpstreamRun, totals: Counter[str], run: Run) -> Done:
    """Whether the result is plausible: only then it counts as fresh."""
    different = totals["new"] + totals["changed"] + totals["unchanged"]
    done = Done(
        counts={name: count for name, count in sorted(totals.items()) if count}, records=different, summary=in_words(totals)
    )
    if totals["raw"] and totals["rejected"] == totals["raw"]:
        raise PermanentError(
            f"None of the {totals['raw']:,} items could be read as a review. They are kept; the actor's answer or"
            " this listing may have changed."
        )
    if not different:
        return replace(done, verdict=Verdict.SUSPICIOUS, reason="Nothing came: the listing may be gone, or have no reviews.")
    if upstream.capped:
        return replace(done, verdict=Verdict.PARTIAL, reason="The scrape reached its cap, so some reviews may be missing.")
    usual = usual_count(listing, run)
    if usual and different < usual * FAR_FEWER:
        return replace(
            done,
            verdict=Verdict.SUSPICIOUS,
            reason=f"Far fewer than usual: {different:,} different reviews, usually about {usual:,.0f}.",
        )
    for name, words in (("no_date", "dates"), ("no_rating", "ratings")):
        if totals[name] * 2 > totals["raw"] - totals["rejected"]:
            return replace(
                done, verdict=Verdict.SUSPICIOUS, reason=f"Most {words} could not be read: Amazon may write them in a new way."
            )
    return done


def in_words(totals: Counter[str]) -> str:
    """ "42 new, 17 changed, 1,105 unchanged." and what else there was."""
    words = [f"{totals[name]:,} {name}" for name in ("new", "changed", "unchanged")]
    words += [
        f"{totals[name]:,} {label}" for name, label in (("duplicate", "duplicates"), ("rejected", "rejected")) if totals[name]
    ]
    return ", ".join(words) + "."


# ---- what is usual for a listing -----------------------------------------------------------------------------------------
def good_runs(listing: CompetitorAmazonUrl) -> list[Run]:
    """Its last KNOWN_RUNS that completed ok, newest first."""
    known: list[Run] | None = getattr(listing, KNOWN, None)  # a page reads them for all its listings, see forecast.py
    if known is not None:
        return known
    runs = Run.objects.filter(
        job_type=JOB_TYPE,
        brand_id=listing.competitor.brand_id,
        subject=str(listing.pk),
        status=RunStatus.COMPLETED,
        verdict=Verdict.OK,
    )
    return list(runs.order_by("-pk")[:KNOWN_RUNS])


def usual_count(listing: CompetitorAmazonUrl, run: Run) -> float | None:
    """How many different reviews a scrape like this one brings; None where nothing is known."""
    options = ("include_keywords", "include_helpful")
    alike = [
        one
        for one in good_runs(listing)
        if all(one.parameters.get(name) == run.parameters.get(name) for name in options) and one.pk != run.pk
    ]
    counts = [sum(one.counts.get(name, 0) for name in ("new", "changed", "unchanged")) for one in alike]
    return median(counts) if counts else None


def usual_cost(listing: CompetitorAmazonUrl, configs: int) -> Decimal:
    """USD: per sweep what the last good runs cost, else a part of what the sweeps could bring at most."""
    known = [
        run.cost_actual / len(sweeps(listing.asin, listing.domain_code, **_options(run)))
        for run in good_runs(listing)
        if run.cost_actual
    ]
    if known:
        return median(known) * configs
    return configs * PAGES * PAGE_REVIEWS * PRICE_PER_ITEM * USUAL_FILL


def usual_seconds(listing: CompetitorAmazonUrl, configs: int) -> int:
    """How long such a scrape takes from start to end; 18 s a sweep where nothing is known."""
    known = [
        (run.completed_at - run.started_at).total_seconds() / len(sweeps(listing.asin, listing.domain_code, **_options(run)))
        for run in good_runs(listing)
        if run.completed_at and run.started_at
    ]
    return int((median(known) if known else 18) * configs)


def _options(run: Run) -> dict[str, bool]:
    return {name: bool(run.parameters.get(name, True)) for name in ("include_keywords", "include_helpful")}


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))
