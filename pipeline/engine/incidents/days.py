"""What the runs of each day came to, per type and brand: read by pages instead of a million runs.

Counted anew from the runs, so that nothing slows the end of a run and no crash makes it wrong. Today and yesterday each minute,
if their sums have changed.
"""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count, DurationField, ExpressionWrapper, F, Max, Q, QuerySet, Sum
from django.utils import timezone

from ...models import DayTally, DayTotal, Run, UpstreamRun
from ...states import RunStatus, Verdict

FIRST_TIME = timedelta(days=31)  # so far back the first count goes: this month
KEPT = timedelta(days=100)
FIGURES = ("good", "doubted", "failed", "seconds", "usd")


def count_days(at: datetime) -> None:
    """Count today and yesterday, and the days before that nobody has counted yet."""
    today = timezone.localdate(at)
    last = DayTotal.objects.aggregate(last=Max("day"))["last"]
    day = min(last or today - FIRST_TIME, today - timedelta(days=1))
    for model in (DayTally, DayTotal):
        model.objects.filter(day__lt=today - KEPT).delete()
    while day <= today:
        _count(day)
        day += timedelta(days=1)


def _count(day: date) -> None:
    start, end = _midnight(day), _midnight(day + timedelta(days=1))
    found: dict[tuple[str, UUID | None], dict[str, Any]] = {}
    ended_that_day = Run.objects.filter(completed_at__gte=start, completed_at__lt=end).order_by()
    paid = UpstreamRun.objects.paid().filter(intent_at__gte=start, intent_at__lt=end).order_by()
    if _sums(ended_that_day, paid) == _sums_known(day):
        return
    ended = ended_that_day.values("job_type", "brand_id")
    took = ExpressionWrapper(F("completed_at") - F("started_at"), DurationField())
    completed = ended.filter(status=RunStatus.COMPLETED).annotate(
        good=Count("pk", filter=Q(verdict=Verdict.OK)), doubted=Count("pk", filter=~Q(verdict=Verdict.OK)), took=Sum(took)
    )
    for row in completed:
        of = found.setdefault((row["job_type"], row["brand_id"]), {})
        of |= {"good": row["good"], "doubted": row["doubted"], "seconds": row["took"].total_seconds() if row["took"] else 0}
    for bad in ended.filter(status=RunStatus.FAILED).annotate(failed=Count("pk")):
        found.setdefault((bad["job_type"], bad["brand_id"]), {})["failed"] = bad["failed"]
    for spent in paid.values("run__job_type", "run__brand_id").annotate(usd=Sum("cost")):
        found.setdefault((spent["run__job_type"], spent["run__brand_id"]), {})["usd"] = spent["usd"] or Decimal(0)
    rows = [DayTally(day=day, job_type=name, brand_id=brand, **of) for (name, brand), of in found.items()]
    totals: dict[str, DayTotal] = {}
    for tally in rows:
        total = totals.setdefault(tally.job_type, DayTotal(day=day, job_type=tally.job_type))
        for figure in FIGURES:
            setattr(total, figure, getattr(total, figure) + getattr(tally, figure))
    try:
        with transaction.atomic():
            DayTally.objects.filter(day=day).delete()
            DayTotal.objects.filter(day=day).delete()
            DayTotal.objects.bulk_create(totals.values())
            DayTally.objects.bulk_create(rows)
    except IntegrityError:  # another worker has just counted it
        return


def _sums(ended: QuerySet[Run], paid: QuerySet[UpstreamRun]) -> tuple[Any, ...]:
    good = Q(status=RunStatus.COMPLETED, verdict=Verdict.OK)
    found = ended.aggregate(
        good=Count("pk", filter=good),
        doubted=Count("pk", filter=Q(status=RunStatus.COMPLETED) & ~good),
        failed=Count("pk", filter=Q(status=RunStatus.FAILED)),
    )
    return found["good"], found["doubted"], found["failed"], paid.aggregate(usd=Sum("cost"))["usd"] or 0


def _sums_known(day: date) -> tuple[Any, ...]:
    found = DayTotal.objects.filter(day=day).aggregate(*(Sum(name) for name in ("good", "doubted", "failed", "usd")))
    return tuple(found[f"{name}__sum"] or 0 for name in ("good", "doubted", "failed", "usd"))


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))
