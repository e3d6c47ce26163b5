"""Brand Research: a row per ad account of a brand, and below them the ads with their pictures and videos."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Count, QuerySet
from django.http import QueryDict
from django.utils.functional import SimpleLazyObject

from competitors.models import AdAccount, AdMedia, MediaStatus
from competitors.views.access import get_brand
from competitors.views.brands.ad_accounts import LinkForm, account_words, with_check
from competitors.views.brands.tokens import token_notices
from competitors.views.subjects.page import Cell, SubjectPage

from ..job import NAME
from ..limits import Limits
from .file_filter import FileFilter

Counts = dict[str, int]  # files by MediaStatus


class ResearchPage(SubjectPage[AdAccount]):
    job_type = NAME
    url_name, tab = "research", "Brand Research"
    templates = "competitors/asset_download"
    may_view = "competitors.view_adaccount"
    may_scrape = "competitors.scrape_adaccount"
    work, verb, noun = "Download", "Download files", "ad account"
    act, acted, costs, key_kind = "Download", "downloaded", False, "int"
    columns = ("Files",)

    def place(self, address: Mapping[str, Any]) -> dict[str, Any]:
        return {"brand": get_brand(address["brand"])}

    def rows(self, place: Mapping[str, Any]) -> QuerySet[AdAccount]:
        return with_check(AdAccount.objects.filter(brand=place["brand"]).select_related("brand"))

    def parameters(self, row: AdAccount) -> dict[str, Any]:
        return {"ad_account_id": row.account_id, "only": None}

    def asks(self, parameters: Mapping[str, Any]) -> str:
        limits = Limits.of(parameters)
        return f"({limits.videos} videos, {limits.images} images)"

    def facts(self, rows: Sequence[AdAccount]) -> dict[str, Counts]:
        found: dict[str, Counts] = {self.key(row): {} for row in rows}
        counted = AdMedia.objects.filter(brand_ad__ad_account__in=rows).order_by().values_list("brand_ad__ad_account", "status")
        for pk, status, count in counted.annotate(count=Count("pk")):
            found[str(pk)][status] = count
        return found

    def cells(self, row: AdAccount, facts: Counts, user: Any) -> list[Cell]:
        return [Cell(f"{facts.get(MediaStatus.STORED, 0):,}", of=f"stored files of {row}")]

    def more(self, place: Mapping[str, Any], facts: Mapping[str, Counts]) -> dict[str, Any]:
        brand = place["brand"]
        totals = {one.value: sum(counts.get(one.value, 0) for counts in facts.values()) for one in MediaStatus}
        # A poll shows the totals only.
        files = SimpleLazyObject(lambda: FileFilter(brand, place.get("asked") or QueryDict()))
        tokens = SimpleLazyObject(lambda: token_notices(AdAccount.objects.filter(brand=brand)))
        return {"totals": totals, "files": files, "tokens": tokens, "form": LinkForm(brand=brand, auto_id="link_%s")}

    def nothing_yet(self, facts: Any) -> tuple[str, str]:
        return "No runs yet.", "Press Download. You can close this page meanwhile; the run shows up here."

    def below(self, row: AdAccount) -> str:
        return account_words(row)


page = ResearchPage()
