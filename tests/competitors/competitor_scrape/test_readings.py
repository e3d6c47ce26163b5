"""What scrapes say of ads that are gone: only complete readings of one address, far enough apart, say that an ad is over."""

import pytest

from competitors.jobs.competitor_scrape.readings import CHECK_FIRST, compare
from competitors.models import AdReading, CompetitorAd, LandingPage
from pipeline import api
from tests.competitors.scraping import finish
from tests.factories import AD_PAGE, make_library, make_user

pytestmark = pytest.mark.django_db(transaction=True)
ELSEWHERE = AD_PAGE.replace("country=ALL", "country=US")  # shows the same ads
ALL = AD_PAGE.replace("active_status=active", "active_status=all")  # also those that are over
NO_ADS = AD_PAGE.replace("248734494998159", "248734490000")


def a_day_later(sandbox):
    """Two of the library's ads are over, three are new."""
    sandbox.account.advance(days=1, new_reviews=0)


def statuses():
    found: dict[str, set[str]] = {}
    for status, ad in CompetitorAd.objects.values_list("status", "ad_archive_id"):
        found.setdefault(status, set()).add(ad)
    return found


def reading(run):
    return AdReading.objects.get(run=run)


def test_a_complete_reading_says_what_is_new_and_what_has_vanished_since_the_one_before(scrape, sandbox, library):
    first = scrape(hours_ago=1)
    a_day_later(sandbox)
    second = scrape()
    had, has = set(reading(first).ads), set(reading(second).ads)
    assert reading(first).counts == {"ads": len(had)}
    assert reading(second).counts == {"ads": len(has), "new": len(has - had), "vanished": len(had - has)}
    difference = compare(library.competitor, library.url)
    assert (set(difference.new), set(difference.vanished)) == (has - had, had - has)
    assert len(difference.new) == 3
    assert difference.vanished


def test_an_ad_that_one_complete_reading_lacks_is_not_seen_since(scrape, sandbox):
    first = scrape(hours_ago=20)
    a_day_later(sandbox)
    second = scrape()
    gone = set(reading(first).ads) - set(reading(second).ads)
    assert statuses() == {"active": set(reading(second).ads), "not_seen": gone}


def test_an_ad_that_two_complete_readings_six_hours_apart_lack_is_inactive(scrape, sandbox):
    first = scrape(hours_ago=30)
    a_day_later(sandbox)
    scrape(hours_ago=6.1)
    last = scrape()
    assert statuses() == {"active": set(reading(last).ads), "inactive": set(reading(first).ads) - set(reading(last).ads)}


def test_two_complete_readings_close_together_do_not_say_that_an_ad_is_over(scrape, sandbox):
    scrape(hours_ago=30)
    a_day_later(sandbox)
    scrape(hours_ago=5.9)
    scrape()
    assert set(statuses()) == {"active", "not_seen"}


def test_how_far_apart_is_a_setting(scrape, sandbox, settings):
    settings.ADS_INACTIVE_AFTER_HOURS = 2
    scrape(hours_ago=30)
    a_day_later(sandbox)
    scrape(hours_ago=2.5)
    scrape()
    assert set(statuses()) == {"active", "inactive"}


def test_an_ad_that_is_seen_again_is_active_again(scrape, sandbox):
    scrape(hours_ago=30)
    sandbox.account.faults.arm("hide_items", 0.25, count=2)
    scrape(hours_ago=8)
    assert len(statuses()["not_seen"]) > 10
    scrape(hours_ago=1)
    assert len(statuses()["inactive"]) > 10
    scrape()
    assert set(statuses()) == {"active"}


def test_an_item_that_says_that_it_is_over_is_inactive_at_once(scrape, library):
    CompetitorAd.objects.all().delete()
    scrape(of=make_library(library.competitor, ALL))
    over = CompetitorAd.objects.filter(status="inactive")
    assert over.exists()
    assert not over.filter(ended_on=None).exists()
    assert not CompetitorAd.objects.filter(status="active", ended_on__isnull=False).exists()


def test_landing_pages_count_active_ads_only(scrape, sandbox):
    scrape(hours_ago=30)
    before = sum(LandingPage.objects.values_list("active_ads", flat=True))
    sandbox.account.faults.arm("hide_items", 0.25, count=1)
    scrape()
    assert sum(LandingPage.objects.values_list("active_ads", flat=True)) < before
    for page in LandingPage.objects.all():
        assert page.active_ads == page.ads.filter(status="active").count()


# ---- what is not complete --------------------------------------------------------------------------------------------
def test_a_reading_that_reached_max_ads_is_not_complete_and_says_what_to_do(scrape):
    scrape(hours_ago=20)
    cut = scrape(max_ads=20)
    assert cut.verdict == "ok"
    assert (reading(cut).complete, reading(cut).why_not) == (
        False,
        "It reached its limit of 20 ads. Raise max ads to notice ads that ended.",
    )
    assert set(statuses()) == {"active"}


def test_an_empty_result_where_there_were_ads_marks_nothing_until_a_person_accepts_it(scrape, sandbox):
    scrape(hours_ago=20)
    sandbox.account.faults.arm("ads_not_found", count=1)
    run = scrape()
    assert (run.verdict, reading(run).why_not) == ("suspicious", CHECK_FIRST)
    assert set(statuses()) == {"active"}
    api.accept(run, make_user("manager", "pipeline.accept_run"))
    assert (reading(run).complete, set(statuses())) == (True, {"not_seen"})


def test_a_result_that_the_plan_cut_is_never_complete(scrape, sandbox):
    scrape(hours_ago=20)
    sandbox.account.faults.arm("plan_limit", 0.5, count=1)
    run = scrape()
    assert (run.verdict, reading(run).complete) == ("partial", False)
    assert reading(run).why_not.startswith("Cut by the plan at Apify")
    api.accept(run, make_user("manager", "pipeline.accept_run"))
    assert (reading(run).complete, set(statuses())) == (False, {"active"})


def test_a_library_without_ads_is_read_in_full(scrape, library):
    run = scrape(of=make_library(library.competitor, NO_ADS))
    assert (run.verdict, run.counts) == ("ok", {"raw": 1, "rejected": 1, "says_empty": 1})
    assert (reading(run).complete, reading(run).ads) == (True, [])


def test_what_a_failed_start_saw_is_not_part_of_the_reading(scrape, sandbox):
    scrape(hours_ago=20)
    sandbox.account.faults.arm("end_as", "FAILED:0.5", count=1)
    run = scrape()
    assert reading(run).ads
    sandbox.account.faults.arm("no_items", count=1)
    finish(run)
    assert (run.verdict, reading(run).ads) == ("suspicious", [])
    assert set(statuses()) == {"active"}


# ---- several addresses of one competitor -----------------------------------------------------------------------------
def test_an_ad_that_another_address_shows_stays_active(scrape, sandbox, library):
    other = make_library(library.competitor, ELSEWHERE)
    scrape(hours_ago=30)
    scrape(of=other, hours_ago=29)
    sandbox.account.faults.arm("hide_items", 0.25, count=1)
    scrape(hours_ago=8)
    assert "not_seen" in statuses()
    scrape(of=other, hours_ago=1)
    sandbox.account.faults.arm("hide_items", 0.25, count=1)
    scrape()
    assert "inactive" not in statuses()


def test_an_address_says_nothing_of_ads_that_it_never_showed(scrape, sandbox, library):
    make_library(library.competitor, NO_ADS)
    scrape(hours_ago=30)
    for hours in (20, 10, 0):
        scrape(ad_library_url=NO_ADS, hours_ago=hours)
    assert set(statuses()) == {"active"}
    assert compare(library.competitor, library.url) is None
