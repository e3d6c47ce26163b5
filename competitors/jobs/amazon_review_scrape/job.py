"""The job type amazon_review_scrape: its parameters, and what a run of it is about, costs and leaves behind."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import F, Q, QuerySet

from competitors.models import CompetitorAmazonUrl
from competitors.steps.subject_rows import clean_row_id, countable, scraped_by, watched
from pipeline import queries
from pipeline.contract import Brought, Context, Done, Estimate, JobType, ParameterForm, Subject, job_type, rows_met
from pipeline.models import Brand, Run
from pipeline.states import Verdict

from . import order, service
from .sweeps import KEYWORDS, SweepOptions

NAME, DATASET = "amazon_review_scrape", "amazon_reviews"
scraped_by(NAME, CompetitorAmazonUrl, settings=["amazon_url", "asin", "domain_code"])


@job_type(
    NAME,
    label="Amazon Review Scrape",
    emoji="📦",
    datasets={DATASET: "Amazon Reviews"},
    source="apify",
    row="review",
    actor=order.ACTOR,
    max_age=timedelta(days=7),
    permission="competitors.scrape_competitoramazonurl",
    reuse_within=timedelta(days=1),
)
class AmazonReviewScrape(JobType):
    labels = ("asin",)

    class Params(ParameterForm):
        competitor_amazon_url_id = forms.UUIDField(label="Amazon URL id", help_text="The listing's id. Its admin page shows it.")
        asin = forms.CharField(
            initial="Unknown",
            required=False,
            max_length=20,
            label="ASIN",
            help_text="Shown on the run's page only. The listing's own ASIN is scraped.",
        )
        include_keywords = forms.BooleanField(initial=True, required=False, label=f"Also search {len(KEYWORDS)} common words")
        include_helpful = forms.BooleanField(initial=True, required=False, label="Also read “most helpful”")

        def clean_competitor_amazon_url_id(self) -> UUID:
            listings = CompetitorAmazonUrl.objects.filter(competitor__brand=self.brand)
            return clean_row_id(self.cleaned_data["competitor_amazon_url_id"], listings, "Amazon URL", self.brand)

        def clean_asin(self) -> str:
            return self.cleaned_data["asin"] or "Unknown"

    def subject(self, brand: Brand | None, params: dict[str, Any]) -> Subject:
        return _subject(_listing(params))

    def subject_of_row(self, row: CompetitorAmazonUrl) -> Subject:
        return _subject(row)

    def subject_rows(self) -> QuerySet[CompetitorAmazonUrl]:
        return countable(watched(CompetitorAmazonUrl), "competitor__brand_id")

    def estimate(self, brand: Brand | None, params: dict[str, Any]) -> Estimate:
        listing = _listing(params)
        good_runs = queries.good_runs_of(NAME, listing.competitor.brand_id, str(listing.pk), listing.about)
        return order.estimate(listing, SweepOptions.of(params), good_runs, queries.price_now(NAME).usd)

    def usual_price(self) -> Decimal:
        return order.usual_price()

    def contains(self, theirs: dict[str, Any], asked: dict[str, Any]) -> bool:
        return SweepOptions.of(theirs).contains(SweepOptions.of(asked))

    def run(self, ctx: Context, params: dict[str, Any]) -> Done:
        return service.scrape_amazon_reviews_for_competitor(ctx, _listing(params), SweepOptions.of(params))

    def brought(self, run: Run) -> Brought | None:
        listing = _listing(run.parameters)
        if listing.about != run.about:
            return None
        newest = listing.reviews().filter(first_run=run).order_by(F("review_date").desc(nulls_last=True))[: Brought.SHOWN]
        rows = [(f"{'★' * (review.rating or 0)} {review.title}".strip(), review.body, review.review_date) for review in newest]
        return Brought(f"{listing.reviews_url()}?run={run.pk}", "competitors.view_amazonreview", rows)

    def on_completed(self, run: Run, fetched_at: datetime) -> None:
        known = CompetitorAmazonUrl.objects.filter(Q(last_scraped_at=None) | Q(last_scraped_at__lte=fetched_at), pk=run.subject)
        figures: dict[str, Any] = {"scrape_cost_estimate": run.cost_actual} if run.cost_actual else {}  # not if it was free
        if run.verdict == Verdict.OK:
            seen = rows_met(run.counts)
            figures |= {"last_scraped_at": fetched_at, "total_reviews_scraped": seen}
        known.update(**figures)


def scrape_parameters(listing: CompetitorAmazonUrl) -> dict[str, Any]:
    """The job type's parameters for this listing. Options keep their defaults."""
    return {"competitor_amazon_url_id": str(listing.pk), "asin": listing.asin}


def _listing(params: dict[str, Any]) -> CompetitorAmazonUrl:
    return CompetitorAmazonUrl.objects.select_related("competitor__brand").get(pk=params["competitor_amazon_url_id"])


def _subject(listing: CompetitorAmazonUrl) -> Subject:
    label = f"{listing.product_title} ({listing.asin})" if listing.product_title else listing.asin
    closed, parameters = listing.competitor.closed, scrape_parameters(listing)
    return Subject(str(listing.pk), label[:300], listing.get_absolute_url(), listing.about, closed, parameters)
