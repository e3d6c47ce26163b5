"""What the rows of ad days add up to: a few queries for each question, however many ads and days there are."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Count, DecimalField, Model, Q, QuerySet, Sum

from competitors.models import AccountDay, AdAccount, AdDay, AdDemographicDay, AdMonth

from .rates import NAMES, Figures
from .window import Window, stretches, today_of

RETURN = ("spend", "purchase_value")  # what the period before is compared by, for each ad
CUT = ("spend", "impressions", "link_clicks", "purchases", "purchase_value")  # what a part of an ad's day has
RETURN_OF_ALL = [NAMES.index(name) for name in RETURN]
COLUMNS = tuple(name for name in NAMES if name != "video_impressions")
Sums = dict[str, Sequence[Any]]  # by ad: how many days, then the sums
EXACT = Decimal("0.0001")  # as the columns are


class Total(Sum):
    """PostgreSQL's sums are exact as they come: nothing is converted, as a page reads thousands. SQLite adds binary fractions."""

    def get_db_converters(self, connection: BaseDatabaseWrapper) -> list[Any]:
        if connection.vendor == "postgresql":
            return []
        money = isinstance(self.output_field, DecimalField)
        return [*super().get_db_converters(connection), *([_exact] if money else [])]


def of_ads(account: AdAccount, window: Window) -> Iterator[tuple[str, int, Figures, Figures]]:
    """Of each ad with a row in the window: its id, its days in it, its figures, and its return in the period before.

    Whole months are read as they are added up already, the days around them one by one. The two periods are read apart: sums
    of which each takes its own rows only would look at every row of both.
    """
    now = window.with_days_to_come() if window.until >= today_of(account) else window
    loose = _of_days(account, now.loose, NAMES)
    before = _return(account, window.before, loose if now.loose == [window.before.rest] else None)
    for ad_id, (days, *values) in _together(_of_months(account, now, NAMES), loose).items():
        _, spend, value = before.get(ad_id, (0, None, None))
        yield ad_id, int(days), Figures._make(values), Figures(spend=spend, purchase_value=value)


def by_day(account: AdAccount, days: Collection[date]) -> dict[date, Figures]:
    """What the ads of each of these days did together."""
    if not days:
        return {}
    rows = AdDay.objects.filter(_in(stretches(days)), ad_account=account).order_by()
    sums = _sums(NAMES, of_days=True)
    return {row[0]: Figures._make(row[1:]) for row in rows.values("date").annotate(**sums).values_list("date", *sums)}


def own_by_day(account: AdAccount, window: Window) -> dict[date, Figures]:
    """The account's own total of each day, also in the period before."""
    rows = _days(AccountDay, account, Window(window.before.since, window.until)).values_list("date", *COLUMNS)
    return {row[0]: Figures(*row[1:]) for row in rows}


def of_demographics(account: AdAccount, ad_id: str, window: Window) -> dict[str, list[tuple[str, Figures]]]:
    """By kind of breakdown: each part of the ad's window, the one that cost most first."""
    sums = _sums(CUT, of_days=True)
    rows = _days(AdDemographicDay, account, window).filter(ad_id=ad_id).values("kind", "breakdown").annotate(**sums)
    found: dict[str, list[tuple[str, Figures]]] = {}
    for kind, breakdown, *values in rows.values_list("kind", "breakdown", *sums):
        found.setdefault(kind, []).append((breakdown, Figures(**dict(zip(CUT, values, strict=True)))))
    for parts in found.values():
        parts.sort(key=lambda part: (-(part[1].spend or 0), part[0]))
    return found


def _days(model: type[Model], account: AdAccount, window: Window) -> QuerySet[Any]:
    return model._default_manager.filter(ad_account=account, date__range=(window.since, window.until)).order_by()


def _return(account: AdAccount, window: Window, rest: Sums | None) -> Sums:
    """Of each ad in the window, perhaps of others as well. A last month of which most days are in it is read as a whole, and
    the other days are subtracted: 0 and nothing are the same for a return. `rest`: all sums of these days, where they are known.
    """
    if not window.rest:
        return _by_ad(account, window, RETURN)
    found = _by_ad(account, window.with_days_to_come(), RETURN)
    if rest is None:
        rest = _of_days(account, [window.rest], RETURN)
    else:
        rest = {ad_id: [count, *(sums[place] for place in RETURN_OF_ALL)] for ad_id, (count, *sums) in rest.items()}
    for ad_id, values in rest.items():
        if ad_id in found:
            found[ad_id] = [None if a is None else a - (b or 0) for a, b in zip(found[ad_id], values, strict=True)]
    return found


def _by_ad(account: AdAccount, window: Window, names: Sequence[str]) -> Sums:
    """Of each ad with a row in the window: how many days it has, and these sums."""
    return _together(_of_months(account, window, names), _of_days(account, window.loose, names))


def _of_months(account: AdAccount, window: Window, names: Sequence[str]) -> Sums:
    if not window.months:
        return {}
    months = AdMonth.objects.filter(ad_account=account, month__range=(window.months[0], window.months[-1])).order_by()
    return _rows(months.values("ad_id").annotate(day_count=Total("days"), **_sums(names)), names)


def _of_days(account: AdAccount, parts: Sequence[tuple[date, date]], names: Sequence[str]) -> Sums:
    if not parts:
        return {}
    days = AdDay.objects.filter(_in(parts), ad_account=account).order_by()
    return _rows(days.values("ad_id").annotate(day_count=Count("pk"), **_sums(names, of_days=True)), names)


def _in(parts: Sequence[tuple[date, date]]) -> Q:
    return reduce(or_, (Q(date__range=part) for part in parts))


def _together(found: Sums, others: Sums) -> Sums:
    if not found:
        return others
    for ad_id, values in others.items():
        found[ad_id] = _both(found[ad_id], values) if ad_id in found else values
    return found


def _rows(grouped: QuerySet[Any], names: Sequence[str]) -> Sums:
    # "day_count" and "sum_…", as the columns' own names are taken.
    return {row[0]: row[1:] for row in grouped.values_list("ad_id", "day_count", *(f"sum_{name}" for name in names))}


def _sums(names: Sequence[str], *, of_days: bool = False) -> dict[str, Any]:
    return {f"sum_{name}": _of_videos() if of_days and name == "video_impressions" else Total(name) for name in names}


def _of_videos() -> Any:
    """Impressions without those of pictures, which have no share in the rates of videos."""
    return Total("impressions", filter=Q(video_views__isnull=False))


def _both(one: Sequence[Any], other: Sequence[Any]) -> list[Any]:
    return [b if a is None else a if b is None else a + b for a, b in zip(one, other, strict=True)]


def _exact(value: Any, *_: Any) -> Any:
    return None if value is None else value.quantize(EXACT)
