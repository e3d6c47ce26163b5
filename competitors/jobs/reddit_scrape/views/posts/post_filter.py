"""Which posts of a research the address of their list asks for, in which order."""

from typing import Any, ClassVar

from django import forms
from django.db.models import Count, F, QuerySet
from django.http import QueryDict

from competitors.models import LeftAt, RedditFinding, RedditResearch
from competitors.views.list_filter import WRONG_CHOICE, ListFilter, RunField, WordsField

SORTS = {
    "signal": ("Signal", "signal"),
    "relevance": ("Relevance", "relevance"),
    "newest": ("Newest", "post__created_at"),
    "upvotes": ("Upvotes", "post__score"),
    "comments": ("Comments", "post__num_comments"),
}


class PostFilterForm(forms.Form):
    """Bound to the address's query string."""

    q = WordsField(label="Words in title or text")
    sort = forms.ChoiceField(
        required=False, label="Order", choices=[(name, label) for name, (label, _) in SORTS.items()], error_messages=WRONG_CHOICE
    )
    run = RunField()
    left_at = forms.ChoiceField(
        required=False, choices=[("", "All"), *LeftAt.choices], widget=forms.HiddenInput, error_messages=WRONG_CHOICE
    )


class PostFilter(ListFilter):
    form_class = PostFilterForm
    labels: ClassVar = {"left_at": "Result", "q": "Words", "run": RunField.LABEL}
    usual_sort = "signal"

    def __init__(self, research: RedditResearch, query: QueryDict):
        self.research = research
        super().__init__(query)

    def build_form(self, data: QueryDict | None, **options: Any) -> forms.Form:
        return super().build_form(data, auto_id="filter_%s", **options)

    def findings(self) -> "QuerySet[RedditFinding]":
        """Those of the chosen result, in the chosen order. Unknown values come last."""
        found = self._of_any_result()
        if self.chosen["left_at"]:
            found = found.filter(left_at=self.chosen["left_at"])
        return found.order_by(F(SORTS[self.chosen["sort"]][1]).desc(nulls_last=True), "-pk")

    def counts(self) -> dict[str, int]:
        """'' for all, then by result. One query, which also saves the paginator its count."""
        found = dict(self._of_any_result().order_by().values_list("left_at").annotate(count=Count("pk")))
        return {"": sum(found.values())} | {one.value: found.get(one.value, 0) for one in LeftAt}

    def tabs(self, counts: dict[str, int]) -> list[dict[str, Any]]:
        """All posts, and those of each result that has any. Kept ones come first."""
        labels = {"": "All", LeftAt.KEPT.value: LeftAt.KEPT.label} | dict(LeftAt.choices)
        chosen = self.chosen["left_at"]
        return [
            {"label": label, "count": counts[name], "url": self.url(left_at=name), "current": chosen == name}
            for name, label in labels.items()
            if counts[name] or name in ("", LeftAt.KEPT, chosen)
        ]

    def _of_any_result(self) -> "QuerySet[RedditFinding]":
        found = RedditFinding.objects.filter(subject=self.research.subject, post__brand=self.research.brand_id)
        if self.chosen["run"]:
            found = found.filter(post__first_run=int(self.chosen["run"]))
        return self.with_words(found, "post__search_text")
