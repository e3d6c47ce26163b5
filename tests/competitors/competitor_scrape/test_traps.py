"""Traps of an earlier system. None of them comes back; each test says its name."""

from datetime import date

import pytest
from django.db import DatabaseError

from competitors.jobs.competitor_scrape import landing
from competitors.models import AdReading, CompetitorAd
from pipeline import api
from pipeline.contract.errors import InvalidRequest
from pipeline.models import DatasetStatus, Run, UpstreamRun
from pipeline.states import RunStatus
from tests.competitors.competitor_scrape.test_readings import NO_ADS
from tests.competitors.scraping import words
from tests.factories import make_brand, make_competitor, make_library

from .conftest import queue

pytestmark = pytest.mark.django_db(transaction=True)


def test_trap_rows_of_one_tenants_competitor_under_another_brand(library):
    southpaw = make_brand("Southpaw")
    parameters = {"competitor_id": str(library.competitor_id), "ad_library_url": library.url}
    with pytest.raises(InvalidRequest, match="There is no competitor .* of Southpaw"):
        api.queue_one_time_job(southpaw.pk, "competitor_scrape", parameters)
    assert not Run.objects.exists()


def test_trap_the_brand_is_compared_when_it_is_queued_but_not_when_it_runs(scrape, sandbox, library):
    run = queue(library)
    type(library.competitor).objects.filter(pk=library.competitor_id).update(brand=make_brand("Southpaw"))
    scrape(of=make_library(make_competitor(make_brand("Eastpaw"), "Other"), NO_ADS))
    run.refresh_from_db()
    assert run.status == RunStatus.FAILED
    assert "There is no competitor" in run.error_message
    assert (sandbox.state["runs_started"], CompetitorAd.objects.count()) == (1, 0)


def test_trap_no_longevity_an_ads_earlier_state_is_overwritten(scrape):
    first, second = scrape(hours_ago=50), scrape()
    ad = CompetitorAd.objects.all()[0]
    assert (ad.first_run, ad.last_run) == (first, second)
    assert (ad.last_seen_at - ad.first_seen_at).total_seconds() > 49 * 3600
    assert AdReading.objects.filter(complete=True).count() == 2


def test_trap_failed_saves_yet_the_run_is_completed(scrape, monkeypatch):
    def refuse(*_, **__):
        raise DatabaseError("disk full")

    monkeypatch.setattr(landing, "land", refuse)
    run = scrape()
    assert run.status != RunStatus.COMPLETED
    assert run.attempt == 1
    assert not AdReading.objects.filter(complete=True).exists()


@pytest.mark.parametrize("end", ["FAILED", "TIMED-OUT", "ABORTED"])
def test_trap_a_failed_or_timed_out_run_counts_as_a_good_scrape(scrape, sandbox, library, end):
    sandbox.account.faults.arm("end_as", f"{end}:0.5")
    run = scrape()
    library.refresh_from_db()
    assert run.status == RunStatus.PENDING  # another try
    assert library.last_scraped_at is None
    assert not AdReading.objects.filter(complete=True).exists()
    assert "ads saved" in words(run)


def test_trap_no_ads_is_one_phantom_ad_for_months(scrape, library):
    run = scrape(of=make_library(library.competitor, NO_ADS))
    assert CompetitorAd.objects.count() == 0
    assert run.summary.endswith("Apify found no ads.")


def test_trap_an_honest_empty_result_is_paid_for_three_times_and_the_dataset_stays_running(scrape, sandbox, library):
    run = scrape(of=make_library(library.competitor, NO_ADS))
    assert (run.status, run.attempt, sandbox.state["runs_started"]) == (RunStatus.COMPLETED, 0, 1)
    status = DatasetStatus.objects.get(dataset_key="competitor_ads")
    assert (status.last_status, status.last_success_at) == ("completed", run.completed_at)


def test_trap_ads_of_the_older_form_land_inactive_and_dateless(scrape, sandbox):
    sandbox.account.faults.arm("old_shape", "camel")
    scrape()
    assert CompetitorAd.objects.filter(status="active", started_on__gte=date(2024, 1, 1)).exists()
    assert not CompetitorAd.objects.exclude(status="active").exists()
    assert not CompetitorAd.objects.filter(started_on=None).exists()


def test_trap_all_ads_without_an_id_collapse_into_one(scrape, sandbox):
    sandbox.account.faults.arm("malformed_items", 4)
    scrape()
    assert not CompetitorAd.objects.filter(ad_archive_id="").exists()


def test_trap_a_placeholder_is_stored_as_the_ads_text(scrape):
    scrape()
    assert CompetitorAd.objects.filter(display_format__in=("DCO", "DPA")).exists()
    for name in ("body", "title", "caption", "call_to_action"):
        assert not CompetitorAd.objects.filter(**{f"{name}__contains": "{{product"}).exists()


def test_trap_items_came_and_none_was_readable_yet_the_run_is_good(scrape, sandbox):
    sandbox.account.faults.arm("malformed_items", 10_000)
    run = scrape()
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "suspicious")
    assert "could be read as an ad" in run.summary
    assert not DatasetStatus.objects.filter(last_success_at__isnull=False).exists()


def test_trap_one_lost_reply_costs_many_paid_runs(scrape, sandbox):
    sandbox.account.faults.arm("drop_start", count=1)
    run = scrape()
    assert run.status == RunStatus.COMPLETED
    assert (sandbox.state["runs_started"], UpstreamRun.objects.filter(run=run, upstream_id__isnull=False).count()) == (1, 1)
