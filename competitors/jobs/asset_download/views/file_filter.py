"""What the address of Brand Research asks for: which of the brand's ads, by what became of their pictures and videos."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from django import forms
from django.core.paginator import Page
from django.db.models import Count, Exists, OuterRef, Prefetch, QuerySet
from django.http import QueryDict

from competitors.models import AdAccount, AdMedia, BrandAd, Media, MediaReason, MediaStatus
from competitors.views.list_filter import WRONG_CHOICE, ListFilter, RunField, WordsField
from pipeline.models import Brand

PAGE_SIZE = 24
SORTS = {"newest": ("Newest", ["-pk"]), "name": ("Name", ["name", "pk"]), "seen": ("Last seen", ["-last_seen_at", "-pk"])}
Role = AdMedia.Role


class FileFilterForm(forms.Form):
    """Bound to the address's query string."""

    q = WordsField(label="Words in the ad's name")
    kind = forms.ChoiceField(required=False, choices=[("", "Any"), *Media.Kind.choices], error_messages=WRONG_CHOICE)
    reason = forms.ChoiceField(
        required=False, choices=[("", "Any"), *MediaReason.choices], label="Not stored because", error_messages=WRONG_CHOICE
    )
    account = forms.ChoiceField(required=False, label="Ad account", error_messages=WRONG_CHOICE)
    sort = forms.ChoiceField(
        required=False,
        label="Order",
        choices=[(name, label) for name, (label, _) in SORTS.items()],
        error_messages=WRONG_CHOICE,
    )
    run = RunField()
    state = forms.ChoiceField(
        required=False, choices=[("", "All"), *MediaStatus.choices], widget=forms.HiddenInput, error_messages=WRONG_CHOICE
    )


@dataclass(frozen=True)
class Card:
    """An ad, and what stands for it: a stored picture, else a stored video, else why there is no video, else why no picture."""

    ad: BrandAd
    places: list[AdMedia]

    @property
    def shown(self) -> AdMedia | None:
        def rank(place: AdMedia) -> tuple[bool, bool]:
            return place.media is None, (place.role == Role.VIDEO) == bool(place.media)

        return min(self.places, key=rank, default=None)

    @property
    def stored(self) -> bool:
        return any(place.media for place in self.places)

    @property
    def tag(self) -> str:
        """Words over the picture."""
        stills = self.shown and self.shown.role != Role.VIDEO
        return "Video" if stills and any(place.role == Role.VIDEO and place.media for place in self.places) else ""

    @property
    def status(self) -> str:
        """Of the ad at Meta."""
        return self.ad.status.replace("_", " ").capitalize() or "State not known"


class FileFilter(ListFilter):
    form_class = FileFilterForm
    labels: ClassVar = {
        "state": "State",
        "reason": "Not stored because",
        "kind": "Kind",
        "account": "Ad account",
        "q": "Words",
        "run": "Stored by run",
    }
    usual_sort = "newest"

    def __init__(self, brand: Brand, query: QueryDict):
        self.brand = brand
        super().__init__(query)

    @cached_property
    def places(self) -> "QuerySet[AdMedia]":
        """The pictures and videos that were asked for."""
        chosen = {"status": self.chosen["state"], "reason": self.chosen["reason"]}
        return self._in_any_state.filter(**{name: value for name, value in chosen.items() if value})

    @cached_property
    def page(self) -> "Page[BrandAd]":
        """Ads that show one of them, each with all that it shows."""
        shown = Exists(self.places.filter(brand_ad=OuterRef("pk")))
        files = AdMedia.objects.select_related("media").order_by("role", "position")
        ads = BrandAd.objects.filter(shown, ad_account__in=self._accounts).order_by(*SORTS[self.chosen["sort"]][1])
        return self.sheet(ads.prefetch_related(Prefetch("media", queryset=files)), PAGE_SIZE)

    @cached_property
    def cards(self) -> list[Card]:
        return [Card(ad, list(ad.media.all())) for ad in self.page]

    @cached_property
    def tabs(self) -> list[dict[str, Any]]:
        """All files, and those in each state."""
        counts = dict(self._in_any_state.order_by().values_list("status").annotate(count=Count("pk")))
        shown = [("", "All", sum(counts.values())), *((one.value, one.label, counts.get(one.value, 0)) for one in MediaStatus)]
        return [
            {"label": label, "count": count, "url": self.url(state=name, reason=""), "current": self.chosen["state"] == name}
            for name, label, count in shown
        ]

    def build_form(self, data: QueryDict | None, **options: Any) -> forms.Form:
        form = super().build_form(data, auto_id="filter_%s", **options)
        names = [(account.account_id, str(account)) for account in self._of_brand]
        form.fields["account"].choices = [("", "All"), *names]  # type: ignore[attr-defined]
        return form

    @cached_property
    def _of_brand(self) -> list[AdAccount]:
        return list(AdAccount.objects.filter(brand=self.brand))

    @cached_property
    def _accounts(self) -> list[AdAccount]:
        return [account for account in self._of_brand if self.chosen["account"] in ("", account.account_id)]

    @cached_property
    def _in_any_state(self) -> "QuerySet[AdMedia]":
        found = AdMedia.objects.filter(brand_ad__ad_account__in=self._accounts)
        if self.chosen["kind"]:
            found = found.filter(role=Role.VIDEO) if self.chosen["kind"] == Media.Kind.VIDEO else found.exclude(role=Role.VIDEO)
        if self.chosen["run"]:
            found = found.filter(last_run=int(self.chosen["run"]), status=MediaStatus.STORED)
        return self.with_words(found, "brand_ad__name")
