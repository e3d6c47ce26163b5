"""Traps of an earlier system. None of them comes back; each test says its name."""

import pytest
from django.db import DatabaseError

from competitors.jobs.template_scrape import landing
from competitors.models import AdMedia, LibraryAd, TemplateCandidate
from pipeline.models import DatasetStatus
from pipeline.states import RunStatus

from .conftest import NO_ADS

pytestmark = pytest.mark.django_db(transaction=True)


def test_trap_no_ads_found_is_completed_and_its_dataset_stays_running(scrape):
    run = scrape(NO_ADS)
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "ok")
    assert run.summary.endswith("Apify found no ads.")
    status = DatasetStatus.objects.get(dataset_key="templates_scraped")
    assert (status.last_status, status.last_success_at) == ("completed", run.completed_at)


def test_trap_a_run_with_every_save_failed_is_completed(scrape, monkeypatch):
    def refuse(*_, **__):
        raise DatabaseError("disk full")

    monkeypatch.setattr(landing, "land", refuse)
    run = scrape()
    assert (run.status, run.attempt) == (RunStatus.PENDING, 1)
    assert not LibraryAd.objects.exists()
    assert not DatasetStatus.objects.filter(last_success_at__isnull=False).exists()


def test_trap_a_run_again_never_downloads_what_failed_since_the_ad_is_no_longer_new(scrape, sandbox, settings):
    settings.MEDIA_EXTRA_HOSTS = []
    first = scrape()
    assert (first.status, first.verdict) == (RunStatus.COMPLETED, "ok")
    assert not AdMedia.objects.filter(status="stored").exists()
    assert not TemplateCandidate.objects.exists()
    AdMedia.objects.filter(reason="address_refused").update(status="failed", reason="server_error")
    settings.MEDIA_EXTRA_HOSTS = [sandbox.url.removeprefix("http://")]
    again = scrape()
    assert again.counts.get("new", 0) == 0
    assert again.counts["files"] == AdMedia.objects.filter(status="stored").count() > 0
    assert TemplateCandidate.objects.count() == again.counts["queued"] > 0


def test_trap_impressions_lose_their_range(scrape):
    scrape()
    told = LibraryAd.objects.exclude(impressions_text="")
    ranges = {
        text: (lower, upper)
        for text, lower, upper in told.values_list("impressions_text", "impressions_lower", "impressions_upper")
    }
    assert ranges
    known = {"<100": (0, 100), "1K-5K": (1000, 5000), ">1M": (1_000_000, None)}
    assert all(ranges[text] == known[text] for text in ranges.keys() & known.keys())
    assert not told.filter(impressions_lower=None, impressions_upper=None).exists()


def test_trap_ads_without_a_video_sign_are_taken_for_pictures(scrape):
    run = scrape(max_ads=10)
    shown = AdMedia.objects.filter(role="picture").values("library_ad").distinct().count()
    assert shown + AdMedia.objects.filter(reason="none_in_ad").count() == LibraryAd.objects.count() == run.counts["new"]
