"""The ads of a window as a CSV file: those that the page's filters choose, in its order. Numbers without signs or commas."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.http import QueryDict

from pipeline.contract import ListFile, list_export

from ..figures.ads import AdRow
from ..figures.words import plain_money, rounded
from .page import page

COLUMNS = [
    "account_id", "currency", "since", "until", "ad_id", "name", "status", "days", "spend", "impressions", "clicks",
    "link_clicks", "purchases", "purchase_value", "video_views", "video_thruplays", "roas", "ctr", "cpc", "cpm", "hook_rate",
    "hold_rate",
]  # fmt: skip


@list_export("performance", page.may_view, "competitors.view_brandad")
def ad_file(user: Any, query: QueryDict, brand: str) -> ListFile:
    report = page.report(brand, query)
    account, window = report.account, report.window
    basis = [account.account_id, account.currency, window.since, window.until]
    name = f"{account.account_id}-{window.since}-{window.until}.csv"
    return ListFile(name, COLUMNS, [basis + cells for cells in _lines(report.matching, account.currency)])


def _lines(rows: Iterable[AdRow], currency: str) -> Iterator[list[Any]]:
    for row in rows:
        now = row.now
        rates = [now.roas, now.ctr, plain_money(now.cpc, currency), plain_money(now.cpm, currency), now.hook, now.hold]
        yield [
            row.ad_id,
            row.name,
            row.state.word,
            row.days,
            plain_money(now.spend, currency),
            now.impressions,
            now.clicks,
            now.link_clicks,
            now.purchases,
            plain_money(now.purchase_value, currency),
            now.video_views,
            now.video_thruplays,
            *(None if rate is None else rounded(rate, 4) for rate in rates),
        ]
