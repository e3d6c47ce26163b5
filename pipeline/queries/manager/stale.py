"""What needs refreshing, of all open brands."""

from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from ...models import Brand, DatasetStatus
from ...people import Brands
from ..freshness import Counts, FreshnessRow, freshness_row
from ..freshness.datasets import of_brands

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
    shown = DatasetStatus.objects.for_rows().filter(  # these and few others: a condition for each takes longer
        of_brands({one.brand_id for one in worst}),
        dataset_key__in={one.dataset.key for one in worst},
        subject__in={one.subject.key for one in worst},
    )
    known = {(row.brand_id, row.dataset_key, row.subject): row for row in shown.order_by()}
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
