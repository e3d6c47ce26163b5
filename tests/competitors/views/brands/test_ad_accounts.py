"""An ad account is linked by its number or address; its row and the banners say what Meta tells of it."""

from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from competitors.models import AdAccount
from competitors.sandbox.server import serve
from competitors.views.brands import ad_accounts
from pipeline.engine.workers.inline import work_one
from pipeline.models import DatasetStatus, Run
from tests.factories import make_brand, make_person

pytestmark = pytest.mark.django_db
MANAGER = "https://adsmanager.facebook.com/adsmanager/manage/campaigns"


@pytest.fixture
def brand():
    return make_brand()


@pytest.fixture
def page():
    client = Client()
    client.force_login(make_person("olga", "operator"))
    return client


def link(page, brand, given, **more):
    return page.post(reverse("account_link", args=[brand.slug]), {"account_id": given, **more})


def said(response):
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("act_42", "act_42"),
        (" 42 ", "act_42"),
        ("ACT_42", "act_42"),
        (f"{MANAGER}?act=42&business_id=7", "act_42"),
        (f"{MANAGER}?business_id=7&act=42#x", "act_42"),
        ("https://graph.facebook.com/v26.0/act_42/ads", "act_42"),
        (MANAGER, "In Ads Manager, its number stands behind act=."),
        ("act_", "has digits only"),
        ("act_0", "has digits only"),
        ("act_4२", "has digits only"),
        ("4२", "has digits only"),
        ("x", "has digits only"),
        ("act_1234567890123456789012345678901", "has digits only"),
        ("", "This field is required."),
        ("7", "act_7 is already linked to Northpaw."),
        ("act_8", "act_8 is already linked to Southpaw. Remove it there first."),
    ],
)
def test_an_account_is_linked_by_its_number_or_address(page, brand, given, expected):
    AdAccount.objects.create(brand=brand, account_id="act_7")
    AdAccount.objects.create(brand=make_brand("Southpaw"), account_id="act_8")
    response = link(page, brand, given)
    linked = AdAccount.objects.exclude(account_id__in=["act_7", "act_8"]).first()
    if expected.startswith("act_") and " " not in expected:
        assert (response.status_code, linked.account_id, linked.brand) == (303, expected, brand)
    else:
        assert (response.status_code, linked) == (422, None)
        assert expected in " ".join(response.context["form"].errors["account_id"])
        assert 'aria-invalid="true"' in response.content.decode()


def test_a_brand_that_is_not_open_is_not_named_and_an_archived_one_gives_its_accounts_free(brand):
    southpaw = make_brand("Southpaw")
    AdAccount.objects.create(brand=southpaw, account_id="act_8")
    page = Client()
    page.force_login(make_person("olga", "operator", brand))
    words = link(page, brand, "8").context["form"].errors["account_id"]
    assert words == ["act_8 is already linked to another brand. Remove it there first."]
    southpaw.archived_at = timezone.now()
    southpaw.save()
    assert link(page, brand, "8").status_code == 303
    brand.archived_at = timezone.now()
    brand.save()
    assert link(page, brand, "9").status_code == 422


@pytest.mark.django_db(transaction=True)
def test_linking_asks_meta_about_the_account_and_its_row_says_what_came(page, brand, settings):
    response = link(page, brand, "123456789", next="/ads/northpaw/")
    run = Run.objects.get()
    assert (run.job_type, run.parameters["ad_account"], run.parameters["parts"]) == ("meta_sync", "act_123456789", ["account"])
    assert response.headers["Location"] == "/ads/northpaw/"
    assert f"See run {run.pk}" in said(response)
    research = reverse("research", args=[brand.slug])
    assert "Checking…" in page.get(research).content.decode()
    settings.META_ACCESS_TOKEN = "EAAB-a-token-for-tests"
    with serve(seed=7) as sandbox:
        settings.META_GRAPH_URL = sandbox.graph_url
        sandbox.account.config.change({"token_seconds": 5 * 86_400})
        work_one()
    account, body = AdAccount.objects.get(), page.get(research).content.decode()
    assert account.name in body
    assert f"act_123456789, USD, {account.time_zone}" in body
    assert "Token: 4 days left" in body
    assert "Checking…" not in body
    assert not DatasetStatus.objects.exists(), "nothing was refreshed but the account"
    elsewhere = link(page, brand, "43", next="https://evil.example/").headers["Location"]
    assert elsewhere.startswith("/brands/northpaw/research/#")


def test_an_account_that_cannot_be_checked_now_is_linked_and_says_so(page, brand, monkeypatch):
    monkeypatch.setattr(ad_accounts, "SYNC", "meta_snyc")
    response = link(page, brand, "42")
    assert "Linked <bdi>act_42</bdi>, but it could not be checked. There is no job type" in said(response)
    assert "Not checked at Meta yet" in page.get(reverse("research", args=[brand.slug])).content.decode()


def test_the_row_says_what_meta_told_and_banners_stand_where_accounts_are_shown(page, brand):
    now = timezone.now()
    told = {"currency": "JPY", "time_zone": "Asia/Tokyo", "token_state": "valid", "checked_at": now}
    known = AdAccount.objects.create(
        brand=brand, account_id="act_1", name="\u202eNorth", token_expires_at=now + timedelta(days=3), **told
    )
    AdAccount.objects.create(brand=brand, account_id="act_2", token_state="valid", checked_at=now)
    elsewhere = AdAccount.objects.create(brand=make_brand("Southpaw"), account_id="act_3", token_state="blocked", checked_at=now)
    body = page.get(reverse("research", args=[brand.slug])).content.decode()
    assert "act_1, JPY, Asia/Tokyo" in body
    assert "Meta shows no such account" in body
    assert "Token: 2 days left" in body
    assert f"The Meta token of \u2068{known.name}\u2069" not in body, "each text keeps its direction to itself"
    assert "ends in 2 days" in body
    assert "Meta has blocked" not in body
    overview = page.get("/").content.decode()
    assert "ends in 2 days" in overview
    assert "Meta has blocked act_3." in overview
    assert "Needs you in some days" not in overview
    AdAccount.objects.filter(pk=known.pk).update(token_expires_at=now + timedelta(days=12))
    assert "ends in 11 days" in page.get("/").content.decode().partition("Needs you in some days")[2]
    limited = Client()
    limited.force_login(make_person("lea", "viewer", elsewhere.brand))
    assert "ends in 2 days" not in limited.get("/").content.decode()
