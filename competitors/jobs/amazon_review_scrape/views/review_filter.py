"""What the address of the reviews list asks for: which reviews, in which order.

A wrong value is ignored and named in `warnings`. It never hides the list.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.db.models import Count, F, QuerySet
from django.http import QueryDict

from competitors.models import AmazonReview, CompetitorAmazonUrl

MOST_WORDS = 10
SORTS = {"date": "review_date", "rating": "rating", "helpful": "helpful_votes", "seen": "first_seen_at"}
STARS = {str(stars): f"{stars} star{'s' if stars > 1 else ''}" for stars in range(5, 0, -1)} | {"none": "No stars known"}
_WRONG = {"invalid_choice": "“%(value)s” is not one of the choices."}
FILTERS = {"stars": "Stars", "verified": "Purchase", "q": "Words", "run": "New in run"}
VERIFIED = {"yes": "Verified purchases", "no": "Not verified"}


class ReviewFilterForm(forms.Form):
    """Bound to the address's query string."""

    stars = forms.ChoiceField(required=False, choices=[("", "Any"), *STARS.items()], error_messages=_WRONG)
    verified = forms.ChoiceField(
        required=False, label="Purchase", choices=[("", "Any"), *VERIFIED.items()], error_messages=_WRONG
    )
    q = forms.CharField(
        required=False, max_length=200, label="Words in title, text or author", widget=forms.TextInput(attrs={"type": "search"})
    )
    run = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=2**63 - 1,
        widget=forms.HiddenInput,
        error_messages={"invalid": "It is not the number of a run."},
    )
    sort = forms.ChoiceField(
        required=False,
        choices=[(sign + name, name) for name in SORTS for sign in ("", "-")],
        widget=forms.HiddenInput,
        error_messages=_WRONG,
    )


@dataclass(frozen=True)
class Chip:
    """An active filter, and the query string without it."""

    label: str
    value: str
    without: str


@dataclass
class ReviewFilter:
    """What the address asks of one listing's reviews."""

    listing: CompetitorAmazonUrl
    query: QueryDict
    form: ReviewFilterForm = field(init=False)
    chosen: dict[str, str] = field(init=False)
    warnings: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.form = ReviewFilterForm(self.query)
        self.form.is_valid()
        self.chosen = {name: str(self.form.cleaned_data.get(name) or "") for name in self.form.fields}
        self.chosen["sort"] = self.chosen["sort"] or "-date"
        self.warnings = [
            f"{self._label(name)}: {' '.join(map(str, errors))} It was ignored." for name, errors in self.form.errors.items()
        ]
        known = {*self.form.fields, "page"}
        self.warnings += [f"There is no filter “{name[:40]}”. It was ignored." for name in self.query if name not in known]
        if len(self.words) > MOST_WORDS:
            self.warnings.append(f"Only the first {MOST_WORDS} words are searched for.")
        # The form shows what was used.
        self.form = ReviewFilterForm(initial=self.chosen)

    @property
    def words(self) -> list[str]:
        return self.chosen["q"].split()

    @property
    def active(self) -> bool:
        return any(self.chosen[name] for name in FILTERS)

    def without_stars(self) -> "QuerySet[AmazonReview]":
        """With all filters except the stars. The star tabs count these."""
        found = self.listing.reviews()
        if self.chosen["verified"]:
            found = found.filter(verified_purchase=self.chosen["verified"] == "yes")
        if self.chosen["run"]:
            found = found.filter(first_run=int(self.chosen["run"]))
        for word in self.words[:MOST_WORDS]:
            found = found.filter(search_text__alike=word)
        return found

    def reviews(self) -> "QuerySet[AmazonReview]":
        """The filtered reviews in the chosen order. Unknown values come last in both directions."""
        found = self.without_stars()
        stars = self.chosen["stars"]
        if stars:
            found = found.filter(rating=None) if stars == "none" else found.filter(rating=int(stars))
        column = F(SORTS[self.chosen["sort"].lstrip("-")])
        descending = self.chosen["sort"].startswith("-")
        order = column.desc(nulls_last=True) if descending else column.asc(nulls_last=True)
        return found.order_by(order, "review_id")

    def star_counts(self) -> dict[str, int]:
        """'' for all, then by stars. One query, which also saves the paginator its count."""
        counted = {row["rating"]: row["n"] for row in self.without_stars().order_by().values("rating").annotate(n=Count("pk"))}
        return {"": sum(counted.values())} | {stars: counted.get(None if stars == "none" else int(stars), 0) for stars in STARS}

    def chips(self) -> list[Chip]:
        words = {"stars": STARS, "verified": VERIFIED}
        return [
            Chip(self._label(name), words.get(name, {}).get(self.chosen[name], self.chosen[name]), self.url(**{name: ""}))
            for name in FILTERS
            if self.chosen[name]
        ]

    def star_tabs(self, counts: dict[str, int]) -> list[dict[str, Any]]:
        """A link for each number of stars, and one for reviews without stars if there are any."""
        chosen = self.chosen["stars"]
        return [
            {"label": STARS.get(stars, "All"), "count": count, "url": self.url(stars=stars), "current": chosen == stars}
            for stars, count in counts.items()
            if stars != "none" or count or chosen == "none"
        ]

    def headers(self, labels: dict[str, str]) -> list[dict[str, str]]:
        """Column headers that sort. The first click shows the most: newest, best, most helpful."""
        descending, by = self.chosen["sort"].startswith("-"), self.chosen["sort"].lstrip("-")
        return [
            {
                "label": label,
                "sorted": ("descending" if descending else "ascending") if name == by else "",
                "url": self.url(sort=name if name == by and descending else f"-{name}"),
            }
            for name, label in labels.items()
        ]

    def url(self, **changes: Any) -> str:
        """The query string with these changes. The page number is dropped, because the pages change too."""
        query = QueryDict(mutable=True)
        for name, value in (self.chosen | changes).items():
            if value and not (name == "sort" and value == "-date"):
                query[name] = str(value)
        return f"?{query.urlencode()}"

    def _label(self, name: str) -> str:
        return FILTERS.get(name, "Order")

    def amazon_page(self, review_id: str) -> str:
        """The review's own page on Amazon; '' if the id does not look like one of Amazon's."""
        if not re.fullmatch(r"R[A-Z0-9]{5,30}", review_id):
            return ""
        return f"https://www.amazon.{self.listing.domain_code}/gp/customer-reviews/{review_id}"
