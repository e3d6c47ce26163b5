"""What the rows of ad days add up to: one query for each question, however many ads and days there are."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Model, Q, QuerySet, Sum

from competitors.models import AccountDay, AdAccount, AdDay, AdDemographicDay, AdMonth

from .rates import NAMES, Figures
from .window import Window

RETURN = ("spend", "purchase_value")  # what the period before is compared by, for each ad
CUT = ("spend", "impressions", "link_clicks", "purchases", "purchase_value")  # what a part of an ad's day has
MONEY = {"spend", "purchases", "purchase_value"}
COLUMNS = tuple(name for name in NAMES if name != "video_impressions")
EXACT = Decimal("0.0001")  # as the columns are: SQLite adds up binary fractions


def of_ads(account: AdAccount, window: Window) -> Iterator[tuple[str, int, Figures, Figures]]:
    """Of each ad with a row in the window: its id, its days in it, its figures, and its return in the period before.

    Whole months are read as they are added up already, the days around them one by one.
    """
    now, before = window.months, window.before.months
    days = _days(AdDay, account, window, with_before=True)
    for months in filter(None, (now, before)):
        days = days.exclude(date__range=(months[0], _last_day(months[-1])))
    found = _by_ad(days, Q(date__gte=window.since), Q(date__lt=window.since), Count("pk", filter=Q(date__gte=window.since)), _sum)
    if now or before:
        months_of = AdMonth.objects.filter(ad_account=account, month__in=[*now, *before]).order_by()
        inside, outside = Q(month__gte=window.since), Q(month__lt=window.since)
        for ad_id, values in _by_ad(months_of, inside, outside, Sum("days", filter=inside), _sum_of_months).items():
            found[ad_id] = [_plus(*pair) for pair in zip(values, found[ad_id], strict=True)] if ad_id in found else values
    split = 1 + len(NAMES)
    now_of, before_of = _reader(NAMES), _reader(RETURN)
    for ad_id, values in found.items():
        if values[0]:
            yield ad_id, values[0], now_of(values[1:split]), before_of(values[split:])


def by_day(account: AdAccount, days: Collection[date]) -> dict[date, Figures]:
    """What the ads of each of these days did together."""
    if not days:
        return {}
    # The range is for the index, which would be asked for each day of a list.
    rows = AdDay.objects.filter(ad_account=account, date__range=(min(days), max(days)), date__in=days).order_by()
    sums = {f"sum_{name}": _sum(name) for name in NAMES}
    of = _reader(NAMES)
    return {row[0]: of(row[1:]) for row in rows.values("date").annotate(**sums).values_list("date", *sums)}


def own_by_day(account: AdAccount, window: Window) -> dict[date, Figures]:
    """The account's own total of each day, also in the period before."""
    of = _reader(COLUMNS)
    rows = _days(AccountDay, account, window, with_before=True).values_list("date", *COLUMNS)
    return {row[0]: of(row[1:]) for row in rows}


def of_demographics(account: AdAccount, ad_id: str, window: Window) -> dict[str, list[tuple[str, Figures]]]:
    """By kind of breakdown: each part of the ad's window, the one that cost most first."""
    rows = _days(AdDemographicDay, account, window).filter(ad_id=ad_id).values("kind", "breakdown")
    rows = rows.annotate(**{f"sum_{name}": _sum(name) for name in CUT})
    of = _reader(CUT)
    found: dict[str, list[tuple[str, Figures]]] = {}
    for row in rows.values_list("kind", "breakdown", *(f"sum_{name}" for name in CUT)):
        found.setdefault(row[0], []).append((row[1], of(row[2:])))
    for parts in found.values():
        parts.sort(key=lambda part: (-(part[1].spend or 0), part[0]))
    return found


def _days(model: type[Model], account: AdAccount, window: Window, *, with_before: bool = False) -> QuerySet[Any]:
    since = window.before.since if with_before else window.since
    return model._default_manager.filter(ad_account=account, date__range=(since, window.until)).order_by()


def _by_ad(rows: QuerySet[Any], inside: Q, outside: Q, days: Any, add: Callable[[str, Q], Any]) -> dict[str, Sequence[Any]]:
    sums = {f"now_{name}": add(name, inside) for name in NAMES} | {f"before_{name}": add(name, outside) for name in RETURN}
    # Not `days`: months have a column of that name.
    grouped = rows.values("ad_id").annotate(day_count=days, **sums).values_list("ad_id", "day_count", *sums)
    return {row[0]: row[1:] for row in grouped}


def _sum_of_months(name: str, rows: Q) -> Any:
    return Sum(name, filter=rows)


def _plus(one: Any, other: Any) -> Any:
    return other if one is None else one if other is None else one + other


def _last_day(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _sum(name: str, rows: Q | None = None) -> Any:
    if name == "video_impressions":  # pictures have no share in the rates of videos
        has_video = Q(video_views__isnull=False)
        name, rows = "impressions", has_video if rows is None else rows & has_video
    return Sum(name, filter=rows)


def _reader(names: Sequence[str]) -> Any:
    """Makes Figures of values in the order of these names."""
    places = [(names.index(name), place, name in MONEY) for place, name in enumerate(NAMES) if name in names]

    def read(values: Sequence[Any]) -> Figures:
        found: list[Any] = [None] * len(NAMES)
        for source, place, money in places:
            value = values[source]
            if value is not None:
                found[place] = value.quantize(EXACT) if money else value
        return Figures._make(found)

    return read
