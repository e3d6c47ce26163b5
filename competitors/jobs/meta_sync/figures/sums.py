"""What the rows of ad days add up to: one query for each question, however many ads and days there are."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Model, Q, QuerySet, Sum

from competitors.models import AccountDay, AdAccount, AdDay, AdDemographicDay

from .rates import NAMES, Figures
from .window import Window

RETURN = ("spend", "purchase_value")  # what the period before is compared by, for each ad
CUT = ("spend", "impressions", "link_clicks", "purchases", "purchase_value")  # what a part of an ad's day has
MONEY = {"spend", "purchases", "purchase_value"}
COLUMNS = tuple(name for name in NAMES if name != "video_impressions")
EXACT = Decimal("0.0001")  # as the columns are: SQLite adds up binary fractions


def of_ads(account: AdAccount, window: Window) -> Iterator[tuple[str, int, Figures, Figures]]:
    """Of each ad with a row in the window: its id, its days in it, its figures, and its return in the period before."""
    inside, outside = Q(date__gte=window.since), Q(date__lt=window.since)
    sums = {f"now_{name}": _sum(name, inside) for name in NAMES}
    sums |= {f"before_{name}": _sum(name, outside) for name in RETURN}
    rows = _days(AdDay, account, window, with_before=True).values("ad_id").annotate(days=Count("pk", filter=inside), **sums)
    split = 2 + len(NAMES)
    now_of, before_of = _reader(NAMES), _reader(RETURN)
    for row in rows.values_list("ad_id", "days", *sums):
        if row[1]:
            yield row[0], row[1], now_of(row[2:split]), before_of(row[split:])


def by_day(account: AdAccount, days: Collection[date]) -> dict[date, Figures]:
    """What the ads of each of these days did together."""
    rows = AdDay.objects.filter(ad_account=account, date__in=days).order_by()
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
