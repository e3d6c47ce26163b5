"""What the page shows of an account's window. Each part is read once, by the first who asks."""

from collections.abc import Sequence
from functools import cached_property
from heapq import nsmallest
from typing import Any

from django.core.paginator import Page
from django.db.models import Count, Min
from django.http import QueryDict
from django.urls import reverse

from competitors.models import AccountDay, AdAccount, AdDay, AdGap, AttentionRule, attribution_words
from pipeline.words import counted

from ...figures import ads, charts
from ...figures.ads import AdRow, Listed
from ...figures.attention import Attention, attention
from ...figures.days import Days, days
from ...figures.deltas import Delta, six
from ...figures.rates import added
from ...figures.window import Window
from ...figures.words import money
from . import cells
from .ad_filter import PAGE_SIZE, SORTS, AdFilter

TOP = 5
GAPS = 3  # that are named


class Report:
    def __init__(self, account: AdAccount, accounts: Sequence[AdAccount], query: QueryDict):
        self.account, self.currency = account, account.currency
        self.filter = AdFilter(accounts, account, query)
        self.window = self.filter.window

    # ---- what is read ------------------------------------------------------------------------------------------------
    @cached_property
    def rule(self) -> AttentionRule:
        return AttentionRule.objects.filter(brand=self.account.brand).first() or AttentionRule(brand=self.account.brand)

    @cached_property
    def listed(self) -> dict[str, Listed]:
        return ads.listed(self.account)

    @cached_property
    def rows(self) -> list[AdRow]:
        return ads.rows(self.account, self.window, self.listed)

    @cached_property
    def days(self) -> Days:
        return days(self.account, self.window, self.filter.today)

    @cached_property
    def known_since(self) -> Any:
        """The first day that anything is known of; None if there is none."""
        first = [
            model._default_manager.filter(ad_account=self.account).aggregate(first=Min("date"))["first"]
            for model in (AdDay, AccountDay)
        ]
        return min((day for day in first if day), default=None)

    # ---- the whole account -------------------------------------------------------------------------------------------
    @property
    def empty(self) -> bool:
        return not self.days.total.known

    @property
    def not_synced(self) -> bool:
        """Whether nothing is known because these days were never read."""
        return self.known_since is None or self.window.until < self.known_since

    @property
    def figures(self) -> list[Delta]:
        return six(self.days.total, self.days.before if self.filter.compares else None, self.currency)

    @cached_property
    def attention(self) -> Attention:
        idle = ads.idle(self.account, Window.of_days(self.filter.today, self.rule.idle_days), self.listed)
        return attention(self.rule, self.rows, idle, self.currency)

    @cached_property
    def top(self) -> list[AdRow]:
        """Those with the best return, of those that spent enough for it to mean something."""
        enough = (row for row in self.rows if row.now.spend and row.now.spend >= self.rule.roas_min_spend)
        found = [(-roas, row.ad_id, row) for row in enough if (roas := row.now.roas)]
        return [row for *_, row in nsmallest(TOP, found)]

    @property
    def top_lines(self) -> list[cells.AdLine]:
        return [self._lines[row.ad_id] for row in self.top]

    @property
    def top_from(self) -> str:
        return money(self.rule.roas_min_spend, self.currency)

    @cached_property
    def charts(self) -> list[charts.Chart]:
        return charts.three(self.days.days, self.days.total, self.window, self.currency, compares=self.filter.compares)

    @property
    def days_url(self) -> str:
        """The page with the charts' numbers of each day."""
        return reverse("performance_days", args=[self.account.brand.slug]) + self.filter.url(account=self.account.account_id)

    # ---- the ads -----------------------------------------------------------------------------------------------------
    @cached_property
    def matching(self) -> list[AdRow]:
        return self.filter.matching(self.rows)

    @cached_property
    def sheet(self) -> "Page[AdRow]":
        return self.filter.sheet(self.matching, PAGE_SIZE)

    @property
    def lines(self) -> list[cells.AdLine]:
        return [self._lines[row.ad_id] for row in self.sheet]

    @property
    def basis(self) -> str:
        """What the purchases of these days were counted by: days that were counted in another way do not compare."""
        told = AccountDay.objects.filter(ad_account=self.account, date__range=(self.window.since, self.window.until))
        ways = told.exclude(attribution="").values_list("attribution").annotate(days=Count("pk")).order_by("-days", "attribution")
        words = [(attribution_words(setting), days) for setting, days in ways]
        if len(words) > 1:
            each = "; ".join(f"{way} on {counted(days, 'day')}" for way, days in words)
            return f"Purchases of these days do not compare, as they are counted in several ways: {each}."
        return f"Purchases are counted by {words[0][0]}." if words else ""

    @cached_property
    def gaps(self) -> dict[str, Any]:
        """What Meta could not give when it was last asked."""
        found: list[AdGap] = list(self.account.gaps.all())
        return {"shown": found[:GAPS], "more": len(found[GAPS:])} if found else {}

    @property
    def headers(self) -> list[dict[str, str]]:
        return self.filter.headers({name: label for name, (label, _) in SORTS.items()})

    @property
    def sums(self) -> dict[str, Any]:
        """The closing rows: what matches, all ads, what no ad explains, and the account's own total."""
        of_ads = added(row.now for row in self.rows)
        return {
            "matching": cells.sums_in_words(added(row.now for row in self.matching), self.currency) if self.narrowed else {},
            "all": cells.sums_in_words(of_ads, self.currency),
            "unexplained": money(self.days.unexplained(of_ads), self.currency),
            "own": cells.sums_in_words(self.days.own, self.currency) if self.days.own else {},
            "lacking": self.days.lacking,
        }

    @cached_property
    def _lines(self) -> dict[str, cells.AdLine]:
        """Of every ad that the page names with its picture."""
        wanted = {row.ad_id: row for row in (*self.sheet, *self.top)}
        return {line.ad_id: line for line in cells.lines(self.account, list(wanted.values()), self.rule.roas_drop_percent)}

    @property
    def narrowed(self) -> bool:
        return len(self.matching) != len(self.rows)

    @property
    def matching_words(self) -> str:
        return f"Chosen ads ({len(self.matching):,})"

    @property
    def all_words(self) -> str:
        return f"All ads ({len(self.rows):,})"

    @property
    def all_url(self) -> str:
        return self.filter.url(ads="all")

    @property
    def query(self) -> str:
        return self.filter.url(account=self.account.account_id)
