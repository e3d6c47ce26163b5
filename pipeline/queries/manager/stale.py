"""What needs refreshing, of all open brands."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from ...models import Brand, DatasetStatus
from ...people import Brands
from ..freshness import Counts, FreshnessRow, freshness_row

ROWS_SHOWN = 8


@dataclass(frozen=True)
class StaleRow:
    label: str
    brand: Brand | None
    subject: str
    url: str
    freshness: FreshnessRow


def freshness_of(open_brands: Brands) -> tuple[list[StaleRow], int, int]:
    """The worst of the subjects that are not fresh, how many those are, and how many are fresh, of all open brands."""
    now = timezone.now()
    brands: dict[UUID | None, Brand | None] = {brand.pk: brand for brand in open_brands.rows().filter(archived_at=None)}
    if open_brands.platform:
        brands[None] = None
    counts = Counts(brands, now)
    worst = counts.oldest(ROWS_SHOWN)
    shown = Q(pk__in=[])
    for one in worst:
        shown |= Q(brand=one.brand_id, dataset_key=one.dataset.key, subject=one.subject.key)
    known = {(row.brand_id, row.dataset_key, row.subject): row for row in DatasetStatus.objects.for_rows().filter(shown)}
    rows = [
        StaleRow(
            one.dataset.label,
            brands[one.brand_id],
            one.subject.label,
            one.subject.url,
            freshness_row(known.get((one.brand_id, one.dataset.key, one.subject.key)), one.max_age, now),
        )
        for one in worst
    ]
    return rows, *counts.fresh()
