"""The job type amazon_review_scrape: its parameters, and how it names, prices and books a run."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q

from pipeline.contract.context import Context
from pipeline.contract.job_type import Done, Estimate, JobType, Subject
from pipeline.contract.parameters import ParameterForm
from pipeline.contract.registry import job_type
from pipeline.models import Brand, Run
from pipeline.states import Verdict

from ..models import CompetitorAmazonUrl
from . import service


@job_type(
    "amazon_review_scrape",
    label="Amazon Review Scrape",
    emoji="📦",
    datasets={"amazon_reviews": "Amazon Reviews"},
    source="apify",
    max_age=timedelta(days=7),
)
class AmazonReviewScrape(JobType):
    class Params(ParameterForm):
        competitor_amazon_url_id = forms.UUIDField(
            label="Amazon URL id", help_text="The listing's id, as its page in the admin shows it."
        )
        asin = forms.CharField(
            initial="Unknown",
            required=False,
            max_length=20,
            label="ASIN",
            help_text="For the log only; the listing's own ASIN is scraped.",
        )
        include_keywords = forms.BooleanField(
            initial=True, required=False, label="Keyword sweeps", help_text="22 sweeps more, by word."
        )
        include_helpful = forms.BooleanField(
            initial=True, required=False, label="Most helpful", help_text="3 sweeps more, by most helpful."
        )

        def clean_competitor_amazon_url_id(self) -> UUID:
            wanted: UUID = self.cleaned_data["competitor_amazon_url_id"]
            found = CompetitorAmazonUrl.objects.filter(pk=wanted, competitor__brand=self.brand).exists()
            if not found:
                whose = f"of {self.brand}" if self.brand else "without a brand"
                raise forms.ValidationError(f"There is no Amazon URL {wanted} {whose}. It may have been removed.")
            return wanted

        def clean_asin(self) -> str:
            return self.cleaned_data["asin"] or "Unknown"

    def subject(self, brand: Brand | None, params: dict[str, Any]) -> Subject:
        return _subject(_listing(params))

    def subjects(self, brand: Brand | None) -> list[Subject]:
        listings = CompetitorAmazonUrl.objects.filter(competitor__brand=brand).select_related("competitor__brand")
        return [_subject(listing) for listing in listings]

    def estimate(self, brand: Brand | None, params: dict[str, Any]) -> Estimate:
        listing, options = _listing(params), _options(params)
        order = service.review_order(listing, **options)
        return Estimate(order.estimate_usd, order.max_cost_usd, service.usual_seconds(listing, len(order.input["input"])))

    def run(self, ctx: Context, params: dict[str, Any]) -> Done:
        return service.scrape_amazon_reviews_for_competitor(ctx, _listing(params), **_options(params))

    def on_completed(self, run: Run, fetched_at: datetime) -> None:
        known = CompetitorAmazonUrl.objects.filter(Q(last_scraped_at=None) | Q(last_scraped_at__lte=fetched_at), pk=run.subject)
        figures: dict[str, Any] = {"scrape_cost_estimate": run.cost_actual}
        if run.verdict == Verdict.OK:
            seen = sum(run.counts.get(name, 0) for name in ("new", "changed", "unchanged"))
            figures |= {"last_scraped_at": fetched_at, "total_reviews_scraped": seen}
        known.update(**figures)


def _listing(params: dict[str, Any]) -> CompetitorAmazonUrl:
    return CompetitorAmazonUrl.objects.select_related("competitor__brand").get(pk=params["competitor_amazon_url_id"])


def _options(params: dict[str, Any]) -> dict[str, bool]:
    return {name: params[name] for name in ("include_keywords", "include_helpful")}


def _subject(listing: CompetitorAmazonUrl) -> Subject:
    label = f"{listing.product_title} ({listing.asin})" if listing.product_title else listing.asin
    return Subject(str(listing.pk), label[:300], listing.get_absolute_url())
