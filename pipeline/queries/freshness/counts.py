"""How many of thousands of subjects are fresh, and which of the others are the oldest: found by the database.

judged() says the same of each subject, with its words; it is for one page of them.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, DateTimeField, Exists, OuterRef, Q, QuerySet, Subquery, Value, When

from ... import states
from ...contract.registry import all_types
from ...models import Brand, DatasetStatus
from .datasets import Dataset, datasets, own_max_ages
from .judged import Judged, Place, judged

LOOKED_AT = 4  # times as many rows as are wanted: some are of subjects that nobody watches any more


@dataclass
class Counts:
    """Of every dataset of these brands; None is the platform."""

    brands: Mapping[UUID | None, Brand | None]
    now: datetime

    def fresh(self) -> tuple[int, int]:
        """How many are not fresh, and how many are."""
        fresh, every = sum(one.badge is states.FRESH for one in self._one_by_one), len(self._one_by_one)
        for several, rows in self._counted:
            young = {
                dataset.key: Count("pk", filter=Q(**{f"{dataset.key}_at__gte": self._limit(dataset, "of_brand", 1)}))
                for dataset in several
            }
            at = {f"{dataset.key}_at": _success(dataset) for dataset in several}
            found = rows.annotate(**at).aggregate(Count("pk"), **young)
            every += found.pop("pk__count") * len(several)
            fresh += sum(found.values())
        return every - fresh, fresh

    def oldest(self, most: int) -> list[Judged]:
        """Stale ones first, then late ones, then those that never had a success."""
        every, found = datasets(), list[Judged]()
        for places in self._old(most):
            about = {brand: self.brands[brand] for brand, _, _ in places}
            of = judged(about, [every[key] for key in {key for _, key, _ in places}], self.now)
            known = {(one.brand_id, one.dataset.key, one.subject.key): one for one in of}
            found += [known[place] for place in places if place in known]
            if len(found) >= most:
                break
        return found[:most]

    def _old(self, most: int) -> Iterator[Sequence[Place]]:
        """The keys of what comes next, a few at a time."""
        late, stale = (
            Case(
                *(When(dataset_key=key, then=self._limit(one, "brand", times)) for key, one in datasets().items()),
                output_field=DateTimeField(),
            )
            for times in (1, 2)
        )
        known = DatasetStatus.objects.filter(self._of_brands, last_success_at__lt=late)
        worst = known.order_by(Case(When(last_success_at__lt=stale, then=0), default=1), "last_success_at")
        old = list(worst.values_list("brand_id", "dataset_key", "subject")[: most * LOOKED_AT])
        yield from (old[at : at + most] for at in range(0, len(old), most))
        never = [(one.brand_id, one.dataset.key, one.subject.key) for one in self._one_by_one if one.badge is states.NEVER]
        for several, rows in self._counted:
            for dataset in several:
                if len(never) < most:
                    without = rows.annotate(at=_success(dataset)).filter(at=None).values_list("of_brand", "subject_key")
                    never += [(brand, dataset.key, subject) for brand, subject in without[:most]]
        yield never[:most]

    def _limit(self, dataset: Dataset, brand: str, times: int) -> Case:
        """Since when a success is younger than that many times what the dataset's age may be."""
        own = [
            When(_among(brand, brands), then=Value(self.now - times * age))
            for age, brands in self._own_ages.get(dataset.key, {}).items()
        ]
        return Case(*own, default=Value(self.now - times * dataset.max_age), output_field=DateTimeField())

    @cached_property
    def _of_brands(self) -> Q:
        return _among("brand", self.brands)

    @cached_property
    def _own_ages(self) -> dict[str, dict[timedelta, list[UUID | None]]]:
        """What managers have set: by dataset, the brands with each age."""
        found: dict[str, dict[timedelta, list[UUID | None]]] = {}
        for (brand, key), age in own_max_ages(self._of_brands).items():
            found.setdefault(key, {}).setdefault(age, []).append(brand)
        return found

    @cached_property
    def _rows(self) -> dict[str, QuerySet[Any] | None]:
        """Of each type; None where the database cannot count them."""
        brands = list(self.brands.values())
        return {one.name: one.subject_rows(brands) for one in all_types()}

    @cached_property
    def _one_by_one(self) -> list[Judged]:
        wanted = [one for one in datasets().values() if any(self._rows[of.name] is None for of in one.types)]
        return judged(self.brands, wanted, self.now)

    @cached_property
    def _counted(self) -> list[tuple[list[Dataset], QuerySet[Any]]]:
        """Rows, and what is fetched for them. What two types fetch for a subject is among the first type's only."""
        alone: dict[str, tuple[list[Dataset], QuerySet[Any]]] = {}
        others = []
        for dataset in datasets().values():
            every = [rows for one in dataset.types if (rows := self._rows[one.name]) is not None]
            if len(every) < len(dataset.types):
                continue
            alone.setdefault(dataset.types[0].name, ([], every[0]))[0].append(dataset)
            for number, rows in enumerate(every[1:], start=1):
                for before in every[:number]:
                    same = before.filter(of_brand=OuterRef("of_brand"), subject_key=OuterRef("subject_key"))
                    rows = rows.exclude(Exists(same))
                others.append(([dataset], rows))
        return [*alone.values(), *others]


def _success(dataset: Dataset) -> Subquery:
    """When a subject's data was last fetched."""
    known = DatasetStatus.objects.filter(brand=OuterRef("of_brand"), dataset_key=dataset.key, subject=OuterRef("subject_key"))
    return Subquery(known.values("last_success_at"))


def _among(path: str, brands: Collection[UUID | None]) -> Q:
    ids = Q(**{f"{path}__in": [pk for pk in brands if pk]})
    return ids | Q(**{f"{path}__isnull": True}) if None in brands else ids
