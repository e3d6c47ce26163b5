"""Files that tests import, and what the pages say of them."""

import re
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from competitors.models import AdAccount, BrandSubreddit, Competitor, CompetitorAdLibrary, CompetitorAmazonUrl
from pipeline.models import Brand

PLACE, ALL = "/competitors/northpaw/import/", "/competitors/brands.csv/import/"
HEADER = "competitor,amazon_url"


def preview(client: Client, *rows: str, place: str = PLACE, header: str = HEADER) -> Any:
    return client.post(place, {"file": SimpleUploadedFile("x.csv", "\n".join([header, *rows]).encode())})


def signed(page: Any) -> str:
    found = re.search(r'name="preview" value="([^"]+)"', page.content.decode())
    assert found, "the preview offers no import"
    return found[1]


def take(client: Client, *rows: str, **which: str) -> Any:
    return client.post(which.get("place", PLACE), {"preview": signed(preview(client, *rows, **which))})


def outcomes(page: Any) -> list[str]:
    return [row.outcome for row in page.context["plan"].rows]


def told(page: Any, row: int) -> dict[str, str]:
    """By column, what is wrong with or to know about the row."""
    return {
        cell.column: cell.error or cell.note
        for one in page.context["plan"].rows
        if one.number == row
        for cell in one.cells
        if cell.error or cell.note
    }


def state() -> Any:
    listings = CompetitorAmazonUrl.objects.order_by("pk").values_list("pk", "amazon_url", "asin", "domain_code")
    libraries = CompetitorAdLibrary.objects.order_by("pk").values_list("pk", "url", "competitor")
    accounts = AdAccount.objects.order_by("pk").values_list("pk", "account_id", "name", "brand")
    of_brands = (Brand.objects.order_by("pk").values_list(), BrandSubreddit.objects.order_by("pk").values_list(), accounts)
    competitors = Competitor.objects.order_by("pk").values_list("pk", "name", "brand")
    return [list(rows) for rows in (*of_brands, competitors, listings, libraries)]


def exported(client: Client, slug: str = "northpaw") -> str:
    answer: Any = client.get(reverse("competitors_csv", args=[slug]) if slug else reverse("brands_csv"))
    return answer.content.decode()
