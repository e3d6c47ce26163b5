"""Which runs a stop keeps back. Pure: the claim's query and the words on pages are both built from this table."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from uuid import UUID

from ...contract.registry import is_internal
from ...models import Run
from ...states import RunStatus


class Stage(Enum):
    """How far a due run has got."""

    NEW = auto()
    BEGUN = auto()  # woken: what it has upstream, or what another worker began, is to be finished
    CANCELLED = auto()  # to be brought to its end


def stage_of(run: Run) -> Stage:
    if run.cancel_requested_at is not None:
        return Stage.CANCELLED
    return Stage.BEGUN if run.status == RunStatus.WAITING or run.priority == Run.WOKEN else Stage.NEW


class Kind(Enum):
    PAUSE = auto()  # by a person, of a type or brand or of everything
    JOB_PAUSE = auto()  # by a person, of one job
    FULL_ACCOUNT = auto()  # the upstream account's own limit: what runs there must be able to free its slot
    RESTING = auto()  # the upstream asked us to slow down, is down, or rejects our token
    ZERO = auto()  # a limit of 0
    FULL = auto()  # a limit whose slots are all in use


# A later stage is never kept back by more kinds than an earlier one: candidates.py relies on it.
KEEPS_BACK: dict[Kind, frozenset[Stage]] = {
    Kind.PAUSE: frozenset({Stage.NEW}),
    Kind.JOB_PAUSE: frozenset({Stage.NEW}),
    Kind.FULL_ACCOUNT: frozenset({Stage.NEW}),
    Kind.RESTING: frozenset({Stage.NEW, Stage.BEGUN}),
    Kind.ZERO: frozenset({Stage.NEW, Stage.BEGUN}),
    Kind.FULL: frozenset({Stage.NEW, Stage.BEGUN, Stage.CANCELLED}),
}


@dataclass(frozen=True)
class Stop:
    """Something that keeps runs of a scope from starting. '' and None mean any type that people start, and any brand.

    Alarms and files that somebody waits for go on while everything is paused: internal types are kept back only by name.
    """

    kind: Kind
    job_type: str = ""
    brand_id: UUID | None = None
    max_running: int = 0  # of a limit
    reason: str = ""  # of an upstream, in words

    def covers(self, job_type: str, brand_id: UUID | None) -> bool:
        of_type = self.job_type == job_type or not (self.job_type or is_internal(job_type))
        return of_type and self.brand_id in (None, brand_id)

    def keeps_back(self, stage: Stage) -> bool:
        return stage in KEEPS_BACK[self.kind]


def limit(job_type: str, brand_id: UUID | None, max_running: int) -> Stop:
    """The stop that this limit is once all its slots are in use."""
    return Stop(Kind.FULL if max_running else Kind.ZERO, job_type, brand_id, max_running)


def saturated(limits: Iterable[Stop], running: Counter[tuple[str, UUID | None]]) -> list[Stop]:
    """The limits with no free slot. `running` counts the running rows by (type, brand), so no counter can drift."""
    return [one for one in limits if sum(n for scope, n in running.items() if one.covers(*scope)) >= one.max_running]
