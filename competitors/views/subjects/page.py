"""What a job type says about its page; views.py builds the page from it.

A subject here is a row of a model: it has a `brand`, and `url()` leads to its row (`…#<noun>-<anchor>`).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Generic, TypeVar

from django.db.models import Model, QuerySet

from pipeline.contract import Estimate, get_type
from pipeline.models import Run
from pipeline.queries import GoodRun
from pipeline.words import plural

R = TypeVar("R", bound=Model)


@dataclass(frozen=True)
class Cell:
    """A figure in one of the page's own columns. `of`: what only a screen reader needs to hear after it."""

    text: str
    below: str = ""
    url: str = ""
    of: str = ""


class SubjectPage(ABC, Generic[R]):
    """Base of a page with a row per subject. A subclass says what is scraped, how it is found, and what is shown of it."""

    job_type: ClassVar[str]
    url_name: ClassVar[str]  # "amazon" names the addresses "amazon", "amazon_live", "amazon_scrape" …
    tab: ClassVar[str]  # "Amazon": what the page is called among the tabs of its place
    templates: ClassVar[str]  # the folder of page.html, _summary.html, _facts.html and _links.html
    may_view: ClassVar[str]  # permissions
    may_scrape: ClassVar[str]
    work: ClassVar[str]  # "Review scrape": what a run is called
    verb: ClassVar[str]  # "Scrape reviews"
    noun: ClassVar[str]  # "listing": what a subject is called
    act: ClassVar[str] = "Scrape"  # the word on the buttons, also as a noun
    acted: ClassVar[str] = "scraped"
    costs: ClassVar[bool] = True  # whether its runs are paid: a free one has no column and no forecast of its cost
    key_kind: ClassVar[str] = "uuid"  # how addresses write a row's primary key
    covers_all: ClassVar[bool] = False  # whether a run without a subject is of all the brand's subjects
    columns: ClassVar[Sequence[str]] = ()  # titles of the columns between State and Last run; the first says how many rows it has

    # ---- every page says ---------------------------------------------------------------------------------------------
    @abstractmethod
    def place(self, address: Mapping[str, Any]) -> dict[str, Any]:
        """The objects that the address names, as the templates call them; among them `brand`. Raises Http404."""

    @abstractmethod
    def rows(self, place: Mapping[str, Any]) -> QuerySet[R]:
        """The subjects at that place, in the page's order."""

    @abstractmethod
    def parameters(self, row: R) -> dict[str, Any]:
        """The job type's parameters that name the subject. Those left out are the options beside the button."""

    # ---- a page may say ----------------------------------------------------------------------------------------------
    def estimate(self, row: R, parameters: Mapping[str, Any], good_runs: Sequence[GoodRun], price: Decimal) -> Estimate | None:
        """Cost and time of a scrape with these options. `good_runs`: the row's last, newest first; `price`: USD of an item."""
        return None

    def asks(self, parameters: Mapping[str, Any]) -> str:
        """What one with these options asks for, beside the button's word: "(20 videos, 40 images)". They may be unchecked."""
        return ""

    def cells(self, row: R, facts: Any, user: Any) -> Sequence[Cell]:
        """What stands in `columns` for this row."""
        return ()

    def brought_url(self, row: R, run: Run) -> str:
        """Where the rows that this run brought as new are listed, for those who may open the first of `cells`; '' if nowhere."""
        return ""

    def reuse_key(self, row: R) -> str:
        """What its order is equal in to orders of the same data by other subjects; '' if it shares no data."""
        return ""

    def closed(self, place: Mapping[str, Any]) -> str:
        """Why nothing new may start at that place; '' while it may. Without a method of its own: its competitor is archived."""
        owner = place.get("competitor") or place["brand"]
        return str(owner.closed) if owner else ""

    def facts(self, rows: Sequence[R]) -> dict[str, Any]:
        """By key, what _facts.html and _links.html show of a row as `panel.facts`. Read for all rows at once."""
        return {}

    def more(self, place: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
        """Further context for page.html. `place` has the address's query too, as `asked`."""
        return {}

    def nothing_yet(self, facts: Any) -> tuple[str, str]:
        """What a row without runs says when it is unfolded: a short sentence, and what to do."""
        return "No runs yet.", "Press Scrape. You can close this page meanwhile; the run shows up here."

    def label(self, row: R) -> str:
        return str(row)

    def url(self, row: R) -> str:
        """Where the row stands; to go back to, after what was done with it. For a model with rows on several pages."""
        return str(row.get_absolute_url())  # type: ignore[attr-defined]

    def below(self, row: R) -> str:
        """The small line below the name."""
        return ""

    def anchor(self, row: R) -> str:
        """The suffix of the ids in the row's HTML; no two rows of a page may have the same."""
        return self.key(row)

    def about(self, row: R) -> str:
        """What the row stands for now, as the job type's Subject says: history goes by it."""
        return ""

    # ---- the same for all --------------------------------------------------------------------------------------------
    def key(self, row: R) -> str:
        """The subject's key, as runs and freshness have it."""
        return str(row.pk)

    @property
    def nouns(self) -> str:
        return plural(self.noun)

    @property
    def span(self) -> int:
        """How many columns the table has."""
        return 5 + self.costs + len(self.columns)

    def defaults(self, row: R) -> dict[str, Any]:
        """The parameters, with the options at their defaults."""
        fields = get_type(self.job_type).Params.base_fields
        return {name: fields[name].initial for name in self.options(row)} | self.parameters(row)

    def address(self, place: Mapping[str, Any]) -> dict[str, Any]:
        """What its addresses have of the place: a brand by its slug, anything else by its key."""
        return {name: getattr(one, "slug", one.pk) for name, one in place.items()}

    @property
    def legacy_key(self) -> str:
        """Session: scrape on the web server."""
        return f"{self.url_name}_legacy"

    def options(self, row: R) -> list[str]:
        """Names of the parameters that a person may choose."""
        given = self.parameters(row)
        return [name for name in get_type(self.job_type).Params.base_fields if name not in given]
