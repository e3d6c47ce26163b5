"""What a job type is made of, and what its methods answer."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet

from ..models import Brand, Run
from ..words.foreign import storable
from .context import Context
from .errors import InvalidRequest
from .parameters import ParameterForm

LONGEST_KEY = 180  # characters of a subject's key


@dataclass(frozen=True)
class Subject:
    """What a run is about, within its brand. The engine compares and stores key and `about`, and does not interpret them.

    Key and `about` have at most LONGEST_KEY characters; InvalidRequest refuses others.
    A key may be another subject's key, a blank and more: it belongs to that one, and its work ends with that one's.
    `about`: what the subject stands for now, if that can change under the same key, such as a row's product. History goes by it.
    `closed`: a sentence that says why nothing new may start for it, such as that it is archived.
    `parameters`: of a run of it, as `subjects_of` gives them: those that name it. All others have their defaults.
    """

    key: str = ""
    label: str = ""
    url: str = ""
    about: str = ""
    closed: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        for value in (self.key, self.about):
            if len(value) > LONGEST_KEY or storable(value) != value:  # two of them could become one in the database
                raise InvalidRequest(f"What this is about cannot be stored as a key of {LONGEST_KEY} characters: {value[:50]!r}…")


@dataclass(frozen=True)
class Estimate:
    """What a run is expected to cost and take, and its highest cost."""

    cost_usd: Decimal
    cap_usd: Decimal
    seconds: int

    @property
    def minutes(self) -> int:
        return max(round(self.seconds / 60), 1)

    def __str__(self) -> str:
        """'About 9 minutes, ≈ $0.93. Never more than $2.79.'"""
        return (
            f"About {self.minutes} minute{'' if self.minutes == 1 else 's'}, ≈ ${self.cost_usd:,.2f}."
            f" Never more than ${self.cap_usd:,.2f}."
        )


@dataclass(frozen=True)
class Done:
    """A handler's answer. `records` is shown beside the data's freshness.

    Any verdict other than 'ok' leaves the clock unchanged.
    """

    counts: dict[str, int] = field(default_factory=dict)
    records: int = 0
    summary: str = ""
    verdict: str = "ok"
    reason: str = ""


@dataclass(frozen=True)
class Brought:
    """The first rows that a run brought, each a name, a text and its day. `url`: a page with all of them, which needs
    `permission`. `words`: what it shows, if that is not each new row."""

    SHOWN: ClassVar[int] = 3  # rows

    url: str
    permission: str
    rows: Sequence[tuple[str, str, date | None]] = ()
    words: str = ""


class JobType(ABC):
    """Base of every job type. A subclass says what the work is, the decorator registry.job_type what it is called."""

    name: ClassVar[str]
    label: ClassVar[str]
    emoji: ClassVar[str]
    datasets: ClassVar[dict[str, str]]  # key -> label
    own_clocks: ClassVar[frozenset[str]] = frozenset()  # datasets whose freshness only ctx.dataset() moves, not the run's end
    source: ClassVar[str]  # the upstream that it uses, '' for none
    row: ClassVar[str] = "row"  # what one of its rows is called: "review"
    actor: ClassVar[str]  # what it pays there, '' if that has no price per item
    max_age: ClassVar[timedelta]  # how old its data may be and still count as fresh
    reuse_within: ClassVar[timedelta]  # how old another run's data may be to be used instead of paying; 0: not once it is done
    version: ClassVar[int]  # of the code that records steps
    permission: ClassVar[str]  # the right to start this type alone; '' for none
    max_runtime: ClassVar[timedelta] = timedelta(minutes=30)  # of one attempt; waiting upstream does not count
    labels: ClassVar[tuple[str, ...]] = ()  # parameters that only name something: they change nothing about the work
    platform: ClassVar[bool] = False  # its runs are of no single brand
    internal: ClassVar[bool] = False  # the product's own work, such as sending a message: nobody schedules it or picks it
    personal: ClassVar[bool] = False  # its runs change nothing: each is for the person who asked, who needs no right to start it
    Params: type[ParameterForm]

    def options(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters that change what is fetched; one that a run lacks has its default. Equal ones make runs comparable."""
        fields = self.Params.base_fields
        return {name: parameters.get(name, field.initial) for name, field in fields.items() if name not in self.labels}

    def subject(self, brand: Brand | None, params: dict[str, Any]) -> Subject:
        """What these parameters are about. One run per (type, brand, subject) can be live."""
        return Subject()

    def subjects(self, brand: Brand | None) -> list[Subject]:
        """Those of one brand. A type defines `subjects_of`."""
        return [subject for _, subject in self.subjects_of([brand])]

    def subjects_of(self, brands: Iterable[Brand | None]) -> Iterator[tuple[UUID | None, Subject]]:
        """All subjects of these brands that are not archived, scraped or not, each with its brand's id; None is the platform.

        Freshness is counted over these. Rows are read in one query for all brands. A type whose subjects are rows defines
        `subject_rows` and `subject_of_row` instead.
        """
        ids, rows = [brand.pk for brand in brands if brand], self.subject_rows()
        if rows is None:
            yield from ((pk, Subject()) for pk in ids if not self.internal)
        else:
            yield from ((row.of_brand, self.subject_of_row(row)) for row in rows.filter(of_brand__in=ids))

    def subject_of_row(self, row: Any) -> Subject:
        """The subject behind one of the `subject_rows`."""
        raise NotImplementedError

    def subject_rows(self) -> QuerySet[Any] | None:
        """The rows of all brands that are subjects, with `of_brand` and `subject_key`: Health counts thousands.

        None: `subjects_of` makes each. It always answers with the same query, which is composed once.
        """
        return None

    def refreshes(self, parameters: Mapping[str, Any]) -> bool:
        """Whether a run with these parameters says how fresh its subject's data is. If not, no clock notices it."""
        return True

    def estimate(self, brand: Brand | None, params: dict[str, Any]) -> Estimate | None:
        """Cost and time of a run with these parameters; None where nothing is paid."""
        return None

    def contains(self, theirs: dict[str, Any], asked: dict[str, Any]) -> bool:
        """Whether a run with the parameters `theirs` fetches all that one with `asked` would. Both orders have one reuse key."""
        return theirs == asked

    def usual_price(self) -> Decimal | None:
        """USD of one item of its actor: what counts until the upstream tells a price."""
        return None

    @abstractmethod
    def run(self, ctx: Context, params: dict[str, Any]) -> Done:
        """Do the work. May be called again after a crash or failure; steps, paid starts and saved pages are kept."""

    def brought(self, run: Run) -> Brought | None:
        """The newest of the rows that this run was the first to bring. None where nobody can look at them."""
        return None

    def on_completed(self, run: Run, fetched_at: datetime) -> None:  # noqa: B027  a hook: most types have none
        """Called in the transaction that completes the run, and in the one in which a person accepts its result.

        `fetched_at`: when its data was fetched.
        """
