"""Adds up the days of ads by calendar month. Whoever writes days calls it, in the same transaction."""

from collections.abc import Collection, Iterator
from datetime import date, timedelta

from django.db.models import Count, Q, Sum

from competitors.models import AdAccount, AdDay, AdMonth

SUMS = ("spend", "impressions", "clicks", "link_clicks", "purchases", "purchase_value", "video_views", "video_thruplays")
A_MONTH = timedelta(days=31)


def lock(account: AdAccount) -> None:
    """Until the end of the transaction. Two that write days of one month would each add up without the other's."""
    AdAccount.objects.select_for_update(no_key=True).values("pk").get(pk=account.pk)


def add_up(account: AdAccount, days: Collection[tuple[str, date]]) -> None:
    """The months that these ads and days are in, in two statements for each calendar month."""
    by_month: dict[date, set[str]] = {}
    for ad_id, day in days:
        by_month.setdefault(day.replace(day=1), set()).add(ad_id)
    for month, ads in by_month.items():
        AdMonth.objects.bulk_create(
            _months(account, month, ads),
            update_conflicts=True,
            unique_fields=["ad_account", "ad_id", "month"],
            update_fields=["days", "video_impressions", *SUMS],
        )


def _months(account: AdAccount, month: date, ads: Collection[str]) -> Iterator[AdMonth]:
    last = (month + A_MONTH).replace(day=1) - timedelta(days=1)
    rows = AdDay.objects.filter(ad_account=account, ad_id__in=ads, date__range=(month, last)).order_by()
    sums = {f"sum_{name}": Sum(name) for name in SUMS}
    sums["sum_video_impressions"] = Sum("impressions", filter=Q(video_views__isnull=False))
    for row in rows.values("ad_id").annotate(days=Count("pk"), **sums):
        yield AdMonth(ad_account=account, month=month, **{name.removeprefix("sum_"): value for name, value in row.items()})
