"""What the address of the list of ads asks for: which ads, in which order.

A wrong value is ignored and named in `warnings`. It never hides the list.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django import forms
from django.db.models import Count, F, QuerySet
from django.http import QueryDict

from competitors.models import Competitor, CompetitorAd, CompetitorAdLibrary, LandingPage

from ..readings import Difference, differences

MOST_WORDS = 10
SORTS = {
    "longest": ("Longest running", F("started_on").asc(nulls_last=True)),
    "newest": ("Newest", F("started_on").desc(nulls_last=True)),
    "seen": ("Last seen", F("last_seen_at").desc()),
}
CHANGES = {"new": "New", "vanished": "Vanished"}
LABELS = {
    "state": "State",
    "format": "Format",
    "since": "Seen since",
    "q": "Words",
    "landing": "Landing page",
    "change": "Since the last reading",
    "sort": "Order",
}
_WRONG = {"invalid_choice": "“%(value)s” is not one of the choices.", "invalid": "This is no date like 2026-05-31."}


class AdFilterForm(forms.Form):
    """Bound to the address's query string."""

    q = forms.CharField(
        required=False,
        max_length=200,
        label="Words in page, title, text or link",
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    state = forms.ChoiceField(required=False, choices=[("", "Any"), *CompetitorAd.Status.choices], error_messages=_WRONG)
    format = forms.ChoiceField(required=False, error_messages=_WRONG)
    since = forms.DateField(
        required=False,
        label="Seen since",
        error_messages=_WRONG,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    sort = forms.ChoiceField(
        required=False, label="Order", choices=[(name, label) for name, (label, _) in SORTS.items()], error_messages=_WRONG
    )
    landing = forms.ModelChoiceField(
        LandingPage.objects.none(),
        required=False,
        widget=forms.HiddenInput,
        error_messages={"invalid_choice": "This competitor has no such landing page."},
    )
    change = forms.ChoiceField(
        required=False, choices=[("", "All"), *CHANGES.items()], widget=forms.HiddenInput, error_messages=_WRONG
    )


@dataclass
class AdFilter:
    """What the address asks of one competitor's ads."""

    competitor: Competitor
    query: QueryDict
    form: AdFilterForm = field(init=False)
    chosen: dict[str, str] = field(init=False)
    landing: LandingPage | None = field(init=False)
    warnings: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.form = self._form(self.query)
        self.form.is_valid()
        self.landing = self.form.cleaned_data.get("landing")
        self.chosen = {name: str(self.form.cleaned_data.get(name) or "") for name in self.form.fields}
        self.chosen["landing"] = str(self.landing.pk) if self.landing else ""
        self.chosen["sort"] = self.chosen["sort"] or "longest"
        self.warnings = [
            f"{LABELS[name]}: {' '.join(map(str, errors))} It was ignored." for name, errors in self.form.errors.items()
        ]
        known = {*self.form.fields, "page"}
        self.warnings += [f"There is no filter “{name[:40]}”. It was ignored." for name in self.query if name not in known]
        if len(self.words) > MOST_WORDS:
            self.warnings.append(f"Only the first {MOST_WORDS} words are searched for.")
        self.form = self._form(None, initial=self.chosen)  # it shows what was used

    @property
    def words(self) -> list[str]:
        return self.chosen["q"].split()

    @property
    def active(self) -> bool:
        return any(self.chosen[name] for name in ("state", "format", "since", "q", "change", "landing"))

    @cached_property
    def differences(self) -> list[Difference]:
        """Of each of the competitor's addresses that has two complete readings."""
        urls = CompetitorAdLibrary.objects.filter(competitor=self.competitor).values_list("url", flat=True)
        return differences(self.competitor, urls)

    def changed(self, change: str) -> set[str]:
        """Ids of the ads that are new or have vanished."""
        return {ad for one in self.differences for ad in (one.new if change == "new" else one.vanished)}

    def ads(self) -> "QuerySet[CompetitorAd]":
        found = CompetitorAd.objects.filter(competitor=self.competitor)
        chosen = self.chosen
        if chosen["state"]:
            found = found.filter(status=chosen["state"])
        if chosen["format"]:
            found = found.filter(display_format=chosen["format"])
        if chosen["since"]:
            found = found.filter(last_seen_at__date__gte=chosen["since"])
        if chosen["landing"]:
            found = found.filter(landing_page=self.landing)
        if chosen["change"]:
            found = found.filter(ad_archive_id__in=self.changed(chosen["change"]))
        for word in self.words[:MOST_WORDS]:
            found = found.filter(search_text__alike=word)
        return found.order_by(SORTS[chosen["sort"]][1], "ad_archive_id")

    def tabs(self) -> list[dict[str, Any]]:
        """All ads, and what is new and has vanished since the last reading."""
        shown = [("", "All", None)] + [(name, label, len(self.changed(name))) for name, label in CHANGES.items()]
        return [
            {"label": label, "count": count, "url": self.url(change=name), "current": self.chosen["change"] == name}
            for name, label, count in shown
        ]

    def url(self, **changes: Any) -> str:
        """The query string with these changes. The page number is dropped, because the pages change too."""
        query = QueryDict(mutable=True)
        for name, value in (self.chosen | changes).items():
            if value and not (name == "sort" and value == "longest"):
                query[name] = str(value)
        return f"?{query.urlencode()}"

    def _form(self, data: QueryDict | None, **options: Any) -> AdFilterForm:
        form = AdFilterForm(data, **options)
        form.fields["landing"].queryset = LandingPage.objects.filter(competitor=self.competitor)  # type: ignore[attr-defined]
        form.fields["format"].choices = [("", "Any"), *((name, f"{name} ({count})") for name, count in self._formats)]  # type: ignore[attr-defined]
        return form

    @cached_property
    def _formats(self) -> list[tuple[str, int]]:
        rows = CompetitorAd.objects.filter(competitor=self.competitor).exclude(display_format="").order_by("display_format")
        return list(rows.values("display_format").annotate(ads=Count("pk")).values_list("display_format", "ads"))
