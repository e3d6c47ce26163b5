"""The job type asset_download: its parameters, and what a run of it is about and leaves behind. It costs nothing."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.urls import reverse

from competitors.models import AdAccount, AdMedia, MediaStatus
from competitors.steps.account_files import ASSETS, places
from competitors.steps.ad_account import AdAccountField, account_subject, numbers_of
from competitors.steps.subject_rows import countable, scraped_by
from pipeline.contract import Brought, Context, Done, JobType, ParameterForm, Subject, UsualNumber, job_type
from pipeline.models import Brand, Run
from pipeline.states import Verdict

from . import service
from .limits import IMAGES, VIDEOS, Limits

NAME, DATASET = "asset_download", ASSETS
scraped_by(NAME, AdAccount)


@job_type(
    NAME,
    label="Asset Download",
    emoji="🖼️",
    datasets={DATASET: "Ad Assets"},
    source="meta",
    row="file",
    max_age=timedelta(days=7),
    max_runtime=timedelta(hours=1),
    permission="competitors.scrape_adaccount",
)
class AssetDownload(JobType):
    class Params(ParameterForm):
        ad_account_id = AdAccountField(help_text="Like act_1234567890. May be empty if the brand has only one ad account.")
        max_videos = UsualNumber(usual=VIDEOS.usual, least=VIDEOS.fewest, most=VIDEOS.most, label="Max videos")
        max_images = UsualNumber(usual=IMAGES.usual, least=IMAGES.fewest, most=IMAGES.most, label="Max images")
        only = forms.IntegerField(
            required=False,
            min_value=1,
            label="Only this file",
            help_text="Id of one picture or video, to try it again alone.",
        )

        def clean_ad_account_id(self) -> str:
            given: str = self.cleaned_data["ad_account_id"]
            numbers = numbers_of(self.brand, given)
            if not given and len(numbers) > 1:
                raise ValidationError(f"{self.brand} has several ad accounts. Choose one: {', '.join(numbers)}.")
            return given or numbers[0]

        def clean(self) -> dict[str, Any]:
            values = super().clean()
            only, account = values.get("only"), values.get("ad_account_id")
            whose = {"brand_ad__ad_account__brand": self.brand, "brand_ad__ad_account__account_id": account}
            if only and account and not AdMedia.objects.filter(pk=only, **whose).exists():
                self.add_error("only", f"Ad account {account} has no picture or video {only}. It may have been removed.")
            return values

    def subject(self, brand: Brand | None, params: dict[str, Any]) -> Subject:
        """A file that is tried again alone is no reason to keep the account's download waiting."""
        subject, only = _subject(_account(brand, params)), params.get("only")
        if not only:
            return subject
        return Subject(f"{subject.key} {only}", f"One file of {subject.label}"[:300], subject.url, closed=subject.closed)

    def subject_of_row(self, row: AdAccount) -> Subject:
        return _subject(row)

    def subject_rows(self) -> QuerySet[AdAccount]:
        return countable(AdAccount.objects.select_related("brand"), "brand_id")

    def refreshes(self, parameters: Mapping[str, Any]) -> bool:
        """A file that is tried again alone says nothing about how fresh the account's files are."""
        return not parameters.get("only")

    def run(self, ctx: Context, params: dict[str, Any]) -> Done:
        account = _account(ctx.brand, params)
        if params.get("only"):
            return service.download_one(ctx, account, params["only"])
        return service.download_assets(ctx, account, Limits.of(params))

    def brought(self, run: Run) -> Brought:
        account = _account(run.brand, run.parameters)
        stored = places(account).filter(last_run=run, status=MediaStatus.STORED).select_related("brand_ad")
        newest = stored.order_by("-tried_at", "-pk")[: Brought.SHOWN]
        rows = [(str(place.brand_ad), place.get_role_display(), None) for place in newest]
        page = reverse("research", args=[account.brand.slug])
        return Brought(f"{page}?run={run.pk}#files", "competitors.view_admedia", rows)

    def on_completed(self, run: Run, fetched_at: datetime) -> None:
        if run.verdict == Verdict.OK and self.refreshes(run.parameters):
            known = AdAccount.objects.filter(Q(last_downloaded_at=None) | Q(last_downloaded_at__lte=fetched_at), pk=run.subject)
            known.update(last_downloaded_at=fetched_at)


def _account(brand: Brand | None, params: dict[str, Any]) -> AdAccount:
    """Raises AdAccount.DoesNotExist if it was removed."""
    accounts = AdAccount.objects.select_related("brand")
    return accounts.get(brand=brand.pk if brand else None, account_id=params["ad_account_id"])


def _subject(account: AdAccount) -> Subject:
    return account_subject(account, account.get_absolute_url(), ad_account_id=account.account_id)
