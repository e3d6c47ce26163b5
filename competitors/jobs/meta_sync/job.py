"""The job type meta_sync: its parameters, and what a run of it is about. It costs nothing."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import F, Max, Min, QuerySet
from django.urls import reverse

from competitors.models import AdAccount, AdDay
from competitors.steps.account_files import ASSETS
from competitors.steps.ad_account import SYNC, AdAccountField, account_subject, numbers_of
from competitors.steps.subject_rows import countable, scraped_by
from pipeline.contract import Brought, Context, Done, JobType, ParameterForm, PermanentError, Subject, UsualNumber, job_type
from pipeline.models import Brand, Run

from .service import sync_accounts
from .sync.one_account import Options
from .sync.window import MOST_BACK

NAME, DATASET = SYNC, "meta_ads_performance"
DATASETS = {
    "performance": DATASET,
    "thumbnails": "ad_thumbnails",
    "assets": ASSETS,
    "demographics": "demographic_performance",
    "classifications": "ad_classifications",
}
PARTS = ("account", *DATASETS)
scraped_by(NAME, AdAccount, settings=["account_id"])


class PartsField(forms.MultipleChoiceField):
    """Also as text on the command line: performance,thumbnails. In the order in which the parts are done."""

    def to_python(self, value: Any) -> list[str]:
        given = value.replace(",", " ").split() if isinstance(value, str) else value
        chosen = super().to_python(given)
        return sorted(chosen, key=lambda name: PARTS.index(name) if name in PARTS else 0)


@job_type(
    NAME,
    label="Meta Sync",
    emoji="📊",
    datasets={
        DATASET: "Ad Performance",
        DATASETS["thumbnails"]: "Ad Thumbnails",
        ASSETS: "Ad Assets",
        DATASETS["demographics"]: "Demographic Performance",
        DATASETS["classifications"]: "Ad Classifications",
    },
    own_clocks=DATASETS.values(),
    source="meta",
    max_age=timedelta(days=1),
    max_runtime=timedelta(hours=1),
    permission="competitors.scrape_adaccount",
)
class MetaSync(JobType):
    class Params(ParameterForm):
        ad_account = AdAccountField(help_text="Like act_1234567890. Empty: all of the brand's.")
        days_back = UsualNumber(
            usual=7, least=1, most=MOST_BACK, label="Days back", help_text="And today, in the account's zone."
        )
        parts = PartsField(
            required=False,
            initial=[],
            choices=[(name, name.capitalize()) for name in PARTS],
            label="Only these parts",
            help_text="None chosen: all of them.",
        )
        download_max_videos = UsualNumber(usual=20, least=0, most=100, label="Max videos")
        download_max_images = UsualNumber(usual=40, least=0, most=200, label="Max images")
        skip_demographics = forms.BooleanField(required=False, initial=False, label="Without demographics")
        auto_classify = forms.BooleanField(required=False, initial=True, label="Classify new ads")

        def clean_ad_account(self) -> str:
            given: str = self.cleaned_data["ad_account"]
            numbers_of(self.brand, given)
            return given

        def clean(self) -> dict[str, Any]:
            values = super().clean()
            if values.get("parts") and values["parts"] != ["account"] and not _datasets(values):
                self.add_error("parts", "The other options leave none of these parts.")
            return values

    def subject(self, brand: Brand | None, params: dict[str, Any]) -> Subject:
        accounts = list(_accounts(brand, params))
        if params.get("ad_account") or not brand:
            return _subject(accounts[0])
        page = reverse("performance", args=[brand.slug])
        return Subject("", f"All ad accounts ({len(accounts)})", page, closed=brand.closed)

    def subject_of_row(self, row: AdAccount) -> Subject:
        return _subject(row)

    def subject_rows(self) -> QuerySet[AdAccount]:
        return countable(AdAccount.objects.select_related("brand"), "brand_id")

    def brought(self, run: Run) -> Brought | None:
        """The days that it read and no later run has read again, of the account with the dearest of them."""
        first = (run.created_at - timedelta(days=run.parameters["days_back"] + 2)).date()  # whatever the account's zone
        rows = AdDay.objects.filter(ad_account__in=_accounts(run.brand, run.parameters), date__gte=first, last_run=run)
        dearest = rows.select_related("ad_account__brand").order_by(F("spend").desc(nulls_last=True), "pk")
        if (best := dearest.first()) is None:
            return None
        account = best.ad_account
        days = rows.filter(ad_account=account).aggregate(since=Min("date"), until=Max("date"))
        shown = [
            (one.ad_name or one.ad_id, "" if one.spend is None else f"{one.spend:,.2f} {account.currency}", one.date)
            for one in dearest.filter(ad_account=account)[: Brought.SHOWN]
        ]
        query = urlencode({"account": account.account_id, **days})
        page = reverse("performance", args=[account.brand.slug])
        return Brought(f"{page}?{query}", "competitors.view_adday", shown, "days it read")

    def run(self, ctx: Context, params: dict[str, Any]) -> Done:
        accounts = list(_accounts(ctx.brand, params))
        if not accounts:
            raise PermanentError("The ad account was removed, so there is nothing to sync.")
        options = Options(
            days_back=params["days_back"],
            datasets=_datasets(params),
            videos=params["download_max_videos"],
            images=params["download_max_images"],
        )
        return sync_accounts(ctx, accounts, options)


def _datasets(params: dict[str, Any]) -> dict[str, str]:
    """The datasets of the parts that are asked for; none if the account alone is to be looked up."""
    wanted = set(params.get("parts") or PARTS)
    if params.get("skip_demographics"):
        wanted.discard("demographics")
    if not params.get("auto_classify"):
        wanted.discard("classifications")
    return {part: key for part, key in DATASETS.items() if part in wanted}


def _accounts(brand: Brand | None, params: dict[str, Any]) -> QuerySet[AdAccount]:
    accounts = AdAccount.objects.select_related("brand").filter(brand=brand.pk if brand else None)
    return accounts.filter(account_id=params["ad_account"]) if params.get("ad_account") else accounts


def _subject(account: AdAccount) -> Subject:
    return account_subject(account, account.performance_url(), ad_account=account.account_id)
