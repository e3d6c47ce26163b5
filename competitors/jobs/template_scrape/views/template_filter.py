"""Which candidates the address of a tab asks for, in which order."""

from typing import Any, ClassVar

from django import forms
from django.db.models import F, QuerySet
from django.http import QueryDict

from competitors.models import Media, TemplateCandidate, TemplateCategory, TemplateNiche
from competitors.views.list_filter import WRONG_CHOICE, ListFilter, RunField, WordsField

PENDING_SORTS = {
    "longest": ("Longest running", F("library_ad__started_on").asc(nulls_last=True)),
    "place": ("Best place", F("library_ad__best_position").asc(nulls_last=True)),
    "newest": ("Newest", F("pk").desc()),
}
SORTS = {
    "newest": ("Decided last", F("reviewed_at").desc()),
    "name": ("Name", F("name").asc()),
    "longest": PENDING_SORTS["longest"],
}


def _choice(label: str, choices: Any = (), **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(required=False, label=label, choices=choices, error_messages=WRONG_CHOICE, **options)


class PendingForm(forms.Form):
    """Bound to the address's query string. `open` is the candidate on the desk."""

    sort = _choice("Order", [(name, label) for name, (label, _) in PENDING_SORTS.items()])
    kind = _choice("Kind", [("", "Any"), *Media.Kind.choices])
    run = RunField()
    open = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)


class PendingFilter(ListFilter):
    form_class = PendingForm
    labels: ClassVar = {"kind": "Kind", "run": "Found by run"}
    usual_sort = "longest"

    def __init__(self, query: QueryDict):
        super().__init__(query)
        self.open = int(self.chosen.pop("open") or 0)

    def sorts(self) -> list[dict[str, Any]]:
        return [
            {"label": label, "url": self.url(sort=name), "current": name == self.chosen["sort"]}
            for name, (label, _) in PENDING_SORTS.items()
        ]

    def rows(self) -> "QuerySet[TemplateCandidate]":
        found = of_status(TemplateCandidate.Status.PENDING)
        if self.chosen["kind"]:
            found = found.filter(media__kind=self.chosen["kind"])
        if self.chosen["run"]:
            found = found.filter(found_by=int(self.chosen["run"]))
        return found.order_by(PENDING_SORTS[self.chosen["sort"]][1], "-pk")


LEVELS = [(str(level), label) for level, label in TemplateCandidate.Awareness.choices]


class LibraryForm(forms.Form):
    q = WordsField(label="Words in name, ad or link")
    category = _choice("Category")
    niche = _choice("Niche")
    target_sex = _choice("Made for", [("", "Any"), *TemplateCandidate.Sex.choices])
    awareness = _choice("Awareness", [("", "Any"), *LEVELS])
    kind = _choice("Kind", [("", "Any"), *Media.Kind.choices])
    sort = _choice("Order", [(name, label) for name, (label, _) in SORTS.items()])


class LibraryFilter(ListFilter):
    """Of one status: the library of approved ones, and what was rejected or archived."""

    form_class = LibraryForm
    labels: ClassVar = {
        "q": "Words",
        "category": "Category",
        "niche": "Niche",
        "target_sex": "Made for",
        "awareness": "Awareness",
        "kind": "Kind",
    }
    usual_sort = "newest"

    def __init__(self, status: str, query: QueryDict):
        self.status = status
        # Read once for both forms.
        self._filed_under = {"category": _names(TemplateCategory), "niche": _names(TemplateNiche)}
        super().__init__(query)

    def build_form(self, data: QueryDict | None, **options: Any) -> forms.Form:
        form = super().build_form(data, **options)
        for name, choices in self._filed_under.items():
            form.fields[name].choices = [("", "Any"), *choices]  # type: ignore[attr-defined]
        return form

    def rows(self) -> "QuerySet[TemplateCandidate]":
        found, chosen = of_status(self.status), self.chosen
        names = ("category", "niche", "target_sex", "awareness", "kind")
        asked = {"media__kind" if name == "kind" else name: chosen[name] for name in names if chosen[name]}
        found = self.with_words(found.filter(**asked), "name", "library_ad__search_text")
        return found.order_by(SORTS[chosen["sort"]][1], "-pk")


def of_status(status: str) -> "QuerySet[TemplateCandidate]":
    """With all that a card shows."""
    rows = TemplateCandidate.objects.filter(status=status)
    return rows.select_related("library_ad", "media", "category", "niche", "reviewed_by")


def _names(model: type[TemplateCategory] | type[TemplateNiche]) -> list[tuple[str, str]]:
    return [(str(pk), name) for pk, name in model.objects.values_list("pk", "name")]
