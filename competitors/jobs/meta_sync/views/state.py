"""How old each dataset of an ad account is, and what can be synced alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils import timezone

from competitors.models import AdAccount
from pipeline import queries
from pipeline.contract import get_type
from pipeline.models import Brand, DatasetStatus
from pipeline.queries import FreshnessRow, SubjectState
from pipeline.queries.freshness import freshness_row
from pipeline.states import NEVER
from pipeline.words import days

from ..job import DATASET, DATASETS, NAME, PARTS

NAMES = {  # by the part that fetches a dataset alone; short, for a row of five
    "performance": "Performance",
    "thumbnails": "Thumbnails",
    "assets": "Pictures and videos",
    "demographics": "Demographics",
    "classifications": "Classification",
}


@dataclass(frozen=True)
class Clock:
    """How old a dataset of the account is. `banner` is for one that is not as fresh as it should be."""

    name: str
    part: str
    fresh: FreshnessRow
    banner: queries.Banner | None

    @property
    def age(self) -> str:
        return f"{days(self.fresh.age)} old" if self.fresh.age is not None else ""


def clocks(account: AdAccount, brand: Brand) -> list[Clock]:
    """Of every dataset, in one query. The page's own banner speaks of the performance itself."""
    handler, now, key = get_type(NAME), timezone.now(), str(account.pk)
    statuses = DatasetStatus.objects.for_rows().filter(brand=brand, dataset_key__in=DATASETS.values(), subject=key)
    known = {status.dataset_key: status for status in statuses}
    found = []
    for part, dataset in DATASETS.items():
        fresh = freshness_row(known.get(dataset), queries.usual_max_age(dataset), now)
        state = SubjectState(key, str(account), fresh)
        # One that was never fetched may be switched off, so its clock alone says that.
        silent = dataset == DATASET or (fresh.badge is NEVER and not fresh.failed)
        told = None if silent else queries.banner(handler.datasets[dataset], [state], noun="ad account", verb="Sync")
        found.append(Clock(NAMES[part], part, fresh, told))
    return found


def banners(clocks: Iterable[Clock]) -> list[Clock]:
    """Of those that are not as fresh as they should be, the worst first."""
    return sorted((one for one in clocks if one.banner), key=lambda one: bool(one.banner and one.banner.tone != "tone-red"))


def parts() -> Sequence[tuple[str, str]]:
    """What can be synced alone, with its name."""
    return [(part, NAMES.get(part, "The account itself")) for part in PARTS]
