"""The file of all brands, with what each has itself."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from competitors.models import AdAccount, BrandSubreddit, CompetitorAmazonUrl
from pipeline import api
from pipeline.models import Brand, Run
from tests.factories import make_brand, make_competitor, make_library, make_listing, make_person

from .csv_file import ALL, exported, outcomes, preview, signed, state, take, told

pytestmark = pytest.mark.django_db


def test_the_export_of_all_brands_makes_them_anew_in_an_empty_place(manager: Client, listing: CompetitorAmazonUrl) -> None:
    brand = listing.competitor.brand
    Brand.objects.filter(pk=brand.pk).update(time_zone="America/Los_Angeles")
    make_library(listing.competitor)
    make_listing(make_competitor(brand, "Pawsome"), asin="B0CQ7Z8M4T", domain_code="co.uk")
    AdAccount.objects.create(brand=brand, account_id="act_1", name="Main")
    for name in ("dogs", "AskVet"):
        BrandSubreddit.objects.create(brand=brand, name=name)
    make_competitor(make_brand("Südpfote; Söhne"), "Barkwell")
    make_brand("Alone")
    Brand.objects.filter(pk=make_brand("Old").pk).update(archived_at=timezone.now())
    text = exported(manager, "")
    assert text.startswith("\ufeffbrand,competitor,ad_library_url,amazon_url,ad_account,ad_account_name,subreddit,time_zone\r\n")
    before = state()
    file = {"file": SimpleUploadedFile("x.csv", text.encode())}
    assert set(outcomes(manager.post(ALL, file))) == {"unchanged"}
    assert state() == before
    Brand.objects.all().delete()
    file["file"].seek(0)
    page = manager.post(ALL, {"preview": signed(manager.post(ALL, file))})
    assert set(outcomes(page)) == {"added"}
    assert exported(manager, "") == text
    anew = Brand.objects.get(name="Northpaw")
    assert (anew.slug, anew.time_zone, anew.ad_accounts.get().name) == ("northpaw", "America/Los_Angeles", "Main")
    assert [run.parameters["parts"] for run in Run.objects.all()] == [["account"]], "Meta is asked about the ad account"


def test_what_a_brand_itself_has_may_stand_in_any_of_its_rows(manager: Client, brand: Brand) -> None:
    Brand.objects.filter(pk=make_brand("Old").pk).update(archived_at=timezone.now())
    AdAccount.objects.create(brand=make_brand("Southpaw"), account_id="act_9")
    AdAccount.objects.create(brand=brand, account_id="act_8", name="Told by Meta")
    job = api.ensure_recurring_job(brand.pk, "meta_sync", "0 3 * * *")
    header = "brand,competitor,ad_account,ad_account_name,subreddit,time_zone,amazon_url"
    rows = [
        "northpaw,Barkwell,1,,r/dogs,Europe/Berlin,",
        "Northpaw,Pawsome,act_1,Main,DOGS,Europe/Berlin,B0CQ7Z8M4T",
        "Northpaw,,,,,Europe/Rome,",
        "Northpaw,,9,,,,",
        "Northpaw,,8,Another name,,,",
        "Northpaw,,,Main,,,",
        "Northpaw,,x,,,,",
        "New,,2,,,Europe/Paris,",
        "New,,2,Second,cats,,",
        "Southpaw,,2,,,,",
        "Old,,3,,,,",
        "New,,,,,,B0CQ7Z8M4T",
        "Southpaw,,,,,Mars/Base,",
        ",Barkwell,,,,,",
    ]
    page = take(manager, *rows, place=ALL, header=header)
    said = {row: told(page, row) for row in range(2, 16)}
    assert outcomes(page)[:9] == ["added", "added", "refused", "refused", "unchanged", "refused", "refused", "added", "added"]
    assert set(outcomes(page)[9:]) == {"refused"}
    assert said[2] == {"brand": "Taken as Northpaw.", "competitor": "New competitor.", "time_zone": "It was that of the site."}
    assert said[4] == {"time_zone": "Row 3 says Europe/Berlin. A brand has one time zone."}
    assert said[5] == {"ad_account": "act_9 is already linked to Southpaw. Remove it there first."}
    assert said[7] == {"ad_account_name": "The cell “ad_account” of this row is empty."}
    assert "has digits only" in said[8]["ad_account"]
    assert said[11] == {"ad_account": "act_2 is already linked to New. Remove it there first."}
    assert said[12] == {"brand": "Old is archived. Restore it first."}
    assert "Use at least one letter" in said[13]["competitor"]
    assert "time zone" in said[14]["time_zone"]
    assert "Use at least one letter" in said[15]["brand"]
    brand.refresh_from_db()
    tick = job.runs.get().scheduled_for
    assert tick is not None
    assert (brand.time_zone, tick.astimezone(ZoneInfo("Europe/Berlin")).hour) == ("Europe/Berlin", 3)
    accounts = AdAccount.objects.order_by("account_id").values_list("brand__name", "account_id", "name")
    assert list(accounts) == [
        ("Northpaw", "act_1", "Main"),
        ("New", "act_2", "Second"),
        ("Northpaw", "act_8", "Told by Meta"),
        ("Southpaw", "act_9", ""),
    ]
    assert sorted(BrandSubreddit.objects.values_list("brand__name", "name")) == [("New", "cats"), ("Northpaw", "dogs")]
    assert "take the column out" in preview(manager, *rows, header=header).content.decode()


def test_who_may_not_add_or_change_brands_is_told_at_the_cell(page: Client, operator: Any, listing: CompetitorAmazonUrl) -> None:
    client = Client()
    client.force_login(make_person("limited", "manager", listing.competitor.brand))
    make_brand("Southpaw")
    said = preview(client, "Southpaw,Barkwell", "Northpaw,Pawsome", place=ALL, header="brand,competitor")
    assert outcomes(said) == ["refused", "added"]
    assert told(said, 2) == {"brand": "Only managers without a brand limit can add brands. Ask one."}
    assert "Southpaw" not in exported(client, "")
    operator.user_permissions.remove(operator.user_permissions.get(codename="add_brand"))
    rows = ("Northpaw,Europe/Berlin,", "Northpaw,,dogs", "New,,")
    said = preview(page, *rows, place=ALL, header="brand,time_zone,subreddit")
    assert "can change brands" in told(said, 2)["time_zone"]
    assert "can change brands" in told(said, 3)["subreddit"]
    assert "can add brands" in told(said, 4)["brand"]
