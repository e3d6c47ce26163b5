"""The kinds of data that job types fetch, and how old each may be."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Q

from ...contract.job_type import JobType
from ...contract.registry import all_types
from ...engine.database import Among
from ...models import MaxAge


@dataclass(frozen=True)
class Dataset:
    """`types`: the job types that fetch it, the one that fetches little else first."""

    key: str
    label: str
    types: tuple[JobType, ...]

    @property
    def max_age(self) -> timedelta:
        """What counts where no manager has set another. Of several types, the most patient one says it."""
        return max(one.max_age for one in self.types)


def datasets() -> dict[str, Dataset]:
    """Every dataset of every job type, by key. One that two types fetch is there once."""
    types: dict[str, list[JobType]] = {}
    for handler in all_types():
        for key in handler.datasets:
            types.setdefault(key, []).append(handler)
    found = {}
    for key, feeding in types.items():
        feeding.sort(key=lambda one: len(one.datasets))
        found[key] = Dataset(key, feeding[0].datasets[key], tuple(feeding))
    return found


def usual_max_age(dataset_key: str) -> timedelta:
    """How old the data may be where no manager has set another age."""
    return datasets()[dataset_key].max_age


def of_brands(brands: Collection[UUID | None], column: str = "brand") -> Q:
    """A condition for rows of these brands; None is the platform."""
    theirs = Q(Among(column, [pk for pk in brands if pk]))
    return theirs | Q(**{f"{column}__isnull": True}) if None in brands else theirs


def own_max_ages(of: Q) -> dict[tuple[UUID | None, str], timedelta]:
    """What managers have set, by brand and dataset. `of`: a condition on the brand."""
    rows = MaxAge.objects.filter(of, max_age__isnull=False).values_list("brand_id", "dataset_key", "max_age")
    return {(brand, key): age for brand, key, age in rows if age is not None}
