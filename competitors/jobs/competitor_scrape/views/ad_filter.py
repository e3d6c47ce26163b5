"""Which of a competitor's ads the address of their list asks for, in which order."""

import re
from datetime import datetime, time
from functools import cached_property
from typing import Any, ClassVar

from django import forms
from django.db.models import Count, F, QuerySet
from django.http import QueryDict
from django.utils import timezone

from competitors.models import Competitor, CompetitorAd, CompetitorAdLibrary, LandingPage
from competitors.views.list_filter import WRONG_CHOICE, ListFilter, RunField, WordsField

from ..readings import Difference, differences

SORTS = {
    "longest": ("Longest running", F("started_on").asc(nulls_last=True)),
    "newest": ("Newest", F("started_on").desc(nulls_last=True)),
    "seen": ("Last seen", F("last_seen_at").desc()),
}
AD_ID = re.compile("[0-9]{10,40}")
CHANGES = {"new": "New", "vanished": "Vanished"}
_WRONG = WRONG_CHOICE | {"invalid": "This is no date like 2026-05-31."}


class AdFilterForm(forms.Form):
    """Bound to the address's query string."""

    q = WordsField(label="Words in page, title, text or link, or an ad’s id")
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
    run = RunField()
    change = forms.ChoiceField(
        required=False, choices=[("", "All"), *CHANGES.items()], widget=forms.HiddenInput, error_messages=_WRONG
    )


class AdFilter(ListFilter):
    form_class = AdFilterForm
    labels: ClassVar = {
        "state": "State",
        "format": "Format",
        "since": "Seen since",
        "q": "Words",
        "landing": "Landing page",
        "change": "Since the last reading",
        "run": RunField.LABEL,
    }
    usual_sort = "longest"

    def __init__(self, competitor: Competitor, query: QueryDict):
        self.competitor = competitor
        super().__init__(query)

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
            # Not __date: that would convert the time of every ad into the site's zone.
            found = found.filter(last_seen_at__gte=timezone.make_aware(datetime.combine(self._found["since"], time.min)))
        if chosen["landing"]:
            found = found.filter(landing_page=int(chosen["landing"]))
        if chosen["run"]:
            found = found.filter(first_run=int(chosen["run"]))
        if chosen["change"]:
            found = found.filter(ad_archive_id__in=self.changed(chosen["change"]))
        by_id = len(self.words) == 1 and AD_ID.fullmatch(self.words[0])
        found = found.filter(ad_archive_id=self.words[0]) if by_id else self.with_words(found)
        return found.order_by(SORTS[chosen["sort"]][1], "ad_archive_id")

    def tabs(self) -> list[dict[str, Any]]:
        """All ads, and what is new and has vanished since the last reading."""
        shown = [("", "All", None)] + [(name, label, len(self.changed(name))) for name, label in CHANGES.items()]
        return [
            {"label": label, "count": count, "url": self.url(change=name), "current": self.chosen["change"] == name}
            for name, label, count in shown
        ]

    def build_form(self, data: QueryDict | None, **options: Any) -> forms.Form:
        form = super().build_form(data, **options)
        form.fields["landing"].queryset = LandingPage.objects.filter(competitor=self.competitor)  # type: ignore[attr-defined]
        form.fields["format"].choices = [("", "Any"), *((name, f"{name} ({count})") for name, count in self._formats)]  # type: ignore[attr-defined]
        return form

    @cached_property
    def _formats(self) -> list[tuple[str, int]]:
        rows = CompetitorAd.objects.filter(competitor=self.competitor).exclude(display_format="").order_by("display_format")
        return list(rows.values("display_format").annotate(ads=Count("pk")).values_list("display_format", "ads"))
