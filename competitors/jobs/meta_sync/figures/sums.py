"""What the rows of ad days add up to: one query for each question, however many ads and days there are."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Model, Q, QuerySet, Sum

from competitors.models import AccountDay, AdAccount, AdDay, AdDemographicDay

from .rates import NAMES, Figures
from .window import Window

RETURN = ("spend", "purchase_value")  # what the period before is compared by, for each ad
CUT = ("spend", "impressions", "link_clicks", "purchases", "purchase_value")  # what a part of an ad's day has
COLUMNS = tuple(name for name in NAMES if name != "video_impressions")
MONEY = {"spend", "purchases", "purchase_value"}
EXACT = Decimal("0.0001")  # as the columns are: SQLite adds up binary fractions


@dataclass(frozen=True, slots=True)
class AdSums:
    """An ad's window, and what it spent and earned in the period before."""

    now: Figures
    before: Figures
    days: int  # with a row in the window

    @property
    def parts(self) -> tuple[Figures, Figures, int]:
        return self.now, self.before, self.days


def of_ads(account: AdAccount, window: Window) -> dict[str, AdSums]:
    """By ad id: those with a row in the window."""
    inside, outside = Q(date__gte=window.since), Q(date__lt=window.since)
    sums = {f"now_{name}": _sum(name, inside) for name in NAMES}
    sums |= {f"before_{name}": _sum(name, outside) for name in RETURN}
    rows = _days(AdDay, account, window, with_before=True).values("ad_id").annotate(days=Count("pk", filter=inside), **sums)
    split = 2 + len(NAMES)
    return {
        row[0]: AdSums(_figures(NAMES, row[2:split]), _figures(RETURN, row[split:]), row[1])
        for row in rows.values_list("ad_id", "days", *sums)
        if row[1]
    }


def by_day(account: AdAccount, window: Window) -> dict[date, Figures]:
    """What the ads of each day did together, also in the period before."""
    return dict(_by(_days(AdDay, account, window, with_before=True), "date"))


def own_by_day(account: AdAccount, window: Window) -> dict[date, Figures]:
    """The account's own total of each day, also in the period before."""
    rows = _days(AccountDay, account, window, with_before=True).values_list("date", *COLUMNS)
    return {row[0]: _figures(COLUMNS, row[1:]) for row in rows}


def of_demographics(account: AdAccount, ad_id: str, window: Window) -> dict[str, list[tuple[str, Figures]]]:
    """By kind of breakdown: each part of the ad's window, the one that cost most first."""
    rows = _days(AdDemographicDay, account, window).filter(ad_id=ad_id).values("kind", "breakdown")
    rows = rows.annotate(**{f"sum_{name}": Sum(name) for name in CUT})
    found: dict[str, list[tuple[str, Figures]]] = {}
    for kind, breakdown, *values in rows.values_list("kind", "breakdown", *(f"sum_{name}" for name in CUT)):
        found.setdefault(kind, []).append((breakdown, _figures(CUT, values)))
    for parts in found.values():
        parts.sort(key=lambda part: (-(part[1].spend or 0), part[0]))
    return found


def _days(model: type[Model], account: AdAccount, window: Window, *, with_before: bool = False) -> QuerySet[Any]:
    since = window.before.since if with_before else window.since
    return model._default_manager.filter(ad_account=account, date__range=(since, window.until)).order_by()


def _by(rows: QuerySet[Any], name: str) -> Iterator[tuple[Any, Figures]]:
    sums = {f"sum_{one}": _sum(one, Q()) for one in NAMES}
    for row in rows.values(name).annotate(**sums).values_list(name, *sums):
        yield row[0], _figures(NAMES, row[1:])


def _sum(name: str, rows: Q) -> Sum:
    """Pictures have no share in the rates of videos."""
    if name == "video_impressions":
        return Sum("impressions", filter=rows & Q(video_views__isnull=False))
    return Sum(name, filter=rows) if rows else Sum(name)


def _figures(names: Sequence[str], values: Iterable[Any]) -> Figures:
    return Figures(**{name: _number(name, value) for name, value in zip(names, values, strict=True) if value is not None})


def _number(name: str, value: Any) -> Any:
    """PostgreSQL adds up whole numbers to decimals."""
    return Decimal(value).quantize(EXACT) if name in MONEY else int(value)
