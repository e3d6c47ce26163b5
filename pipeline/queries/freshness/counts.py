"""How many of thousands of subjects are fresh, and which of the others are the oldest: found by the database.

judged() says the same of each subject, with its words; it is for one page of them.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from typing import Any
from uuid import UUID

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Count,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    UUIDField,
    Value,
    When,
)

from ... import states
from ...contract.job_type import JobType
from ...contract.registry import all_types
from ...engine.database import Among, Composed, Given
from ...models import Brand, DatasetStatus, MaxAge
from .datasets import datasets
from .judged import Judged, Place, all_keys, judged

LOOKED_AT = 4  # times as many rows as are wanted: some are of subjects that nobody watches any more
BRANDS, KEYS = Given("brands", UUIDField()), Given("keys", CharField())
Group = tuple[tuple[JobType, ...], tuple[str, ...]]  # job types, and the datasets that these fetch and no others do
Last = DatasetStatus.Last


@dataclass
class Counts:
    """Of every dataset of these brands; None is the platform."""

    brands: Mapping[UUID | None, Brand | None]
    now: datetime

    def fresh(self) -> tuple[int, int]:
        """How many are not fresh, and how many are."""
        fresh, every = sum(one.badge is states.FRESH for one in self._one_by_one), len(self._one_by_one)
        groups = _groups()
        for is_fresh, times, count in _counted(groups).rows(**self._given) if groups else ():
            if is_fresh:
                fresh += count
            else:
                every += times * count
        return every - fresh, fresh

    def oldest(self, most: int) -> list[Judged]:
        """Stale ones first, then late ones, then those that never had a success."""
        every, found = datasets(), list[Judged]()
        for places in self._old(most):
            about = {brand: self.brands[brand] for brand, _, _ in places}
            keys = {subject for _, _, subject in places}
            of = judged(about, [every[key] for key in {key for _, key, _ in places}], self.now, only=keys)
            known = {(one.brand_id, one.dataset.key, one.subject.key): one for one in of}
            found += [known[place] for place in places if place in known]
            if len(found) >= most:
                break
        return found[:most]

    def stale(self) -> Counter[tuple[UUID | None, str]]:
        """How many subjects are stale, by brand and dataset."""
        groups = _groups()
        found = Counter((one.brand_id, one.dataset.key) for one in self._one_by_one if one.badge is states.STALE)
        for brand, key, count in _stale(groups).rows(**self._given) if groups else ():
            found[brand, key] = count
        return found

    def attention(self, keys: Collection[str]) -> set[UUID | None]:
        """The brands of which one of these datasets is out of date, or failed last."""
        groups = _groups()
        found = {brand for (brand,) in _in_need(groups).rows(keys=list(keys), **self._given)} if groups else set()
        for one in self._one_by_one:
            old = one.known.at is not None and one.badge is not states.FRESH
            if one.dataset.key in keys and (old or one.known.last == Last.FAILED):
                found.add(one.brand_id)
        return found

    def _old(self, most: int) -> Iterator[Sequence[Place]]:
        """The keys of what comes next, a few at a time."""
        old = [
            (not stale, at, (brand, key, subject))
            for stale, at, brand, key, subject in _worst(_groups(), most).rows(**self._given)
        ]
        for one in self._one_by_one:
            if one.badge in (states.STALE, states.LATE) and one.known.at:
                old.append((one.badge is states.LATE, one.known.at, _place(one)))
        places = [place for _, _, place in sorted(old, key=lambda one: one[:2])]
        yield from (places[at : at + most] for at in range(0, len(places), most))
        never = [_place(one) for one in self._one_by_one if one.badge is states.NEVER]
        for types, keys in _groups():
            for key in keys:
                for number in range(len(types)):
                    if len(never) < most:
                        without = _never(types, number, key, most).rows(brands=self._given["brands"])
                        never += [(brand, key, subject) for brand, subject in without]
        yield never[:most]

    @cached_property
    def _given(self) -> dict[str, Any]:
        limits = {f"{key} {times}": self.now - times * one.max_age for key, one in datasets().items() for times in (1, 2)}
        return {"brands": [pk for pk in self.brands if pk], "now": self.now, **limits}

    @cached_property
    def _one_by_one(self) -> list[Judged]:
        """Of the datasets that the database cannot count."""
        counted = set(_keys(_groups()))
        return judged(self.brands, [one for key, one in datasets().items() if key not in counted], self.now, named=False)


def _place(one: Judged) -> Place:
    return one.brand_id, one.dataset.key, one.subject.key


def _groups() -> tuple[Group, ...]:
    """What the database can count."""
    return _groups_of(tuple(all_types()))


@cache
def _groups_of(every: tuple[JobType, ...]) -> tuple[Group, ...]:
    """Of types which all name their rows."""
    found: dict[tuple[JobType, ...], list[str]] = {}
    for key, one in datasets().items():
        found.setdefault(one.types, []).append(key)
    known = {one.name for one in every if all_keys(one)}
    return tuple((types, tuple(keys)) for types, keys in found.items() if known.issuperset(one.name for one in types))


@cache
def _counted(groups: tuple[Group, ...]) -> Composed:
    """Rows of: whether they are fresh, of how many datasets, how many. What two types fetch for a subject counts once."""
    fresh = DatasetStatus.objects.filter(Among("brand", BRANDS), _young(_keys(groups), 1), _watched(groups))
    parts = [_one_row(fresh, fresh=True, times=1)]
    for types, keys in groups:
        parts += [_one_row(_subjects(types, number), fresh=False, times=len(keys)) for number in range(len(types))]
    return Composed(parts[0].union(*parts[1:], all=True), BRANDS)


def _one_row(rows: QuerySet[Any], *, fresh: bool, times: int) -> QuerySet[Any]:
    said = rows.order_by().annotate(is_fresh=Value(fresh, BooleanField()), times=Value(times))
    return said.values("is_fresh", "times").annotate(n=Count("pk")).values_list("is_fresh", "times", "n")


@cache
def _worst(groups: tuple[Group, ...], most: int) -> Composed:
    counted = _keys(groups)
    known = DatasetStatus.objects.filter(
        Among("brand", BRANDS), ~_young(counted, 1), dataset_key__in=counted, last_success_at__isnull=False
    )
    stale = known.annotate(stale=Case(When(_young(counted, 2), then=Value(False)), default=Value(True)))
    first = stale.order_by("-stale", "last_success_at")[: most * LOOKED_AT]
    return Composed(first.values_list("stale", "last_success_at", "brand_id", "dataset_key", "subject"), BRANDS)


@cache
def _stale(groups: tuple[Group, ...]) -> Composed:
    known = DatasetStatus.objects.filter(Among("brand", BRANDS), last_success_at__isnull=False).order_by()
    old = known.filter(~_young(_keys(groups), 2), _watched(groups)).values("brand_id", "dataset_key")
    return Composed(old.annotate(n=Count("pk")).values_list("brand_id", "dataset_key", "n"), BRANDS)


@cache
def _in_need(groups: tuple[Group, ...]) -> Composed:
    rows = DatasetStatus.objects.filter(Among("brand", BRANDS), Among("dataset_key", KEYS)).order_by()
    bad = Q(last_status=Last.FAILED) | Q(last_success_at__isnull=False) & ~_young(_keys(groups), 1)
    return Composed(rows.filter(bad, _watched(groups)).values_list("brand_id").distinct(), BRANDS, KEYS)


@cache
def _never(types: tuple[JobType, ...], number: int, key: str, most: int) -> Composed:
    success = DatasetStatus.objects.filter(
        brand=OuterRef("of_brand"), dataset_key=key, subject=OuterRef("subject_key"), last_success_at__isnull=False
    )
    rows = _subjects(types, number).filter(~Exists(success))
    return Composed(rows.values_list("of_brand", "subject_key")[:most], BRANDS)


def _subjects(types: Sequence[JobType], number: int) -> QuerySet[Any]:
    """Those of one of the types that no type before it has."""
    rows = _rows(types[number]).filter(Among("of_brand", BRANDS))
    for before in types[:number]:
        rows = rows.exclude(Exists(_rows(before).filter(of_brand=OuterRef("of_brand"), subject_key=OuterRef("subject_key"))))
    return rows


def _keys(groups: Iterable[Group]) -> list[str]:
    return [key for _, keys in groups for key in keys]


def _watched(groups: Iterable[Group]) -> Q:
    """Whether the row of a dataset is of a subject that one of its types has. All datasets in one condition: each scan of the

    table takes longer than to look its rows' subjects up."""
    found = Q()
    for types, keys in groups:
        has = Q()
        for one in types:
            has |= Q(Exists(_rows(one).filter(of_brand=OuterRef("brand"), subject_key=OuterRef("subject"))))
        found |= Q(dataset_key__in=keys) & has
    return found


def _rows(handler: JobType) -> QuerySet[Any]:
    rows = handler.subject_rows()
    assert rows is not None
    return rows


def _young(keys: Sequence[str], times: int) -> Q:
    """Whether the last success is younger than that many times what the data's age may be; of these datasets."""
    usual = Q()
    for key in keys:
        usual |= Q(dataset_key=key, last_success_at__gte=Given(f"{key} {times}", DateTimeField()))
    known = MaxAge.objects.filter(brand__isnull=False, max_age__isnull=False)
    own = known.filter(brand=OuterRef("brand"), dataset_key=OuterRef("dataset_key"))
    until = OuterRef("last_success_at") + F("max_age")
    for _ in range(times - 1):
        until += F("max_age")
    in_time = own.annotate(until=ExpressionWrapper(until, output_field=DateTimeField()))
    has_own = Q(brand__in=known.values("brand"))  # of few brands: the others' thousands of rows need not be looked up
    return usual & (~has_own | ~Exists(own)) | has_own & Exists(in_time.filter(until__gte=Given("now", DateTimeField())))
