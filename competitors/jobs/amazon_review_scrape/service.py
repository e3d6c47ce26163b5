"""The Amazon review scrape: one paid actor run for all sweeps of a listing, its pages saved as reviews."""

from datetime import datetime
from typing import Any

from competitors.models import AmazonReview, CompetitorAmazonUrl
from competitors.reading import decoded
from competitors.steps.outcome import judge, require_success, with_unread
from pipeline import queries
from pipeline.contract import Context, Done, PageResult, get_type, land
from pipeline.models import Run

from .order import review_order
from .parse import Rejected, parse_item
from .sweeps import SweepOptions

CONTENT = ("rating", "review_date", "helpful_votes", "title", "body", "author", "verified_purchase")
UNREAD = {"rating": "no_rating", "review_date": "no_date", "helpful_votes": "no_votes"}


def scrape_amazon_reviews_for_competitor(ctx: Context, listing: CompetitorAmazonUrl, options: SweepOptions) -> Done:
    """Scrape a listing's reviews and save them. Used on workers, which are free while it waits, and in legacy mode.

    Raises TransientError if the upstream's run failed, after saving what it had.
    """
    good_runs = queries.good_runs_of(ctx.run.job_type, ctx.run.brand_id, ctx.run.subject, listing.about)
    price = queries.price_now(ctx.run.job_type).usd
    upstream = ctx.wait_for(ctx.start(review_order(listing, options, good_runs, price)))
    fetched = upstream.finished_at or ctx.now()

    def land_page(items: list[Any], offset: int) -> PageResult:
        return _land(listing, items, ctx.run, fetched)

    came = ctx.ingest(upstream, land_page)
    require_success(upstream, came.run, "review")
    known = queries.history(get_type(ctx.run.job_type), ctx.run.parameters, good_runs, but=ctx.run)
    return with_unread(judge(upstream, came, known, row="review"), {"no_date": "dates", "no_rating": "ratings"}, of="Amazon")


def _land(listing: CompetitorAmazonUrl, items: list[Any], run: Run, fetched: datetime) -> PageResult:
    """Save one page. Rejected items are kept with the reason."""
    rows, rejected = [], []
    unread: dict[str, str] = {}
    title = ""
    for item in items:
        parsed = parse_item(item, listing.asin, listing.domain_code)
        if isinstance(parsed, Rejected):
            rejected.append((parsed.reason, item))
            continue
        row = parsed.row
        rows.append(row | {"search_text": AmazonReview.searchable(row["title"], row["body"], row["author"])})
        unread |= {f"{row['review_id']} without {field}": UNREAD[field] for field in parsed.unread}
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
    return PageResult({name: count for name, count in counts.items() if count}, rejected, {**landed.rows, **unread})
