"""The list of a competitor's ads: filters, order, what is new and gone, landing pages, CSV."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from competitors.models import AdMedia, AdReading, CompetitorAd, LandingPage
from pipeline import api
from pipeline.models import Run
from tests.factories import make_ad, make_brand, make_competitor, make_library, make_media, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def ads(library):
    competitor = library.competitor
    old = {"last_seen_at": timezone.now() - timedelta(days=9)}
    make_ad(competitor, "1", title="Chews", started_on=date(2026, 5, 4))
    make_ad(competitor, "2", title="Bône broth", started_on=date(2025, 1, 1), display_format="VIDEO")
    make_ad(competitor, "3", title="Over", status="inactive", started_on=date(2026, 1, 1), ended_on=date(2026, 1, 11), **old)
    make_ad(competitor, "4", title="Undated", status="not_seen", started_on=None, **old)
    make_ad(make_competitor(make_brand("Southpaw"), "Other"), "5", title="Foreign")
    return competitor


@pytest.fixture
def shown(ads):
    client = Client()
    client.force_login(make_person("vera", "viewer"))

    def ids(name="ad_list", **query):
        response = client.get(reverse(name, args=[ads.brand.slug, ads.pk]), query)
        assert response.status_code == 200
        return response

    return ids


def found(response):
    return [card["ad"].ad_archive_id for card in response.context["cards"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, "2 3 1 4"),
        ({"sort": "newest"}, "1 3 2 4"),
        ({"sort": "seen"}, "2 1 4 3"),
        ({"state": "active"}, "2 1"),
        ({"state": "not_seen"}, "4"),
        ({"format": "VIDEO"}, "2"),
        ({"q": "BONE broth"}, "2"),
        ({"q": "bone nothing"}, ""),
        ({"since": f"{timezone.now() - timedelta(days=3):%Y-%m-%d}"}, "2 1"),
        ({"state": "active", "format": "IMAGE", "q": "chews"}, "1"),
    ],
)
def test_filters_and_order(shown, query, expected):
    ids = found(shown(**query))
    assert sorted(ids) == sorted(expected.split())
    if query.get("sort") != "seen":
        assert ids == expected.split()


@pytest.mark.parametrize(
    "query", [{"state": "ended"}, {"format": "NONE"}, {"since": "soon"}, {"sort": "x"}, {"change": "x"}, {"stat": "active"}]
)
def test_a_wrong_value_is_named_and_hides_nothing(shown, query):
    response = shown(**query)
    assert len(found(response)) == 4
    assert "It was ignored." in response.content.decode()


def test_how_long_an_ad_has_been_running_or_ran(shown):
    days = {card["ad"].ad_archive_id: card["days"] for card in shown().context["cards"]}
    assert days["3"] == 10
    assert days["4"] is None
    assert days["1"] == (timezone.localdate() - date(2026, 5, 4)).days


def test_what_is_new_and_what_has_vanished_since_the_last_reading(shown, library):
    for ids, days in ((["1", "3"], 2), (["1", "2"], 1)):
        run = api.queue_one_time_job(library.competitor.brand_id, "toy", {}).run
        Run.objects.filter(pk=run.pk).update(status="cancelled", completed_at=timezone.now())
        read_at = timezone.now() - timedelta(days=days)
        AdReading.objects.create(competitor=library.competitor, url=library.url, run=run, read_at=read_at, complete=True, ads=ids)
    assert found(shown(change="new")) == ["2"]
    assert found(shown(change="vanished")) == ["3"]
    assert [tab["count"] for tab in shown().context["tabs"]] == [None, 1, 1]


def test_landing_pages_with_active_ads_are_listed(shown, ads):
    at = {"first_seen_at": timezone.now(), "last_seen_at": timezone.now()}
    page = LandingPage.objects.create(competitor=ads, host="barkwell.example", path="/chews", active_ads=3, **at)
    CompetitorAd.objects.filter(ad_archive_id="1").update(landing_page=page)
    LandingPage.objects.create(competitor=ads, host="barkwell.example", path="/gone", active_ads=0, **at)
    body = shown().content.decode()
    assert "barkwell.example/chews" in body
    assert "/gone" not in body
    assert f"landing={page.pk}" in body
    assert found(shown(landing=page.pk)) == ["1"]
    assert len(found(shown(landing=page.pk + 99))) == 4


STATES = {  # status and reason of an ad's picture → what stands in its place
    ("waiting", ""): ("Waiting", "The next run downloads it."),
    ("failed", "server_error"): ("Download failed", "The server failed. The next run tries again."),
    ("refused", "too_big"): ("Not stored", "Larger than the limit."),
    ("unavailable", "expired"): ("Unavailable", "The link has expired. The next reading brings a new one."),
    ("unavailable", "removed_by_policy"): ("Removed by policy", "Removed by Meta for its content."),
    ("unavailable", "none_in_ad"): ("No picture", "This ad is text only."),
}


def test_a_card_shows_the_picture_or_why_there_is_none(shown, ads):
    ad = CompetitorAd.objects.get(ad_archive_id="1")
    assert "Read before pictures were stored." in shown().content.decode()
    place = AdMedia.objects.create(competitor_ad=ad, role="picture")
    for (status, reason), words in STATES.items():
        AdMedia.objects.update(status=status, reason=reason)
        body = shown(q="chews").content.decode()
        assert all(word in body for word in words), reason
    AdMedia.objects.update(status="stored", reason="", media=make_media(b"GIF89a"))
    assert f'<img src="/media/{place.pk}/" alt=""' in shown(q="chews").content.decode()


def test_the_file_has_all_ads_that_the_list_shows(shown, ads):
    make_ad(ads, "6", title="=cmd()", platforms=["FACEBOOK", "INSTAGRAM"], status="not_seen")
    lines = shown("ad_list_csv", state="not_seen").content.decode("utf-8-sig").splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("6,not_seen,Barkwell,'=cmd(),")
    assert lines[1].endswith("FACEBOOK INSTAGRAM")


def test_a_foreign_text_keeps_its_direction_to_itself(shown, ads):
    make_ad(ads, "7", title="\u202eevil <b>", link_url="https://evil.example/?a=<b>")
    body = shown(q="evil").content.decode()
    assert "<b>" not in body
    assert 'href="https://evil.example/?a=&lt;b&gt;" rel="noreferrer nofollow"' in body


def test_queries_do_not_grow_with_ads_and_ad_lists(shown, ads, library, django_assert_num_queries):
    with CaptureQueriesContext(connection) as few:
        shown()
    for country in ("US", "DE", "FR"):
        make_library(ads, library.url.replace("ALL", country))
    for number in range(30):
        AdMedia.objects.create(competitor_ad=make_ad(ads, f"9{number}"), role="picture")
    with django_assert_num_queries(len(few)):
        assert len(shown(sort="seen", page=2).context["cards"]) == 10
