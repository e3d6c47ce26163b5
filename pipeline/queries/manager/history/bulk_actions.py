"""Bulk actions: what one would do and cost, before it is asked for; and how far those are that were asked for."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, QuerySet, Sum, Value, When
from django.utils import timezone

from ....engine.database import now
from ....models import BulkAction, BulkItem, Run, UpstreamRun
from ....models.runs import LIVE_VALUES, RunQuerySet
from ....people import Brands, brands_for
from ....states import CHECK, COMPLETED, FAILED, QUEUED, RUNNING, Badge, RunStatus, run_badge
from ....words import counted
from ...estimates import cost_together, is_paid, usual_costs
from ...explain import no_worker_since
from ...runs import RunRow, run_rows
from .every_run import STATES, Asked, found, possible

Kind, State = BulkAction.Kind, BulkItem.State
SHOWN = 10  # runs before the click
PERMISSIONS = {
    Kind.CANCEL: "pipeline.cancel_run",
    Kind.RETRY: "pipeline.scrape_run",
    Kind.RUN_NOW: "pipeline.scrape_run",
}
STATES_OF = {
    Kind.CANCEL: {"pending", "retry", "running", "waiting"},
    Kind.RETRY: {"failed", "cancelled"},
    Kind.RUN_NOW: {"pending", "retry"},
}
PARTICIPLES = {Kind.CANCEL: "cancelled", Kind.RETRY: "retried", Kind.RUN_NOW: "run earlier"}
USUALLY = {Kind.CANCEL: "live", Kind.RETRY: "failed or cancelled", Kind.RUN_NOW: "queued"}
ABORTED, STOPPED = Badge("cancelled", "Aborted", "slash", "grey"), Badge("failed", "Stopped", "alert", "red")
RESULTS = {
    State.WAITING: Badge("queued", "To do", "clock", "grey"),
    State.DONE: Badge("completed", "Done", "check", "green"),
    State.SKIPPED: Badge("cancelled", "Skipped", "slash", "grey"),
    State.FAILED: FAILED,
}
NOT_DONE = Badge("cancelled", "Not done", "dash", "grey")
FIRST = (State.FAILED, State.SKIPPED, State.DONE, State.WAITING)  # what needs a look comes first


@dataclass(frozen=True)
class Offer:
    """What a filter allows. `count`: at most BulkAction.MOST, `more`: there are more. `cost`: None where all is free.

    `unknown`: how many paid runs are not in the cost, as nobody knows their price yet.
    """

    kind: BulkAction.Kind
    what: str  # 'failed'
    count: int
    more: bool
    cost: Decimal | None
    unknown: int = 0

    @property
    def title(self) -> str:
        """'Retry 17 failed runs'."""
        runs = counted(self.count, f"{self.what} run")
        return f"Run {runs} now" if self.kind == Kind.RUN_NOW else f"{self.kind.label} {runs}"

    @property
    def price(self) -> str:
        """'about $3.40'."""
        if self.kind == Kind.CANCEL:
            unpriced = "saving not known yet" if self.unknown else "saves no money"
            return f"saves up to ${self.cost:.2f}" if self.cost else unpriced
        if self.cost is None:
            return "price not known yet" if self.unknown else "free"
        return f"about ${self.cost:.2f}{' or more' if self.unknown else ''}"


@dataclass(frozen=True)
class Plan:
    """An offer with its runs, by number the state that each is in, and the first of them."""

    offer: Offer
    runs: Mapping[int, str]
    first: list[tuple[RunRow, str]]  # with the price in words
    searched: str
    at: datetime


@dataclass(frozen=True)
class BulkRow:
    action: BulkAction
    badge: Badge
    done: int
    skipped: int
    failed: int
    left: int

    @property
    def title(self) -> str:
        """'Retry 17 runs'."""
        runs = counted(self.action.count, "run")
        return f"Run {runs} now" if self.action.kind == Kind.RUN_NOW else f"{self.action.get_kind_display()} {runs}"

    @property
    def settled(self) -> int:
        return self.done + self.skipped + self.failed

    @property
    def sentence(self) -> str:
        """'12 of 17 done, 3 skipped.'"""
        parts = [f"{self.done:,} of {self.action.count:,} done"]
        parts += [f"{number:,} {word}" for number, word in ((self.skipped, "skipped"), (self.failed, "failed")) if number]
        parts += [f"{self.left:,} left as they are"] if self.left and self.action.finished_at else []
        return f"{', '.join(parts)}. {self.action.stopped}".strip()


@dataclass(frozen=True)
class ItemRow:
    """`run_now`: the run's state by now, None if it is deleted."""

    item: BulkItem
    badge: Badge
    run_now: Badge | None


def offers(asked: Asked, runs: RunQuerySet, user: Any) -> list[Offer]:
    """What this person can do to these runs, which the filter leaves. Each is counted up to a limit, by an index."""
    kinds = [kind for kind in PERMISSIONS if user.has_perm(PERMISSIONS[kind]) and not STATES_OF[kind].isdisjoint(possible(asked))]
    made = [_offer(kind, asked, _fitting(kind, runs)) for kind in kinds]
    return [offer for offer in made if offer.count]


def plan(kind: BulkAction.Kind, asked: Asked, user: Any) -> Plan:
    """What would be done now, oldest run first."""
    every, searched = found(asked, user)
    runs = _fitting(kind, every)
    chosen = dict(sorted(runs.order_by().values_list("pk", "status")[: BulkAction.MOST]))  # no index has them in this order
    first = Run.objects.for_rows().in_bulk(list(chosen)[:SHOWN])
    rows = _with_prices(run_rows([first[pk] for pk in chosen if pk in first], user))
    return Plan(_offer(kind, asked, runs), chosen, rows, searched, now())


def visible(brands: Brands) -> QuerySet[BulkAction]:
    """Those whose runs are all of these brands: their words and figures are of all their runs."""
    every = BulkAction.objects.all()
    if brands.every:
        return every
    items = BulkItem.objects.filter(action=OuterRef("pk"))
    return every.filter(Exists(items.filter(brands.q()))).exclude(Exists(items.exclude(brands.q())))


def bulk_actions(user: Any) -> QuerySet[BulkAction]:
    return visible(brands_for(user)).select_related("requested_by").order_by("-pk")


def bulk_rows(actions: Iterable[BulkAction]) -> list[BulkRow]:
    """In one query, however many there are."""
    shown = list(actions)
    counts: defaultdict[int, dict[str, int]] = defaultdict(dict)
    states = BulkItem.objects.filter(action__in=shown).order_by().values_list("action", "state")
    for pk, state, number in states.annotate(number=Count("pk")):
        counts[pk][state] = number
    return [_row(action, counts[action.pk]) for action in shown]


def items_of(action: BulkAction) -> QuerySet[BulkItem]:
    """Those that need a look first."""
    place = Case(*(When(state=state, then=Value(at)) for at, state in enumerate(FIRST)), output_field=IntegerField())
    return action.items.select_related("run__job", "run__brand").order_by(place, "number")


def item_rows(items: Iterable[BulkItem]) -> list[ItemRow]:
    return [_item_row(item) for item in items]


def waits_for_a_worker(row: BulkRow) -> str:
    """Why it does not go on: only workers do it. '' while one is alive."""
    if row.action.finished_at or not (why := no_worker_since(timezone.now())):
        return ""
    return f"{why} This bulk action goes on when one starts."


def _fitting(kind: BulkAction.Kind, runs: RunQuerySet) -> RunQuerySet:
    fits = {
        Kind.CANCEL: Q(status__in=LIVE_VALUES, cancel_requested_at=None),
        Kind.RETRY: Q(status__in=[RunStatus.FAILED, RunStatus.CANCELLED]),
        Kind.RUN_NOW: Q(status=RunStatus.PENDING, due_at__gt=now()),
    }
    return runs.filter(fits[kind])


def _offer(kind: BulkAction.Kind, asked: Asked, runs: RunQuerySet) -> Offer:
    some = runs.order_by()[: BulkAction.MOST + 1]
    expected = cost_together(some)
    cost = expected.usd
    if kind == Kind.CANCEL and cost:
        spent = UpstreamRun.objects.filter(run__in=some.values("pk")).aggregate(usd=Sum("cost_actual"))["usd"]
        cost = max(cost - (spent or Decimal(0)), Decimal(0))
    what = STATES[asked.status][0].lower() if asked.status and asked.status != "retry" else USUALLY[kind]
    count, most = expected.count, BulkAction.MOST
    return Offer(kind, what, min(count, most), count > most, cost, expected.unknown)


def _with_prices(rows: list[RunRow]) -> list[tuple[RunRow, str]]:
    usual = usual_costs({row.run.job_type for row in rows if row.run.cost_estimate is None and is_paid(row.run.job_type)})
    return [(row, _price(row.run, usual)) for row in rows]


def _price(run: Run, usual: Mapping[str, Decimal]) -> str:
    usd = usual.get(run.job_type) if run.cost_estimate is None else run.cost_estimate
    if usd is None:
        return "not known yet" if is_paid(run.job_type) else "free"
    return f"≈ ${usd:.2f}"


def _row(action: BulkAction, counts: Mapping[str, int]) -> BulkRow:
    done, skipped, failed, left = (counts.get(state, 0) for state in (State.DONE, State.SKIPPED, State.FAILED, State.WAITING))
    if not action.finished_at:
        badge = RUNNING if done + skipped + failed else QUEUED
    elif action.stopped:
        badge = ABORTED if action.aborted_by_id else STOPPED
    else:
        badge = CHECK if failed else COMPLETED
    return BulkRow(action, badge, done, skipped, failed, left)


def _item_row(item: BulkItem) -> ItemRow:
    left = item.state == State.WAITING and item.action.finished_at
    run = item.run
    by_now = run_badge(run.status, verdict=run.verdict, tries_failed=run.attempt) if run else None
    return ItemRow(item, NOT_DONE if left else RESULTS[State(item.state)], by_now)
