"""What a refresh of old data would queue, and what it costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils import timezone

from ... import states
from ...contract.job_type import Estimate, JobType, Subject
from ...models import Brand, Run
from ...people import may_spend
from ..estimates import estimate_for
from .datasets import Dataset
from .judged import judged
from .matrix import WORST
from .under_way import Doing

MOST_AT_ONCE = 50  # each has its own price to find out


@dataclass
class Wish:
    """One run that would be queued. It refreshes all `labels` of its subject."""

    handler: JobType
    brand: Brand | None
    subject: Subject
    labels: list[str]
    badge: states.Badge
    estimate: Estimate | None = None

    @property
    def key(self) -> str:
        """Names it in a form."""
        return f"{self.handler.name} {self.brand.pk if self.brand else ''} {self.subject.key}"

    @property
    def brand_id(self) -> UUID | None:
        return self.brand.pk if self.brand else None


@dataclass
class Bill:
    """`more`: as many are not among `wishes`, which are the worst. `under_way`: by id, the runs that are busy with others."""

    wishes: list[Wish] = field(default_factory=list)
    more: int = 0
    under_way: dict[int, Run] = field(default_factory=dict)
    never: int = 0  # left out: nobody has decided yet that they are wanted
    refused: int = 0  # archived, or of a type that this person may not start

    @property
    def price(self) -> Decimal | None:
        """USD of all of them; None where nothing is paid."""
        prices = [one.estimate.cost_usd for one in self.wishes if one.estimate]
        return sum(prices, Decimal(0)) if prices else None

    @property
    def cap(self) -> Decimal:
        return sum((one.estimate.cap_usd for one in self.wishes if one.estimate), Decimal(0))


def bill(brands: Mapping[UUID | None, Brand | None], wanted: Sequence[Dataset], user: Any, *, never: bool) -> Bill:
    """For what is late or stale, and what was never fetched if `never`. A held run counts as under way: it goes on by itself."""
    now, found = timezone.now(), Bill()
    doing = Doing(brands, now)
    wishes: dict[tuple[str, UUID | None, str], Wish] = {}
    every = [one for one in judged(brands, wanted, now) if one.badge is not states.FRESH]
    every.sort(key=lambda one: (WORST.index(one.badge), one.known.at or now))
    for one in every:
        brand, handler = brands[one.brand_id], one.feeds[0]
        if busy := doing.state(one).under_way:
            found.under_way[busy.run.pk] = busy.run
        elif one.badge is states.NEVER and not never:
            found.never += 1
        elif one.subject.closed or not may_spend(user, one.brand_id, handler.name):
            found.refused += 1
        else:
            wish = Wish(handler, brand, one.subject, [], one.badge)
            wishes.setdefault((handler.name, one.brand_id, one.subject.key), wish).labels.append(one.dataset.label)
    chosen = list(wishes.values())
    found.wishes, found.more = chosen[:MOST_AT_ONCE], len(chosen[MOST_AT_ONCE:])
    for wish in found.wishes:
        usual = {name: one.initial for name, one in wish.handler.Params.base_fields.items()}
        wish.estimate = estimate_for(wish.handler.name, wish.brand, usual | dict(wish.subject.parameters))
    return found
