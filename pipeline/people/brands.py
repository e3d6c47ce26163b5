"""The brands that are open to a person."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from ..models import Brand, BrandLimit

_KEPT = "_open_brands"  # on the user object, as Django keeps its permissions: one query per request


@dataclass(frozen=True)
class Brands:
    """`ids`: the open brands; None: every brand. `platform`: rows without a brand are open too."""

    ids: frozenset[UUID] | None
    platform: bool

    @property
    def every(self) -> bool:
        return self.ids is None

    def __contains__(self, brand_id: UUID | None) -> bool:
        return self.ids is None or (self.platform if brand_id is None else brand_id in self.ids)

    def covers(self, other: "Brands") -> bool:
        """Whether all that is open by `other` is open by these too."""
        return self.ids is None or (other.ids is not None and other.ids <= self.ids and self.platform >= other.platform)

    def q(self, path: str = "brand") -> Q:
        """A condition for rows whose brand is at `path`."""
        if self.ids is None:
            return Q()
        theirs = Q(**{f"{path}__in": self.ids})
        return theirs | Q(**{f"{path}__isnull": True}) if self.platform else theirs

    def rows(self) -> QuerySet[Brand]:
        return Brand.objects.all() if self.ids is None else Brand.objects.filter(pk__in=self.ids)


EVERY, NONE = Brands(None, True), Brands(frozenset(), False)


def brands_for(user: Any, *, anew: bool = False) -> Brands:
    """The brands open to `user`. Every brand for None, which is the system or a command; none for who is not signed in.

    Read once per user object, so a page may ask for every row. `anew` reads it again.
    """
    if user is None:
        return EVERY
    if not user.is_active or not user.is_authenticated:
        return NONE
    if anew or not hasattr(user, _KEPT):
        setattr(user, _KEPT, _read(user))
    found: Brands = getattr(user, _KEPT)
    return found


def _read(user: Any) -> Brands:
    """One query: the limit's row comes with each of its brands, or with NULL if it has none."""
    limited = list(BrandLimit.objects.filter(user_id=user.pk).values_list("brands", flat=True))
    if not limited:
        return EVERY
    return Brands(frozenset(pk for pk in limited if pk is not None), user.has_perm("pipeline.scrape_platform"))


def limit_to(user: Any, brands: Iterable[Brand]) -> None:
    """Limit the person to these brands."""
    limit, _ = BrandLimit.objects.get_or_create(user=user)
    limit.brands.set(brands)
