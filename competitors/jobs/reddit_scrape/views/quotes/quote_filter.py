"""Which quotes of a brand the address of their list asks for, in which order."""

from functools import cached_property
from typing import Any, ClassVar

from django import forms
from django.core.paginator import Page
from django.db.models import Count, Exists, F, OuterRef, Prefetch, QuerySet
from django.db.models.functions import Coalesce
from django.http import QueryDict

from competitors.models import LeftAt, Persona, PersonaQuote, RedditFinding, RedditQuote, RedditResearch
from competitors.views.list_filter import WRONG_CHOICE, ListFilter, WordsField
from pipeline.models import Brand

PAGE_SIZE = 25
_WRITTEN = Coalesce("comment__created_at", "post__created_at")
SORTS = {
    "signal": ("Highest signal", F("signal").desc(nulls_last=True)),
    "newest": ("Newest", _WRITTEN.desc(nulls_last=True)),
}


class QuoteFilterForm(forms.Form):
    """Bound to the address's query string."""

    q = WordsField(label="Words in the quote")
    research = forms.ModelChoiceField(
        RedditResearch.objects.none(),
        required=False,
        empty_label="All",
        error_messages={"invalid_choice": "There is no such research."},
    )
    sort = forms.ChoiceField(
        required=False, label="Order", choices=[(name, label) for name, (label, _) in SORTS.items()], error_messages=WRONG_CHOICE
    )
    category = forms.ChoiceField(
        required=False,
        choices=[("", "All"), *RedditQuote.Category.choices],
        widget=forms.HiddenInput,
        error_messages=WRONG_CHOICE,
    )


class QuoteFilter(ListFilter):
    """Of all quotes of a brand, or of those of one of its personas."""

    form_class = QuoteFilterForm
    labels: ClassVar = {"research": "Research", "category": "Category", "q": "Words"}
    usual_sort = "signal"

    def __init__(self, brand: Brand, query: QueryDict, persona: Persona | None = None):
        self.brand, self.persona = brand, persona
        super().__init__(query)

    def build_form(self, data: QueryDict | None, **options: Any) -> forms.Form:
        form = super().build_form(data, auto_id="filter_%s", **options)
        form.fields["research"].queryset = RedditResearch.objects.filter(brand=self.brand)  # type: ignore[attr-defined]
        return form

    def quotes(self) -> "QuerySet[RedditQuote]":
        """Those of the chosen category, in the chosen order. Unknown values come last."""
        found = self._of_any_category()
        if self.chosen["category"]:
            found = found.filter(category=self.chosen["category"])
        return found.order_by(SORTS[self.chosen["sort"]][1], "-pk")

    @cached_property
    def page(self) -> "Page[RedditQuote]":
        """With post, comment and personas."""
        personas = Prefetch("personas", PersonaQuote.objects.select_related("persona"))
        return self.sheet(with_sources(self.quotes()).prefetch_related(personas), PAGE_SIZE, count=self._counts[self._category])

    @property
    def tabs(self) -> list[dict[str, Any]]:
        """All quotes, and those of each category."""
        return [
            {"label": label, "count": self._counts[name], "url": self.url(category=name), "current": self._category == name}
            for name, label in [("", "All"), *RedditQuote.Category.choices]
        ]

    @property
    def sorts(self) -> list[dict[str, Any]]:
        return [
            {"label": label, "url": self.url(sort=name), "current": name == self.chosen["sort"]}
            for name, (label, _) in SORTS.items()
        ]

    @property
    def _category(self) -> str:
        return self.chosen["category"]

    @cached_property
    def _counts(self) -> dict[str, int]:
        """'' for all, then by category. One query, which also saves the paginator its count."""
        found = dict(self._of_any_category().order_by().values_list("category").annotate(count=Count("pk")))
        return {"": sum(found.values())} | {one.value: found.get(one.value, 0) for one in RedditQuote.Category}

    def _of_any_category(self) -> "QuerySet[RedditQuote]":
        found = RedditQuote.objects.filter(post__brand=self.brand)
        if self.persona:
            found = found.filter(Exists(PersonaQuote.objects.filter(persona=self.persona, quote=OuterRef("pk"))))
        if research := self._found.get("research"):
            kept = RedditFinding.objects.filter(post=OuterRef("post"), subject=research.subject, left_at=LeftAt.KEPT)
            found = found.filter(Exists(kept))
        return self.with_words(found)


def with_sources(quotes: "QuerySet[RedditQuote]") -> "QuerySet[RedditQuote]":
    """With the post and the comment that they are from, without the long texts of these."""
    return quotes.select_related("post", "comment").defer("post__body", "post__search_text", "post__why", "comment__body")
