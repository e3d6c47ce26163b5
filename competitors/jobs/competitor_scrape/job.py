"""The job type competitor_scrape: its parameters, and what a run of it is about, costs and leaves behind."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import F, Q, QuerySet
from django.urls import reverse

from competitors.models import Competitor, CompetitorAd, CompetitorAdLibrary
from competitors.reading.ad_library import AdLibraryUrlField
from competitors.steps.subject_rows import clean_row_id, countable, scraped_by, watched
from competitors.upstream import ad_library
from pipeline import queries
from pipeline.contract import Brought, Context, Done, Estimate, JobType, ParameterForm, Subject, UsualNumber, job_type
from pipeline.models import Brand, Run
from pipeline.states import Verdict

from . import readings, service

NAME, DATASET = "competitor_scrape", "competitor_ads"
USUAL_MEDIA, MOST_MEDIA = 100, 2000  # pictures that one run stores
scraped_by(NAME, CompetitorAdLibrary, settings=["url"])
scraped_by(NAME, Competitor, settings=["name"])  # an address that is not on record: its key begins with the competitor's


@job_type(
    NAME,
    label="Competitor Ad Scrape",
    emoji="📣",
    datasets={DATASET: "Competitor Ads"},
    source="apify",
    row="ad",
    actor=ad_library.ACTOR,
    max_age=timedelta(days=7),
    permission="competitors.scrape_competitoradlibrary",
    reuse_within=timedelta(days=1),
)
class CompetitorScrape(JobType):
    class Params(ParameterForm):
        competitor_id = forms.UUIDField(label="Competitor id", help_text="The competitor's id. Its admin page shows it.")
        ad_library_url = AdLibraryUrlField(
            help_text="The address of the competitor's ads in the Ad Library. It need not be one that is saved."
        )
        max_ads = service.MAX_ADS
        max_media = UsualNumber(
            usual=USUAL_MEDIA,
            least=0,
            most=MOST_MEDIA,
            label="Max pictures",
            help_text="The first picture of each ad is stored, for at most so many ads. It costs nothing.",
        )

        def clean_competitor_id(self) -> UUID:
            competitors = Competitor.objects.filter(brand=self.brand)
            return clean_row_id(self.cleaned_data["competitor_id"], competitors, "competitor", self.brand)

    def subject(self, brand: Brand | None, params: dict[str, Any]) -> Subject:
        return service.Target.of(params).subject

    def subject_of_row(self, row: CompetitorAdLibrary) -> Subject:
        return service.Target(row.competitor, row.url, row).subject

    def subject_rows(self) -> QuerySet[CompetitorAdLibrary]:
        return countable(watched(CompetitorAdLibrary), "competitor__brand_id")

    def estimate(self, brand: Brand | None, params: dict[str, Any]) -> Estimate:
        target = service.Target.of(params)
        good_runs = queries.good_runs_of(NAME, target.competitor.brand_id, target.subject.key, target.subject.about)
        return ad_library.estimate(target.url, service.MAX_ADS.of(params), good_runs, queries.price_now(NAME).usd)

    def usual_price(self) -> Decimal:
        return ad_library.usual_price()

    def contains(self, theirs: dict[str, Any], asked: dict[str, Any]) -> bool:
        return service.MAX_ADS.of(theirs) >= service.MAX_ADS.of(asked)

    def run(self, ctx: Context, params: dict[str, Any]) -> Done:
        return service.scrape_ads(
            ctx, service.Target.of(params), service.MAX_ADS.of(params), params.get("max_media", USUAL_MEDIA)
        )

    def brought(self, run: Run) -> Brought:
        competitor = service.Target.of(run.parameters).competitor
        ads = CompetitorAd.objects.filter(competitor=competitor, first_run=run)
        newest = ads.order_by(F("started_on").desc(nulls_last=True), "pk")[: Brought.SHOWN]
        rows = [(ad.page_name, f"{ad.title} {ad.body}".strip(), ad.started_on) for ad in newest]
        page = reverse("ad_list", args=[competitor.brand.slug, competitor.pk])
        return Brought(f"{page}?run={run.pk}", "competitors.view_competitorad", rows)

    def on_completed(self, run: Run, fetched_at: datetime) -> None:
        if run.verdict == Verdict.OK:
            readings.accept(run)
            asked = {"competitor": run.parameters["competitor_id"], "url": run.parameters["ad_library_url"]}
            known = CompetitorAdLibrary.objects.filter(Q(last_scraped_at=None) | Q(last_scraped_at__lte=fetched_at), **asked)
            known.update(last_scraped_at=fetched_at)
