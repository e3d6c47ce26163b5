"""What a run is expected to cost and take, and what a person should know of it before the click.

Estimates learn from what good runs took. Failed starts, queues, retries, blocks and pauses do not count.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any, TypeAlias
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, F, Sum
from django.utils import timezone

from ..contract.job_type import Estimate, JobType
from ..contract.registry import find_type, get_type
from ..contract.tally import rows_met
from ..engine.execution.prices import per_thousand
from ..engine.upstreams.reuse import finished, stored_key
from ..models import ActorPrice, Attempt, Brand, DayTotal, Run, UpstreamRun
from ..models.runs import RunQuerySet
from ..people import brands_for
from ..states import Outcome
from ..words import clock, counted, days

USUAL_RUNS = 10  # the last accepted runs tell what is usual
LEARNED_FROM = 3  # fewer tell nothing yet
Span: TypeAlias = "tuple[datetime | None, datetime | None]"  # from, until
AT_WORK = (Outcome.PARKED, Outcome.COMPLETED)  # outcomes of attempts whose time led to the result


@dataclass(frozen=True)
class Effort:
    """`seconds` of work and upstream time; `usd` of the starts that succeeded, `price` per item that they were paid at."""

    seconds: float
    usd: Decimal
    price: Decimal


@dataclass(frozen=True)
class GoodRun:
    """What is learned from an accepted run. `effort`: None where no upstream run of it succeeded."""

    pk: int
    parameters: dict[str, Any]
    counts: dict[str, int]
    effort: Effort | None
    reused: bool  # it used another run's scrape


@dataclass(frozen=True)
class Wanted:
    """What a subject's scrape would fetch, and when its own data was fetched last."""

    reuse_key: str
    parameters: dict[str, Any]
    last_good: datetime | None


@dataclass(frozen=True)
class FreeData:
    """Data that was fetched for another subject and is as good as a scrape. `run`: what fetched it, if the person may see it."""

    fetched_at: datetime
    age: timedelta
    run: Run | None

    @property
    def words(self) -> str:
        """'Run 7 fetched the same data 12 minutes ago.'"""
        return f"{f'Run {self.run.pk}' if self.run else 'Another run'} fetched the same data {days(self.age)} ago."


@dataclass(frozen=True)
class PriceNow:
    """`usd` of one item; `notes`: what to know of it before the click."""

    usd: Decimal
    notes: list[str] = field(default_factory=list)


def efforts(run_ids: Sequence[int]) -> dict[int, Effort]:
    """By run, for those with an upstream run that succeeded, in two queries for all of them."""
    spans: dict[int, list[Span]] = {}
    paid: dict[int, tuple[Decimal, Decimal]] = {}
    good = UpstreamRun.objects.filter(run__in=run_ids, status=UpstreamRun.Status.SUCCEEDED).order_by()
    for run, start, end, usd, price in good.values_list("run", "started_at", "finished_at", "cost_actual", "price_per_item"):
        spans.setdefault(run, []).append((start, end))
        before, highest = paid.get(run, (Decimal(0), Decimal(0)))
        paid[run] = before + (usd or Decimal(0)), max(highest, price)
    tries = Attempt.objects.filter(run__in=run_ids, outcome__in=AT_WORK).order_by()
    for run, start, end in tries.values_list("run", "started_at", "ended_at"):
        if run in spans:
            spans[run].append((start, end))
    return {run: Effort(_covered(spans[run]), usd, price) for run, (usd, price) in paid.items()}


def estimate_of(run: Run) -> Estimate | None:
    """What a new run with this run's options would cost and take now. None where nothing is paid, or its subject is gone."""
    return estimate_for(run.job_type, run.brand, run.parameters)


def estimate_for(job_type: str, brand: Brand | None, parameters: dict[str, Any]) -> Estimate | None:
    """What a run with these parameters would cost and take now. None where nothing is paid, or its subject is gone."""
    handler = find_type(job_type)
    try:
        return handler.estimate(brand, parameters) if handler else None
    except DatabaseError:
        raise
    except Exception:  # noqa: BLE001  its subject is gone, or the type has a bug: the page shows the rest
        return None


def price_now(job_type: str) -> PriceNow:
    """What an item of the type's actor costs, as its upstream told a worker, else the type's usual price."""
    handler = find_type(job_type)
    if handler is None or not handler.actor:
        return PriceNow(Decimal(0))
    known = ActorPrice.objects.filter(source=handler.source, actor=handler.actor).first()
    usual = handler.usual_price() or Decimal(0)
    if known is None:
        return PriceNow(usual)
    at = timezone.now()
    price = known.at(at) or usual  # nothing per item: the usual price is the careful guess
    notes = []
    if price > usual:
        notes.append(f"The price is higher than usual: {per_thousand(price)}, usually {per_thousand(usual)}.")
    if known.next_usd and known.next_from and known.next_from > at and known.next_usd > price:
        notes.append(f"The price will rise to {per_thousand(known.next_usd)} on {clock(known.next_from)}.")
    return PriceNow(price, [*notes, known.warning] if known.warning else notes)


def over_the_limit(cost: Decimal, spent: Decimal) -> str:
    """What to say before a click that the day's limit would keep back; '' where it would not."""
    limit = settings.PIPELINE_DAILY_SPEND_LIMIT_USD
    if spent + cost <= limit:
        return ""
    # Not what is spent: whoever reads this may not see the other brands.
    return f"Over what is left of today's spend limit of ${limit:.2f}. It would wait until tomorrow."


def free_data(job_type: str, brand_id: UUID | None, wanted: Mapping[str, Wanted], user: Any) -> dict[str, FreeData]:
    """By subject: what another subject's scrape fetched lately that this one can use for free, in one query for all of them."""
    handler, now = get_type(job_type), timezone.now()
    keys = {subject: stored_key(job_type, one.reuse_key) for subject, one in wanted.items() if one.reuse_key}
    if not keys or not handler.reuse_within:
        return {}
    fetched = list(finished(list(keys.values())).filter(finished_at__gt=now - handler.reuse_within))
    found = {}
    for subject, key in keys.items():
        asked = wanted[subject]
        for one in fetched:
            at = one.finished_at
            if one.reuse_key != key or at is None or (asked.last_good and at <= asked.last_good):
                continue
            if (one.run.brand_id, one.run.subject) != (brand_id, subject) and handler.contains(
                one.run.parameters, asked.parameters
            ):
                found[subject] = FreeData(at, now - at, if_visible(one.run, brand_id, user))
                break
    return found


def if_visible(run: Run, brand_id: UUID | None, user: Any) -> Run | None:
    """The run, if its brand is this one, whose page the person sees, or is open to them too."""
    return run if run.brand_id == brand_id or run.brand_id in brands_for(user) else None


@dataclass(frozen=True)
class History:
    """What a run's result is compared with: the accepted runs of its subject.

    `runs` had the same options, of the last ten; `usual` is the median of their rows, None while they are too few to tell.
    """

    runs: int = 0
    usual: float | None = None
    had_rows: bool = False  # any of them, with whatever options: an empty result is odd then

    def words(self, row: str) -> str:
        """`row`: what one row is called."""
        if self.usual is None:
            return f"Learning: {self.runs} of {LEARNED_FROM} accepted runs with these options."
        return f"Usually about {counted(round(self.usual), row)}."


def history(handler: JobType, parameters: Mapping[str, Any], good_runs: Sequence[GoodRun], *, but: Run | None = None) -> History:
    """`good_runs`: of the subject, newest first, as good_runs() reads them. `but`: the run that is judged."""
    others = [run for run in good_runs if but is None or run.pk != but.pk]
    options = handler.options(parameters)
    same = [run for run in others if handler.options(run.parameters) == options]
    # A run that used another's scrape may have got more than its own options ask for.
    own = [rows_met(run.counts) for run in same if not run.reused][:USUAL_RUNS]
    return History(
        runs=len(own),
        usual=median(own) if len(own) >= LEARNED_FROM else None,
        had_rows=any(rows_met(run.counts) for run in others),
    )


@dataclass(frozen=True)
class CostTogether:
    """About what some runs cost. `usd`: None where nothing is paid. `unknown`: how many paid runs nobody can price yet."""

    count: int
    usd: Decimal | None
    unknown: int


def cost_together(runs: RunQuerySet) -> CostTogether:
    """`runs` may be a slice. A planned one has no estimate of its own until it starts. In two queries."""
    of_type = Run.objects.filter(pk__in=runs.values("pk")).order_by().values_list("job_type")
    sums = list(of_type.annotate(Count("pk"), Count("cost_estimate"), Sum("cost_estimate")))
    open_ = {name: count - priced for name, count, priced, _ in sums if count > priced and is_paid(name)}
    usual = usual_costs(open_)
    parts = [usd for *_, usd in sums if usd is not None] + [usual[name] * open_[name] for name in usual]
    return CostTogether(
        count=sum(count for _, count, *_ in sums),
        usd=sum(parts, Decimal(0)) if parts else None,
        unknown=sum(count for name, count in open_.items() if name not in usual),
    )


def usual_costs(job_types: Collection[str]) -> dict[str, Decimal]:
    """By type, USD of a completed run on average, for those of which some are known."""
    if not job_types:
        return {}
    days = DayTotal.objects.filter(job_type__in=job_types).order_by().values_list("job_type")
    sums = days.annotate(Sum("usd"), runs=Sum(F("good") + F("doubted")))
    return {name: usd / runs for name, usd, runs in sums if usd and runs}


def is_paid(job_type: str) -> bool:
    handler = find_type(job_type)
    return bool(handler and handler.actor)


def _covered(spans: Iterable[Span]) -> float:
    """Seconds that at least one span covers: on the web server an attempt lasts as long as its upstream run, and longer."""
    seconds, until = 0.0, None
    for start, end in sorted((start, end) for start, end in spans if start and end):
        begin = max(start, until) if until else start
        if end > begin:
            seconds, until = seconds + (end - begin).total_seconds(), end
    return seconds
