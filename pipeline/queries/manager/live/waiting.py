"""What pending runs wait for: how many are held, by what, how many wait, for what, and how many are only scheduled.

The database counts them by type and brand, so that thousands cost no more than a few. What keeps them back is the claim's own
rule.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import BooleanField, Count, ExpressionWrapper, Min, Q

from ....contract.registry import find_type, internal_names, is_internal, label_of
from ....engine.queue.limits import KEEPS_BACK, Kind, Stage, Stop
from ....models import Brand, Outage, Run
from ....models.runs import RunQuerySet
from ....states import RunStatus
from ...explain import QueueView, words_of

HOLDING = (Kind.PAUSE, Kind.ZERO, Kind.RESTING)  # until a person or the upstream ends it; a full limit ends by itself
BRANDS_NAMED = 3
TRIED = ~Q(attempt=0, blocked_reason="")  # of runs that are not due: one that was not tried waits for its time only
WOKEN = Q(priority=Run.WOKEN)


@dataclass
class Held:
    """Runs of a type that the same cause keeps back."""

    job_type: str
    cause: str
    count: int = 0
    since: datetime | None = None
    brands: set[UUID] = field(default_factory=set)
    names: str = ""  # of the first brands

    @property
    def label(self) -> str:
        return label_of(self.job_type)

    @property
    def emoji(self) -> str:
        handler = find_type(self.job_type)
        return handler.emoji if handler else ""


@dataclass
class Waiting:
    """`later`: for another try, or to be checked again. `full`: for a slot of a limit. `free`: for a worker only."""

    held: list[Held] = field(default_factory=list)
    full: Counter[Stop] = field(default_factory=Counter)
    later: int = 0
    free: int = 0
    scheduled: int = 0
    next_scheduled: datetime | None = None

    @property
    def held_count(self) -> int:
        return sum(one.count for one in self.held)

    @property
    def count(self) -> int:
        return self.later + self.free + sum(self.full.values())


def waiting(runs: RunQuerySet, around: QueueView) -> Waiting:
    """What the pending ones of these runs wait for."""
    found, held = Waiting(), dict[tuple[str, str], Held]()
    of_scope: dict[tuple[str, UUID | None], list[Stop]] = defaultdict(list)
    for stop in around.stops:
        of_scope[stop.job_type, stop.brand_id].append(stop)
    paused_by = dict(Outage.objects.filter(ended_at=None).values_list("pk", "reason"))
    pending = runs.filter(status=RunStatus.PENDING).order_by()
    not_due = pending.filter(due_at__gt=around.at).annotate(tried=_is(TRIED)).values_list("tried")
    for tried, count, next_due in not_due.annotate(Count("pk"), Min("due_at")):
        if tried:
            found.later = count
        else:
            found.scheduled, found.next_scheduled = count, next_due
    groups = (
        pending.filter(due_at__lte=around.at)
        .annotate(woken=_is(WOKEN), ending=_is(Q(cancel_requested_at__isnull=False)))
        .values_list("job_type", "brand_id", "woken", "ending", "job_paused", "job__outage_id")
        .annotate(Count("pk"), Min("order_at"))
    )
    for job_type, brand, woken, ending, paused, outage, count, since in groups:
        stage = Stage.CANCELLED if ending else Stage.BEGUN if woken else Stage.NEW
        scopes = {(name, of) for name in ({job_type} if is_internal(job_type) else {"", job_type}) for of in (None, brand)}
        stops = [stop for scope in scopes for stop in of_scope.get(scope, ()) if stop.keeps_back(stage)]
        holding = next((stop for kind in HOLDING for stop in stops if stop.kind is kind), None)
        if paused and stage in KEEPS_BACK[Kind.JOB_PAUSE]:
            cause = paused_by.get(outage, "Their schedules are paused.")
        elif holding:
            cause = words_of(holding, job_type, brand, around)
        elif stops:
            found.full[stops[0]] += count
            continue
        else:
            found.free += count
            continue
        one = held.setdefault((job_type, cause), Held(job_type, cause))
        one.count += count
        one.since = min(filter(None, (one.since, since)))
        if brand:
            one.brands.add(brand)
    found.held = sorted(held.values(), key=lambda one: (-one.count, one.job_type, one.cause))
    return found


def name_brands(held: Iterable[Held]) -> None:
    """Read the names of the first brands of each, in one query."""
    shown = {one.cause + one.job_type: sorted(one.brands)[:BRANDS_NAMED] for one in held}
    names = {pk: brand.name for pk, brand in Brand.objects.in_bulk({pk for pks in shown.values() for pk in pks}).items()}
    for one in held:
        more = len(one.brands) - BRANDS_NAMED
        first = [names[pk] for pk in shown[one.cause + one.job_type] if pk in names]
        one.names = ", ".join(first) + (f" and {more} more" if more > 0 else "")


def held_back(around: QueueView) -> Q:
    """The condition of the runs that waiting() counts as held."""
    due = Q(due_at__lte=around.at, cancel_requested_at=None)
    new = _scopes(around, Stage.NEW) | Q(job_paused=True)
    return due & ((~WOKEN & new) | (WOKEN & _scopes(around, Stage.BEGUN)))


def _scopes(around: QueueView, stage: Stage) -> Q:
    """Runs that a stop which holds covers: few conditions, however many brands are paused."""
    brands: dict[str, list[UUID]] = defaultdict(list)
    found, every = Q(pk__in=[]), ~Q(job_type__in=internal_names())
    for stop in around.stops:
        if stop.kind not in HOLDING or not stop.keeps_back(stage):
            continue
        if stop.brand_id:
            brands[stop.job_type].append(stop.brand_id)
        else:
            found |= Q(job_type=stop.job_type) if stop.job_type else every
    for job_type, of in brands.items():
        found |= Q(brand__in=of) & (Q(job_type=job_type) if job_type else every)
    return found


def _is(condition: Q) -> ExpressionWrapper:
    return ExpressionWrapper(condition, output_field=BooleanField())
