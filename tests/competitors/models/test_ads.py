"""What the database itself refuses of ads, and what it keeps when others go."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from competitors.models import AdReading, CompetitorAd, LandingPage, LibraryAd
from pipeline import api
from tests.factories import make_ad, make_brand, make_competitor, make_library

pytestmark = pytest.mark.django_db


def refused(make):
    with pytest.raises(IntegrityError), transaction.atomic():
        make()


def test_an_address_and_an_ad_are_stored_once_per_competitor():
    ours, theirs = make_competitor(), make_competitor(make_brand("Southpaw"), "Barkwell")
    for competitor in (ours, theirs):
        make_library(competitor)
        make_ad(competitor)
    refused(lambda: make_library(ours))
    refused(lambda: make_ad(ours))


def test_a_landing_page_is_stored_once_per_competitor_even_in_the_longest_script():
    at = {"first_seen_at": timezone.now(), "last_seen_at": timezone.now()}
    longest = {"host": "語" * 253, "path": "".join(chr(0x20000 + n) for n in range(380))}
    ours = make_competitor()
    LandingPage.objects.create(competitor=ours, **longest, **at)
    refused(lambda: LandingPage.objects.create(competitor=ours, **longest, **at))


def test_an_ad_of_a_search_is_stored_once():
    at = timezone.now()
    LibraryAd.objects.create(ad_archive_id="1", first_seen_at=at, last_seen_at=at)
    refused(lambda: LibraryAd.objects.create(ad_archive_id="1", first_seen_at=at, last_seen_at=at))
    refused(lambda: LibraryAd.objects.create(ad_archive_id="2", first_seen_at=at, last_seen_at=at, times_seen=0))


def test_a_status_is_one_of_three():
    ad = make_ad(make_competitor())
    refused(lambda: CompetitorAd.objects.filter(pk=ad.pk).update(status="ended"))


def test_a_run_has_one_reading_and_a_complete_one_has_no_reason():
    competitor = make_competitor()
    run = api.queue_one_time_job(competitor.brand_id, "toy", {}).run
    reading = AdReading.objects.create(competitor=competitor, url="u", run=run, read_at=timezone.now())
    refused(lambda: AdReading.objects.create(competitor=competitor, url="v", run=run, read_at=timezone.now()))
    refused(lambda: AdReading.objects.filter(pk=reading.pk).update(complete=True, why_not="It was cut."))


def test_an_ad_outlives_its_landing_page_and_its_run():
    competitor, at = make_competitor(), timezone.now()
    page = LandingPage.objects.create(competitor=competitor, host="a.example", path="/", first_seen_at=at, last_seen_at=at)
    run = api.queue_one_time_job(competitor.brand_id, "toy", {}).run
    ad = make_ad(competitor, landing_page=page, first_run=run, last_run=run)
    page.delete()
    run.delete()
    ad.refresh_from_db()
    assert (ad.landing_page, ad.first_run, ad.last_run) == (None, None, None)
