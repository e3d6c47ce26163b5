"""What the address of a list asks for: which rows, in which order.

A wrong value is ignored and named in `warnings`. It never hides the list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, ClassVar

from django import forms
from django.core.paginator import Page, Paginator
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict

from pipeline.contract.site import search_index
from pipeline.models.fields import FoldedTextField
from pipeline.words.search import folded

MOST_WORDS = 10
FEW = 5_000  # rows whose texts are read as quickly as the index
WRONG_CHOICE = {"invalid_choice": "“%(value)s” is not one of the choices."}


@dataclass(frozen=True)
class Chip:
    """An active filter, and the query string without it."""

    label: str
    value: str
    without: str


class WordsField(forms.CharField):
    """Words to search for, each of which has to be there."""

    def __init__(self, *, label: str):
        super().__init__(required=False, max_length=200, label=label, widget=forms.TextInput(attrs={"type": "search"}))


class RunField(forms.IntegerField):
    """The number of the run that brought the rows. Pages of runs lead to a list with it."""

    LABEL = "New in run"

    def __init__(self) -> None:
        wrong = {"invalid": "It is not the number of a run."}
        super().__init__(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput, error_messages=wrong)


class DeepPaginator(Paginator):
    """Of a queryset whose order leaves no two rows equal. Keys alone are sorted; whole rows are read for the page only.

    A page of the second half is read from the other end: the database keeps only the rows up to the page while it sorts.
    """

    object_list: Any

    def page(self, number: Any) -> Page[Any]:
        found: Any = super().page(number)
        first = (found.number - 1) * self.per_page
        last = min(first + self.per_page, self.count)
        keys = self.object_list.values("pk")
        near = first <= self.count - last
        keys = keys[first:last] if near else keys.reverse()[self.count - last : self.count - first]
        found.object_list = self.object_list.filter(pk__in=keys)
        return found


def searched(text: str) -> tuple[list[str], list[str]]:
    """Its different words, folded, without those that another word contains. The second list: single letters and digits of ASCII,
    which nearly every row has. In other scripts one sign can be a word."""
    different = list(dict.fromkeys(folded(text).split()))
    short = [word for word in different if len(word) == 1 and word.isascii()]
    long = [word for word in different if word not in short]
    return [word for word in long if not any(word in other for other in long if other != word)], short


class ListFilter:
    """Base of every list's filter. The form has a field `sort`; words to search for are in its field `q`."""

    form_class: ClassVar[type[forms.Form]]
    labels: ClassVar[Mapping[str, str]]  # of the filters, in the order of their chips
    usual_sort: ClassVar[str]

    def __init__(self, query: QueryDict):
        self._found_by_index: tuple[list[Any] | None] | None = None  # once per page
        asked = self.build_form(query)
        asked.is_valid()
        self._found = asked.cleaned_data
        self.chosen = {name: self._as_text(self._found.get(name)) for name in asked.fields}
        self.chosen["sort"] = self.chosen["sort"] or self.usual_sort
        self.warnings = [
            f"{self._label(name)}: {' '.join(map(str, wrong))} It was ignored." for name, wrong in asked.errors.items()
        ]
        known = {*asked.fields, "page"}
        self.warnings += [f"There is no filter “{name[:40]}”. It was ignored." for name in query if name not in known]
        self.words, short = searched(self.chosen.get("q", ""))
        if short:
            self.warnings.append(f"Words of one letter are not searched for: {', '.join(short)}.")
        if len(self.words) > MOST_WORDS:
            self.warnings.append(f"Only the first {MOST_WORDS} words are searched for.")
            del self.words[MOST_WORDS:]
        self.form = self.build_form(None, initial=self.chosen)  # it shows what was used
        self._page = query.get("page")

    def build_form(self, data: QueryDict | None, **options: Any) -> forms.Form:
        return self.form_class(data, **options)

    @property
    def active(self) -> bool:
        return any(self.chosen[name] for name in self.labels)

    def with_words(self, rows: "QuerySet[Any]", *columns: str) -> "QuerySet[Any]":
        """Those of the rows that have every word, each in one of the columns; without columns in `search_text`.

        Of many rows, an index first finds those that may have them.
        """
        if self.words and len(columns) < 2:
            rows = self._that_may(rows, *columns or ("search_text",))
        for word in self.words:
            alike = [Q(**{f"{column}__alike": word}) for column in columns or ("search_text",)]
            rows = rows.filter(reduce(or_, alike))
        return rows

    def _that_may(self, rows: "QuerySet[Any]", column: str) -> "QuerySet[Any]":
        path, _, field = column.rpartition("__")
        model = rows.model._meta.get_field(path).related_model if path else rows.model
        if not isinstance(model._meta.get_field(field), FoldedTextField) or rows.order_by()[: FEW + 1].count() <= FEW:
            return rows
        if self._found_by_index is None:
            self._found_by_index = (search_index.may_have(model, self.words),)
        (keys,) = self._found_by_index
        return rows if keys is None else rows.filter(**{f"{path or 'pk'}__in": keys})

    def sheet(self, rows: "QuerySet[Any] | Sequence[Any]", size: int, *, count: int | None = None) -> "Page[Any]":
        """The page that was asked for; if there is none, the nearest, with a warning. `count` saves the query that counts."""
        pages = DeepPaginator(rows, size) if isinstance(rows, QuerySet) else Paginator(rows, size)
        if count is not None:
            pages.count = count
        try:
            number = int(self._page or 1)
        except ValueError:
            number = 0
        nearest = min(max(number, 1), pages.num_pages)
        if number != nearest:
            self.warnings.append(f"There is no page “{str(self._page)[:40]}”. This is page {nearest} of {pages.num_pages}.")
        return pages.page(nearest)

    def headers(self, labels: Mapping[str, str]) -> list[dict[str, str]]:
        """Column headers that sort, by the name of their order. The first click shows the most: newest, best, dearest."""
        descending, by = self.chosen["sort"].startswith("-"), self.chosen["sort"].lstrip("-")
        return [
            {
                "name": name,
                "label": label,
                "sorted": ("descending" if descending else "ascending") if name == by else "",
                "url": self.url(sort=name if name == by and descending else f"-{name}"),
            }
            for name, label in labels.items()
        ]

    def chips(self) -> list[Chip]:
        return [
            Chip(label, self._value(name), self.url(**{name: ""})) for name, label in self.labels.items() if self.chosen[name]
        ]

    @property
    def clear(self) -> str:
        """The query string without any filter, in the same order."""
        return self.url(**dict.fromkeys(self.labels, ""))

    def url(self, **changes: Any) -> str:
        """The query string with these changes. The page number is dropped, because the pages change too."""
        query = QueryDict(mutable=True)
        for name, value in (self.chosen | changes).items():
            if value and not (name == "sort" and value == self.usual_sort):
                query[name] = str(value)
        return f"?{query.urlencode()}"

    @property
    def page_link(self) -> str:
        """What `page=2` is written behind."""
        query = self.url()
        return f"{query}&" if len(query) > 1 else query

    def _label(self, name: str) -> str:
        return self.labels.get(name, "Order")

    def _as_text(self, value: Any) -> str:
        """As the address has it."""
        return str(value.pk if isinstance(value, Model) else value or "")

    def _value(self, name: str) -> str:
        """The chosen value as a person reads it."""
        if isinstance(self._found[name], Model):
            return str(self._found[name])
        choices: Any = getattr(self.form.fields[name], "choices", ())
        return str(dict(choices).get(self.chosen[name], self.chosen[name]))
