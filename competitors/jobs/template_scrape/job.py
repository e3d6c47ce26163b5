"""The job type template_scrape: its parameters, and what a run of it is about and costs. It runs for no single brand."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.urls import reverse

from competitors.models import TemplateCandidate
from competitors.reading.ad_library import AdLibraryUrlField
from competitors.upstream import ad_library
from pipeline import queries
from pipeline.contract import Brought, Context, Done, Estimate, JobType, ParameterForm, Subject, job_type
from pipeline.models import Brand, Job, Run
from pipeline.states import JobStatus
from pipeline.words import counted

from . import old_files, service  # noqa: F401  old_files registers itself
from .candidates import files_of_ads
from .service import Search

NAME, DATASET = "template_scrape", "templates_scraped"


@job_type(
    NAME,
    label="Template Scrape",
    emoji="🎨",
    datasets={DATASET: "Templates"},
    source="apify",
    row="ad",
    actor=ad_library.ACTOR,
    max_age=timedelta(days=7),
    permission="competitors.scrape_libraryad",
    reuse_within=timedelta(days=1),
)
class TemplateScrape(JobType):
    platform = True

    class Params(ParameterForm):
        search_url = AdLibraryUrlField(help_text="The address of a search in the Ad Library.")
        max_ads = service.MAX_ADS
        images_only = forms.BooleanField(
            initial=True, required=False, label="Images only", help_text="Ads that only have a video are left out."
        )
        auto_queue = forms.BooleanField(
            initial=True, required=False, label="Queue for review", help_text="What is found waits on the tab Pending."
        )

        only = forms.IntegerField(
            required=False,
            min_value=1,
            label="Only this file",
            help_text="Id of one picture or video, to try it again alone. Then nothing is searched, and it is free.",
        )

        def clean_only(self) -> int | None:
            only: int | None = self.cleaned_data["only"]
            if only and not files_of_ads().filter(pk=only).exists():
                raise forms.ValidationError(f"No ad that was found has a picture or video {only}. It may have been removed.")
            return only

    def subject(self, brand: Brand | None, params: dict[str, Any]) -> Subject:
        """A file that is tried again alone is no reason to keep the search waiting."""
        subject, only = Search.of(params).subject, params.get("only")
        return replace(subject, key=f"{subject.key} {only}", label=f"One file of {subject.label}"[:300]) if only else subject

    def refreshes(self, parameters: Mapping[str, Any]) -> bool:
        return not parameters.get("only")

    def subjects_of(self, brands: Iterable[Brand | None]) -> Iterator[tuple[UUID | None, Subject]]:
        """The searches that are scheduled: nobody waits for news of the others."""
        ids = {brand.pk if brand else None for brand in brands}
        jobs = Job.objects.filter(job_type=NAME, schedule_type=Job.Schedule.RECURRING)
        for job in jobs.filter(status__in=[JobStatus.ACTIVE, JobStatus.PAUSED]).order_by("pk"):
            if job.brand_id in ids:
                yield job.brand_id, replace(Search.of(job.parameters).subject, parameters=job.parameters)

    def estimate(self, brand: Brand | None, params: dict[str, Any]) -> Estimate | None:
        if params.get("only"):
            return None
        search = Search.of(params)
        good_runs = queries.good_runs_of(NAME, brand.pk if brand else None, search.key, "")
        price = queries.price_now(NAME).usd
        return ad_library.estimate(search.url, search.max_ads, good_runs, price, usual_fill=service.USUAL_FILL)

    def usual_price(self) -> Decimal:
        return ad_library.usual_price()

    def contains(self, theirs: dict[str, Any], asked: dict[str, Any]) -> bool:
        """The options beside the number decide what is made of the ads, not which ones are fetched."""
        return Search.of(theirs).max_ads >= Search.of(asked).max_ads

    def run(self, ctx: Context, params: dict[str, Any]) -> Done:
        if params.get("only"):
            return service.try_again(ctx, files_of_ads().filter(pk=params["only"]))
        return service.find_templates(ctx, Search.of(params))

    def brought(self, run: Run) -> Brought | None:
        """What it queued, as long as nobody has decided about it."""
        queued = TemplateCandidate.objects.filter(found_by=run, status=TemplateCandidate.Status.PENDING)
        if not (count := queued.count()):
            return None
        newest = queued.select_related("library_ad").order_by("-pk")[: Brought.SHOWN]
        rows = [(one.title, one.library_ad.body, one.library_ad.started_on) for one in newest if one.library_ad]
        words = f"{counted(count, 'candidate')} to decide on"
        return Brought(f"{reverse('templates')}?run={run.pk}", "competitors.view_templatecandidate", rows, words)
