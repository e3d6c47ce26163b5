"""From a file to competitors and brands: the preview, the import, the export that imports again."""

import csv
import html
import io
from random import Random
from typing import Any

import pytest
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from competitors.models import AdAccount, BrandSubreddit, Competitor, CompetitorAdLibrary, CompetitorAmazonUrl
from competitors.reading.ad_library import clean_address
from competitors.views.brands.csv_file import plan, views
from pipeline.models import Brand, Run
from tests.factories import AD_PAGE, make_brand, make_competitor, make_library, make_listing, make_person

from .csv_file import PLACE, exported, outcomes, preview, signed, state, take, told

pytestmark = pytest.mark.django_db


def test_the_preview_says_what_each_row_would_do_and_changes_nothing(manager: Client, listing: CompetitorAmazonUrl) -> None:
    before = state()
    page = preview(
        manager,
        "Barkwell,B09XK4T2LM",
        "Barkwell,https://www.amazon.com/Chews/dp/B09XK4T2LM?th=1",
        "Pawsome,https://www.amazon.de/dp/B0CQ7Z8M4T",
        "Pawsome,",
        "Barkwell,https://example.com/",
    )
    assert outcomes(page) == ["unchanged", "refused", "added", "unchanged", "refused"]
    assert told(page, 3) == {"amazon_url": "Row 2 has B09XK4T2LM (amazon.com) already."}
    assert told(page, 5) == {"competitor": "Row 4 names it already."}
    assert "This is not an Amazon address." in told(page, 6)["amazon_url"]
    assert "<button" in page.content.decode()
    assert "Import 1 row</button>" in page.content.decode()
    assert state() == before


def test_the_import_does_what_the_preview_said_and_reports_it(manager: Client, listing: CompetitorAmazonUrl) -> None:
    long = "https://www.amazon.com/Chews/dp/B09XK4T2LM?th=1"
    rows = [f"barkwell,{long}", "Pawsome,B0CQ7Z8M4T", "Pawsome,amazon.de/dp/B0CQ7Z8M4T", "Nobody,?", "Alone,"]
    said = outcomes(preview(manager, *rows))
    page = take(manager, *rows)
    assert outcomes(page) == said == ["changed", "added", "added", "refused", "added"]
    assert "4 rows imported" in page.content.decode()
    assert told(page, 2)["competitor"] == "Taken as Barkwell."
    listing.refresh_from_db()
    assert (listing.amazon_url, listing.product_title) == (long, "Calming chews")
    assert sorted(Competitor.objects.values_list("name", flat=True)) == ["Alone", "Barkwell", "Pawsome"]
    of_pawsome = CompetitorAmazonUrl.objects.filter(competitor__name="Pawsome").order_by("domain_code")
    assert [one.amazon_url for one in of_pawsome] == [
        "https://www.amazon.com/dp/B0CQ7Z8M4T",
        "https://www.amazon.de/dp/B0CQ7Z8M4T",
    ]


def test_an_import_that_is_sent_again_changes_nothing(manager: Client, brand: Brand) -> None:
    token = signed(preview(manager, "Pawsome,B0CQ7Z8M4T"))
    manager.post(PLACE, {"preview": token})
    before = state()
    assert outcomes(manager.post(PLACE, {"preview": token})) == ["unchanged"]
    assert state() == before


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "Use at least one letter"),
        ("\u200b", "Use at least one letter"),
        ("\u3164", "Use at least one letter"),
        ("x" * 201, "at most 200"),
        ("Old", "This competitor is archived. Restore it first."),
    ],
)
def test_a_competitor_that_cannot_be_used_is_told_at_its_cell(manager: Client, brand: Brand, name: str, words: str) -> None:
    Competitor.objects.create(brand=brand, name="Old", archived_at=timezone.now())
    page = preview(manager, f"{name},B0CQ7Z8M4T")
    assert outcomes(page) == ["refused"]
    assert words in told(page, 2)["competitor"]
    assert "There is nothing to import." in page.content.decode()


def test_names_that_look_alike_are_one_competitor_within_the_file_too(manager: Client, brand: Brand) -> None:
    page = take(manager, "Pawsome,B0CQ7Z8M4T", "ＰＡＷＳＯＭＥ,B09XK4T2LM", "Paw\u200bsome,B0DK5F3N7Q")
    assert outcomes(page) == ["added"] * 3
    assert told(page, 3)["competitor"] == "Taken as Pawsome."
    assert Competitor.objects.get().amazon_urls.count() == 3


def test_a_refused_row_adds_nothing_not_even_its_competitor(manager: Client, brand: Brand) -> None:
    page = take(manager, "Pawsome,nonsense", "Other,B09XK4T2LM", "Other,B0CQ7Z8M4T,more", "Pawsome,B0DK5F3N7Q")
    assert outcomes(page) == ["refused", "added", "refused", "added"]
    assert "more cells" in told(page, 4)["competitor"]
    assert CompetitorAmazonUrl.objects.count() == 2


def test_two_hundred_rows_take_hardly_more_queries_than_two(manager: Client, brand: Brand) -> None:
    def queries(rows: list[str]) -> tuple[int, int]:
        with CaptureQueriesContext(connection) as shown:
            token = signed(preview(manager, *rows, header="competitor,amazon_url,ad_library_url,ad_account,subreddit"))
        with CaptureQueriesContext(connection) as saved:
            assert set(outcomes(manager.post(PLACE, {"preview": token}))) == {"added"}
        return len(shown), len(saved)

    few = queries([f"Few {number},B0AAAAAA{number:02},{AD_PAGE}{number},1{number},few{number}" for number in range(2)])
    Run.objects.all().delete()  # Meta was asked about the new ad accounts
    many = queries([f"Many {number},B0BBBBB{number:03},{AD_PAGE}{number},2{number},many{number}" for number in range(200)])
    assert few[0] == many[0]
    assert many[1] - few[1] <= 13  # SQLite takes so many values in one statement
    assert CompetitorAmazonUrl.objects.count() == CompetitorAdLibrary.objects.count() == 202


def test_addresses_of_ad_libraries_are_imported_in_their_one_form(manager: Client, brand: Brand) -> None:
    typed = f"{AD_PAGE}&utm_source=mail"
    rows = (f"Pawsome,{typed}", f"Pawsome,{AD_PAGE}", f"Other,{AD_PAGE}", "Pawsome,https://example.com/", f"Pawsome,{AD_PAGE}1")
    header = "competitor,ad_library_url"
    page = preview(manager, *rows, header=header)
    assert outcomes(page) == ["added", "refused", "added", "refused", "added"]
    assert told(page, 3) == {"ad_library_url": "Row 2 has Page 248734494998159 already."}
    assert "This is not an Ad Library address." in told(page, 5)["ad_library_url"]
    manager.post(PLACE, {"preview": signed(page)})
    found = CompetitorAdLibrary.objects.filter(competitor__name="Pawsome").values_list("url", flat=True)
    assert set(found) == {AD_PAGE, f"{AD_PAGE}1"}
    assert outcomes(preview(manager, rows[0], header=header)) == ["unchanged"]


def test_the_export_imports_again_and_changes_nothing(manager: Client, listing: CompetitorAmazonUrl) -> None:
    brand = listing.competitor.brand
    make_listing(listing.competitor, asin="B0CQ7Z8M4T", domain_code="de")
    odd = ["=1+1", "-Minus", "a;=b", 'Quo"ted', "Komma, Ltd", "資生堂", "'Tis", "Two 'quotes'"]
    for number, name in enumerate(odd):
        make_listing(make_competitor(brand, name), asin=f"B0AAAAAA{number:02}")
    make_library(listing.competitor)
    make_library(make_competitor(brand, "Ads only"), clean_address("https://facebook.com/ads/library/?q=calming%20chews"))
    make_competitor(brand, "Alone")
    Competitor.objects.create(brand=brand, name="Old", archived_at=timezone.now())
    Brand.objects.filter(pk=brand.pk).update(time_zone="Europe/Berlin")
    AdAccount.objects.create(brand=brand, account_id="act_1", name="=Main")
    AdAccount.objects.create(brand=brand, account_id="act_2")
    BrandSubreddit.objects.create(brand=brand, name="dogs")
    text = exported(manager)
    header = "competitor,ad_library_url,amazon_url,ad_account,ad_account_name,subreddit,time_zone"
    assert text.startswith(f"\ufeff{header}\r\n,,,act_1,'=Main,dogs,Europe/Berlin\r\n,,,act_2,,,\r\n")
    assert "Old" not in text
    before = state()
    page = manager.post(PLACE, {"file": SimpleUploadedFile("x.csv", text.encode())})
    assert set(outcomes(page)) == {"unchanged"}
    assert len(outcomes(page)) == 14
    assert state() == before


def test_the_export_of_one_brand_fills_another(manager: Client, listing: CompetitorAmazonUrl) -> None:
    make_competitor(listing.competitor.brand, "=1+1")
    make_brand("Southpaw")
    place = "/competitors/southpaw/import/"
    page = manager.post(place, {"file": SimpleUploadedFile("x.csv", exported(manager).encode())})
    manager.post(place, {"preview": signed(page)})
    assert exported(manager, "southpaw") == exported(manager)
    assert Competitor.objects.filter(brand__slug="southpaw", name="=1+1").exists()


def test_the_file_names_what_the_person_may_see_only(page: Client, operator: Any, listing: CompetitorAmazonUrl) -> None:
    assert next(csv.reader(io.StringIO(exported(page)))) == ["\ufeffcompetitor", "amazon_url", "time_zone"]
    operator.user_permissions.remove(operator.user_permissions.get(codename="view_competitoramazonurl"))
    assert exported(page) == "\ufeffcompetitor,time_zone\r\nBarkwell,\r\n"


def test_rows_that_need_another_right_say_who_has_it(page: Client, operator: Any, listing: CompetitorAmazonUrl) -> None:
    for codename in ("add_competitoramazonurl", "change_competitoramazonurl"):
        operator.user_permissions.remove(operator.user_permissions.get(codename=codename))
    said = preview(page, "Pawsome,B0CQ7Z8M4T", "Barkwell,https://www.amazon.com/x/dp/B09XK4T2LM", "Other,")
    assert outcomes(said) == ["refused", "refused", "added"]
    assert "Only operators can add competitor Amazon URLs." in told(said, 2)["amazon_url"]
    assert "Only operators can change" in told(said, 3)["amazon_url"]


def test_a_preview_is_of_one_brand_one_person_and_one_day(manager: Client, brand: Brand, monkeypatch: Any) -> None:
    make_brand("Southpaw")
    token = signed(preview(manager, "Pawsome,B0CQ7Z8M4T"))
    other = Client()
    other.force_login(make_person("other", "manager"))
    mine = signing.dumps([str(brand.pk), 1, "competitor\nForged"], salt="another salt", compress=True)
    sent = [
        manager.post("/competitors/southpaw/import/", {"preview": token}),
        other.post(PLACE, {"preview": token}),
        *(manager.post(PLACE, {"preview": forged}) for forged in (token[:-1], token + "x", "", mine)),
    ]
    monkeypatch.setattr(views, "KEPT_SECONDS", -1)
    for answer in [*sent, manager.post(PLACE, {"preview": token})]:
        assert answer.status_code == 422
        assert "Nothing was imported. Upload the file again." in answer.content.decode()
    assert not Competitor.objects.exists()


def test_an_archived_brand_takes_no_import(manager: Client, brand: Brand) -> None:
    token = signed(preview(manager, "Pawsome,B0CQ7Z8M4T"))
    Brand.objects.update(archived_at=timezone.now())
    for answer in (preview(manager, "Pawsome,"), manager.post(PLACE, {"preview": token})):
        assert answer.status_code == 422
        assert "Northpaw is archived. Restore it first." in answer.content.decode()
    assert not Competitor.objects.exists()


def test_a_race_imports_nothing_and_says_so(manager: Client, brand: Brand, monkeypatch: Any) -> None:
    token = signed(preview(manager, "Pawsome,B0CQ7Z8M4T", "Other,B09XK4T2LM"))
    usual = plan.Plan.save

    def late(made: plan.Plan, by: Any) -> None:
        Competitor.objects.create(brand=brand, name="Other")  # by somebody else, since the plan was made
        usual(made, by)

    monkeypatch.setattr(plan.Plan, "save", late)
    answer = manager.post(PLACE, {"preview": token})
    assert answer.status_code == 422
    assert "Nothing was imported. Try again." in answer.content.decode()
    assert not CompetitorAmazonUrl.objects.exists()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "The submitted file is empty."),
        (b"name\nBarkwell\n", "“competitor” is not among them"),
        (b"PK\x03\x04", "a spreadsheet file, not CSV"),
        (b"competitor\n" + b"x" * 500_000, "larger than 500 KB"),
        (b"competitor\n" + b"A\n" * 1_001, "more than 1,000 rows"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_at_its_field(manager: Client, brand: Brand, data: bytes, words: str) -> None:
    answer = manager.post(PLACE, {"file": SimpleUploadedFile("x.csv", data)})
    assert answer.status_code == 422
    assert words in html.unescape(answer.content.decode())
    assert "<title>Error: " in answer.content.decode()


def test_the_largest_file_comes_through_its_preview(manager: Client, brand: Brand) -> None:
    draw = Random(7)
    rows = ["".join(chr(draw.randrange(0x4E00, 0x9FA5)) for _ in range(160)) + "," for _ in range(990)]
    page = take(manager, *rows)
    assert set(outcomes(page)) == {"added"}
    assert Competitor.objects.count() == 990


def test_what_others_wrote_is_text_in_the_report(manager: Client, brand: Brand) -> None:
    evil = "<script>alert(1)</script>"
    page = preview(manager, f"{evil},{evil}", header=f"competitor,amazon_url,{evil}")
    assert evil not in page.content.decode()
    assert html.escape(evil) in page.content.decode()


def test_columns_that_are_not_known_and_a_guessed_encoding_are_told(manager: Client, brand: Brand) -> None:
    data = "competitor;Notes\nMüller;x\n".encode("cp1252")
    body = manager.post(PLACE, {"file": SimpleUploadedFile("x.csv", data)}).content.decode()
    assert "<bdi>Notes</bdi>" in body
    assert "It was read as Windows-1252" in body
    assert "<bdi>Müller</bdi>" in body


@pytest.mark.parametrize("address", ["import/", "competitors.csv"])
def test_another_brands_file_is_not_found(brand: Brand, address: str) -> None:
    client = Client()
    client.force_login(make_person("limited", "manager", brand))
    make_brand("Southpaw")
    assert client.get(f"/competitors/southpaw/{address}").status_code == 404
    assert client.get(f"/competitors/northpaw/{address}").status_code == 200
