"""A cell of the matrix, opened: its subjects, their last runs, what fetches it and how old it may be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from ...contract.job_type import Subject
from ...models import Brand, DatasetStatus, MaxAge, Run
from ...models.datasets import RUNS_KEPT
from ...states import Badge, run_badge
from .datasets import Dataset
from .judged import Judged, judged
from .matrix import WORST, Cell, cell_of, due_words
from .rows import FreshnessRow, freshness_row
from .under_way import Doing, State

SUBJECTS_SHOWN = 100  # the worst of them


@dataclass(frozen=True)
class SubjectRow:
    """`runs`: the states of the last ones, oldest first."""

    subject: Subject
    badge: Badge
    row: FreshnessRow
    due: str
    run: Run | None  # that is under way, else the last one
    under_way: bool
    runs: list[Badge]


@dataclass(frozen=True)
class OpenCell:
    """`cell` is None where the brand has no subject. `own`: what a manager has set, and who."""

    dataset: Dataset
    brand: Brand | None
    cell: Cell | None
    rows: list[SubjectRow]
    more: int
    max_age: timedelta
    own: MaxAge | None


def open_cell(brand: Brand | None, dataset: Dataset) -> OpenCell:
    """The worst subject comes first. The number of queries does not grow with the subjects."""
    now, pk = timezone.now(), brand.pk if brand else None
    doing = Doing({pk: brand}, now)
    found = judged({pk: brand}, [dataset], now)
    stated = [(one, doing.state(one)) for one in found]
    stated.sort(key=lambda both: (WORST.index(both[1].badge), both[0].known.at or now, both[0].subject.label))
    shown = stated[:SUBJECTS_SHOWN]
    own = MaxAge.objects.select_related("by").filter(Q(brand=brand), dataset_key=dataset.key).first()
    return OpenCell(
        dataset=dataset,
        brand=brand,
        cell=cell_of(found, doing, now),
        rows=_rows(shown, dataset, brand, now),
        more=len(stated) - len(shown),
        max_age=(own.max_age if own else None) or dataset.max_age,
        own=own,
    )


def _rows(shown: Sequence[tuple[Judged, State]], dataset: Dataset, brand: Brand | None, now: datetime) -> list[SubjectRow]:
    keys = [one.subject.key for one, _ in shown]
    statuses = DatasetStatus.objects.for_rows().filter(Q(brand=brand), dataset_key=dataset.key, subject__in=keys)
    known = {status.subject: status for status in statuses}
    runs = _last_runs(dataset, brand, keys)
    rows = []
    for one, state in shown:
        row = freshness_row(known.get(one.subject.key), one.max_age, now)
        run = state.under_way.run if state.under_way else row.run
        theirs = runs.get(one.subject.key, [])
        rows.append(SubjectRow(one.subject, state.badge, row, due_words(one, now), run, state.under_way is not None, theirs))
    return rows


def _last_runs(dataset: Dataset, brand: Brand | None, keys: Sequence[str]) -> dict[str, list[Badge]]:
    """By subject, in one query. A run of all the brand's subjects is among each one's where they have clocks of their own."""
    for_all = [one.name for one in dataset.types if dataset.key in one.own_clocks]
    of = Q(job_type__in=[one.name for one in dataset.types], subject__in=keys)
    if for_all:
        of |= Q(job_type__in=for_all, subject="")
    back = Window(RowNumber(), partition_by=[F("job_type"), F("subject")], order_by=F("pk").desc())
    numbered = Run.objects.asked_or_started().filter(of, Q(brand=brand)).annotate(back=back).filter(back__lte=RUNS_KEPT)
    found: dict[str, list[Badge]] = {key: [] for key in keys}
    values = numbered.order_by("-pk").values_list("subject", "status", "verdict", "attempt")
    for subject, status, verdict, attempt in values:
        badge = run_badge(status, verdict=verdict, tries_failed=attempt)
        for theirs in found.values() if subject == "" and "" not in found else [found[subject]]:
            if len(theirs) < RUNS_KEPT:
                theirs.insert(0, badge)
    return found
