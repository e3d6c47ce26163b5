"""Ad Performance: one of a brand's ad accounts over some days, and below that a row per account with its syncs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, QueryDict

from competitors.models import AdAccount
from competitors.views.access import get_brand
from competitors.views.brands.ad_accounts import LinkForm, account_words, with_check
from competitors.views.brands.tokens import token_badge, token_notices
from competitors.views.subjects.page import SubjectPage
from pipeline.states import Badge

from ..job import NAME
from . import state
from .report.account import Report


@dataclass(frozen=True)
class Facts:
    account: AdAccount
    token: Badge


class PerformancePage(SubjectPage[AdAccount]):
    job_type = NAME
    url_name, tab = "performance", "Ad Performance"
    templates = "competitors/meta_sync"
    may_view = "competitors.view_adday"
    may_scrape = "competitors.scrape_adaccount"
    work, verb, noun = "Sync", "Sync", "ad account"
    act, acted, costs, key_kind = "Sync", "synced", False, "int"
    covers_all = True

    def place(self, address: Mapping[str, Any]) -> dict[str, Any]:
        return {"brand": get_brand(address["brand"])}

    def rows(self, place: Mapping[str, Any]) -> QuerySet[AdAccount]:
        return with_check(AdAccount.objects.filter(brand=place["brand"]).select_related("brand"))

    def parameters(self, row: AdAccount) -> dict[str, Any]:
        return {"ad_account": row.account_id}

    def url(self, row: AdAccount) -> str:
        return row.performance_url()

    def facts(self, rows: Sequence[AdAccount]) -> dict[str, Facts]:
        return {self.key(row): Facts(row, token_badge(row)) for row in rows}

    def more(self, place: Mapping[str, Any], facts: Mapping[str, Facts]) -> dict[str, Any]:
        asked = place.get("asked") or QueryDict()
        accounts = [one.account for one in facts.values()]
        account = _chosen(accounts, asked)
        if account is None:
            return {"account": None, "form": LinkForm(brand=place["brand"], auto_id="link_%s")}
        clocks = cache(lambda: state.clocks(account, place["brand"]))
        return {
            "account": account,
            "account_facts": facts[self.key(account)],
            "others": facts.values(),
            "parts": state.parts(),
            "form": LinkForm(brand=place["brand"], auto_id="link_%s"),
            # To be called by the template: a poll shows none of them.
            "clocks": clocks,
            "tokens": lambda: token_notices(accounts),
            "banners": lambda: state.banners(clocks()),
            "report": cache(lambda: Report(account, accounts, asked)),
        }

    def report(self, brand: str, asked: QueryDict) -> Report:
        """For a page of its own. 404 if the brand has no account."""
        accounts = list(self.rows(self.place({"brand": brand})))
        account = _chosen(accounts, asked)
        if account is None:
            raise Http404
        return Report(account, accounts, asked)

    def nothing_yet(self, facts: Any) -> tuple[str, str]:
        return "No runs yet.", "Press Sync. You can close this page meanwhile; the run shows up here."

    def below(self, row: AdAccount) -> str:
        return account_words(row)


def _chosen(accounts: Sequence[AdAccount], asked: QueryDict) -> AdAccount | None:
    return next((one for one in accounts if one.account_id == asked.get("account")), accounts[0] if accounts else None)


page = PerformancePage()
