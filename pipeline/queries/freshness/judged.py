"""Every subject of every dataset of some brands, judged by the clock: in a constant number of queries."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple
from uuid import UUID

from django.db.models import UUIDField

from ...contract.job_type import JobType, Subject
from ...engine.database import Among, Composed, Given
from ...models import Brand, DatasetStatus
from ...states import Badge
from .datasets import Dataset, of_brands, own_max_ages
from .rows import badge_of

Place = tuple[UUID | None, str, str]  # brand, dataset, subject


class Known(NamedTuple):
    """What is stored of a subject's data."""

    at: datetime | None = None  # of the last success
    last: str = ""  # DatasetStatus.Last
    run_id: int | None = None  # that a worker took last
    ends: str = ""  # DatasetStatus.recent_ends


@dataclass(slots=True)
class Judged:
    """`feeds`: the job types that fetch it for this subject."""

    dataset: Dataset
    brand_id: UUID | None
    subject: Subject
    feeds: list[JobType]
    known: Known
    max_age: timedelta
    badge: Badge  # by the clock alone

    @property
    def due_at(self) -> datetime | None:
        """When it stops to be fresh."""
        return self.known.at + self.max_age if self.known.at else None


def judged(
    brands: Mapping[UUID | None, Brand | None],
    wanted: Iterable[Dataset],
    now: datetime,
    *,
    named: bool = True,
    only: Collection[str] | None = None,
) -> list[Judged]:
    """One query per job type, one for what is stored, one for the ages that managers have set. None is the platform.

    Not `named`: the database lists the subjects' keys, and nothing else is known of them. `only`: at least those with these keys.
    """
    chosen = list(wanted)
    keys = {one.key for one in chosen}
    if all(one.platform for dataset in chosen for one in dataset.types):  # nothing of it is of any brand
        brands = {pk: brand for pk, brand in brands.items() if pk is None}
    of = of_brands(brands)
    rows = DatasetStatus.objects.filter(of, dataset_key__in=keys).values_list(
        "brand_id", "dataset_key", "subject", "last_success_at", "last_status", "last_run_id", "recent_ends"
    )
    stored: dict[Place, Known] = {(row[0], row[1], row[2]): Known(*row[3:]) for row in rows}
    ages, unknown = own_max_ages(of), Known()
    found: dict[Place, Judged] = {}
    for handler in {one.name: one for dataset in chosen for one in dataset.types}.values():
        theirs = [one for one in chosen if one.key in handler.datasets]
        listed = _keys_of(handler, brands) if not named else _some_of(handler, brands, only) if only is not None else None
        for brand_id, subject in handler.subjects_of(brands.values()) if listed is None else listed:
            for dataset in theirs:
                place = (brand_id, dataset.key, subject.key)
                if before := found.get(place):
                    before.feeds.append(handler)
                    continue
                known, max_age = stored.get(place, unknown), ages.get(place[:2], dataset.max_age)
                badge = badge_of(now - known.at if known.at else None, max_age)
                found[place] = Judged(dataset, brand_id, subject, [handler], known, max_age, badge)
    order = {name: at for dataset in chosen for at, name in enumerate(one.name for one in dataset.types)}
    for one in found.values():
        if len(one.feeds) > 1:
            one.feeds.sort(key=lambda handler: order[handler.name])
    return list(found.values())


def _keys_of(handler: JobType, brands: Iterable[UUID | None]) -> list[tuple[UUID, Subject]] | None:
    rows = all_keys(handler)
    return None if rows is None else [(brand, Subject(key)) for brand, key in rows.rows(brands=[pk for pk in brands if pk])]


def _some_of(handler: JobType, brands: Iterable[UUID | None], keys: Collection[str]) -> list[tuple[UUID, Subject]] | None:
    rows = handler.subject_rows()
    if rows is None:
        return None
    theirs = rows.filter(Among("of_brand", [pk for pk in brands if pk]), Among("subject_key", list(keys)))
    return [(row.of_brand, handler.subject_of_row(row)) for row in theirs]


@cache
def all_keys(handler: JobType) -> Composed | None:
    """Brand and key of each subject; None where the database cannot list them."""
    rows = handler.subject_rows()
    if rows is None:
        return None
    brands = Given("brands", UUIDField())
    return Composed(rows.filter(Among("of_brand", brands)).values_list("of_brand", "subject_key"), brands)
