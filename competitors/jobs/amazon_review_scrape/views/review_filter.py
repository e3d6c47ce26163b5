"""Which reviews the address of their list asks for, in which order."""

import re
from typing import Any, ClassVar

from django import forms
from django.db.models import Count, F, QuerySet
from django.http import QueryDict

from competitors.models import AmazonReview, CompetitorAmazonUrl
from competitors.views.list_filter import WRONG_CHOICE, ListFilter, RunField, WordsField

SORTS = {"date": "review_date", "rating": "rating", "helpful": "helpful_votes", "seen": "first_seen_at"}
STARS = {str(stars): f"{stars} star{'s' if stars > 1 else ''}" for stars in range(5, 0, -1)} | {"none": "No stars known"}
VERIFIED = {"yes": "Verified purchases", "no": "Not verified"}


class ReviewFilterForm(forms.Form):
    """Bound to the address's query string."""

    stars = forms.ChoiceField(required=False, choices=[("", "Any"), *STARS.items()], error_messages=WRONG_CHOICE)
    verified = forms.ChoiceField(
        required=False, label="Purchase", choices=[("", "Any"), *VERIFIED.items()], error_messages=WRONG_CHOICE
    )
    q = WordsField(label="Words in title, text or author")
    run = RunField()
    sort = forms.ChoiceField(
        required=False,
        choices=[(sign + name, name) for name in SORTS for sign in ("", "-")],
        widget=forms.HiddenInput,
        error_messages=WRONG_CHOICE,
    )


class ReviewFilter(ListFilter):
    form_class = ReviewFilterForm
    labels: ClassVar = {"stars": "Stars", "verified": "Purchase", "q": "Words", "run": RunField.LABEL}
    usual_sort = "-date"

    def __init__(self, listing: CompetitorAmazonUrl, query: QueryDict):
        self.listing = listing
        super().__init__(query)

    def without_stars(self) -> "QuerySet[AmazonReview]":
        """With all filters except the stars. The star tabs count these."""
        found = self.listing.reviews()
        if self.chosen["verified"]:
            found = found.filter(verified_purchase=self.chosen["verified"] == "yes")
        if self.chosen["run"]:
            found = found.filter(first_run=int(self.chosen["run"]))
        return self.with_words(found)

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
        counted = {row["rating"]: row["n"] for row in self.without_stars().order_by().values("rating").annotate(n=Count("*"))}
        return {"": sum(counted.values())} | {stars: counted.get(None if stars == "none" else int(stars), 0) for stars in STARS}

    def star_tabs(self, counts: dict[str, int]) -> list[dict[str, Any]]:
        """A link for each number of stars, and one for reviews without stars if there are any."""
        chosen = self.chosen["stars"]
        return [
            {"label": STARS.get(stars, "All"), "count": count, "url": self.url(stars=stars), "current": chosen == stars}
            for stars, count in counts.items()
            if stars != "none" or count or chosen == "none"
        ]

    def amazon_page(self, review_id: str) -> str:
        """The review's own page on Amazon; '' if the id does not look like one of Amazon's."""
        if not re.fullmatch(r"R[A-Z0-9]{5,30}", review_id):
            return ""
        return f"https://www.amazon.{self.listing.domain_code}/gp/customer-reviews/{review_id}"
