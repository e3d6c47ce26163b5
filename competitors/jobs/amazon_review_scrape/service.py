"""The Amazon review scrape: one paid actor run for all sweeps of a listing, its pages saved as reviews."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from statistics import median
from typing import Any

from competitors.models import AmazonReview, CompetitorAmazonUrl
from competitors.outcome import in_words, require_success
from competitors.reading import decoded
from pipeline import queries
from pipeline.contract import Context, Done, PageResult, PermanentError, land, rows_met
from pipeline.models import Run, UpstreamRun
from pipeline.states import Verdict

from .order import review_order
from .parse import Rejected, parse_item
from .sweeps import SweepOptions

FAR_FEWER = 0.3  # of the usual number of different reviews
CONTENT = ("rating", "review_date", "helpful_votes", "title", "body", "author", "verified_purchase")


def scrape_amazon_reviews_for_competitor(ctx: Context, listing: CompetitorAmazonUrl, options: SweepOptions) -> Done:
    """Scrape a listing's reviews and save them. Used on workers, which are free while it waits, and in legacy mode.

    Raises TransientError if the upstream's run failed, after saving what it had; PermanentError if nothing could be read.
    """
    good_runs = queries.good_runs_of(ctx.run.job_type, ctx.run.brand_id, ctx.run.subject)
    upstream = ctx.wait_for(ctx.start(review_order(listing, options, good_runs)))
    fetched = upstream.finished_at or ctx.now()

    def land_page(items: list[Any], offset: int) -> PageResult:
        return _land(listing, items, ctx.run, fetched)

    came = ctx.ingest(upstream, land_page)
    require_success(upstream, came.run, "review")
    return judge(upstream, came.run, ctx.run, good_runs)


def _land(listing: CompetitorAmazonUrl, items: list[Any], run: Run, fetched: datetime) -> PageResult:
    """Save one page. Rejected items are kept with the reason."""
    rows, rejected, unread = [], [], Counter[str]()
    title = ""
    for item in items:
        parsed = parse_item(item, listing.asin, listing.domain_code)
        if isinstance(parsed, Rejected):
            rejected.append((parsed.reason, item))
            continue
        row = parsed.row
        rows.append(row | {"search_text": AmazonReview.searchable(row["title"], row["body"], row["author"])})
        unread.update(parsed.unread)
        title = title or decoded(item.get("productTitle"))
    landed = land(
        AmazonReview,
        rows,
        key=("review_id", "asin", "domain_code"),
        content=CONTENT,
        touch={"last_seen_at": fetched, "last_run_id": run.pk},
        first={"first_seen_at": fetched, "first_run_id": run.pk},
        age="last_seen_at",
    )
    if title and title != listing.product_title and not listing.reviews().filter(last_seen_at__gt=fetched).exists():
        listing.product_title = title
        CompetitorAmazonUrl.objects.filter(pk=listing.pk).update(product_title=title)
    counts = {"raw": len(items), "duplicate": landed.duplicate, "rejected": len(rejected)}
    counts |= {"no_rating": unread["rating"], "no_date": unread["review_date"], "no_votes": unread["helpful_votes"]}
    return PageResult({name: count for name, count in counts.items() if count}, rejected, landed.rows)


def judge(upstream: UpstreamRun, totals: Counter[str], run: Run, good_runs: Sequence[Run]) -> Done:
    """Whether the result is plausible. Only a plausible result counts as fresh."""
    found = rows_met(totals)
    done = Done(counts={name: count for name, count in sorted(totals.items()) if count}, records=found, summary=in_words(totals))
    if totals["raw"] and totals["rejected"] == totals["raw"]:
        raise PermanentError(
            f"None of the {totals['raw']:,} items could be read as a review. They are kept. Amazon or the actor may have"
            " changed its format."
        )
    if not found:
        return replace(done, verdict=Verdict.SUSPICIOUS, reason="Apify found no reviews. The listing may be gone, or have none.")
    if upstream.capped:
        return replace(done, verdict=Verdict.PARTIAL, reason="The scrape reached its cost limit, so some reviews may be missing.")
    usual = usual_count(run, good_runs)
    if usual and found < usual * FAR_FEWER:
        return replace(
            done,
            verdict=Verdict.SUSPICIOUS,
            reason=f"Far fewer than usual: {found:,} reviews, usually about {usual:,.0f}.",
        )
    for name, words in (("no_date", "dates"), ("no_rating", "ratings")):
        if totals[name] * 2 > totals["raw"] - totals["rejected"]:
            return replace(
                done, verdict=Verdict.SUSPICIOUS, reason=f"Most {words} could not be read. Amazon may have changed their format."
            )
    return done


def usual_count(run: Run, good_runs: Sequence[Run]) -> float | None:
    """How many different reviews a scrape with this run's options brings; None if nothing is known yet."""
    options = SweepOptions.of(run.parameters)
    alike = [one for one in good_runs if SweepOptions.of(one.parameters) == options and one.pk != run.pk]
    counts = [rows_met(one.counts) for one in alike]
    return median(counts) if counts else None
