"""The scrape of a competitor's ads, through the sandbox: what it saves, costs and says."""

import pytest
from django.db.models import F

from competitors.models import AdReading, CompetitorAd, LandingPage
from competitors.sandbox.server import serve
from pipeline.contract.errors import InvalidRequest
from pipeline.engine.execution.replay import replay
from pipeline.models import DatasetStatus, Run, UpstreamRun
from pipeline.states import RunStatus
from tests.competitors import runs
from tests.factories import make_ad, make_brand, make_competitor, make_library

from .conftest import queue

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_scrape_saves_the_ads_and_makes_the_library_fresh(scrape, library):
    run = scrape()
    library.refresh_from_db()
    ads = CompetitorAd.objects.filter(competitor=library.competitor)
    assert (run.status, run.verdict, run.error_message) == (RunStatus.COMPLETED, "ok", "")
    assert library.last_scraped_at == run.completed_at
    assert ads.count() == run.counts["new"] >= 60
    assert run.counts["raw"] == sum(run.counts.get(name, 0) for name in ("new", "changed", "unchanged", "duplicate", "rejected"))
    assert set(ads.values_list("status", flat=True)) == {"active"}
    assert not ads.filter(body__contains="{{").exists()
    assert not ads.filter(started_on=None).exists()
    assert not ads.exclude(first_run=run).exists()
    assert run.cost_actual > 0
    status = DatasetStatus.objects.get()
    assert (status.dataset_key, status.subject) == ("competitor_ads", str(library.pk))
    make_ad(library.competitor, "1")
    words, page = runs.rows_of(run)
    assert (words, page.context["sheet"].paginator.count) == (f"See the {run.counts['new']} new rows", run.counts["new"])


def test_a_second_scrape_finds_nothing_new_and_keeps_when_an_ad_was_first_seen(scrape, library):
    first, second = scrape(hours_ago=5), scrape()
    assert (second.counts.get("new", 0), second.counts.get("changed", 0)) == (0, 0)
    assert second.counts["unchanged"] == first.counts["new"]
    assert not CompetitorAd.objects.exclude(first_run=first, last_run=second).exists()
    assert not CompetitorAd.objects.exclude(last_seen_at__gt=F("first_seen_at")).exists()


def test_the_order_is_what_the_actor_takes_and_its_caps_are_above_the_number_asked_for(scrape, library):
    run = scrape(max_ads=10)
    upstream = UpstreamRun.objects.get(run=run)
    assert (upstream.max_items, upstream.capped) == (20, False)
    assert 10 <= run.counts["raw"] <= 13


def test_ads_lead_to_landing_pages_with_their_number(scrape, library):
    scrape()
    pages = LandingPage.objects.filter(competitor=library.competitor)
    assert pages
    for page in pages:
        assert "?" not in page.path
        assert page.active_ads == page.ads.filter(status="active").count()


def test_the_pages_that_show_the_ads_are_kept_once_by_name(scrape, library):
    scrape()
    scrape()
    names = set(CompetitorAd.objects.exclude(page_name="").values_list("page_name", flat=True))
    assert names
    assert sorted(library.competitor.ad_pages.values_list("name", flat=True)) == sorted(names)


def test_an_address_that_is_not_on_record_is_scraped_too(scrape, library):
    run = scrape(ad_library_url="facebook.com/ads/library/?q=chews")
    assert (run.verdict, run.subject_label) == ("ok", "Ads of Barkwell (another address)")
    assert run.subject != str(library.pk)
    assert AdReading.objects.get(run=run).url.endswith("q=chews&search_type=keyword_unordered")


def test_two_spellings_of_an_address_are_one_scrape(library):
    first = queue(library)
    assert queue(library, ad_library_url=library.url.replace("www.", "m.") + "&fbclid=x") == first


def test_two_brands_pay_once_for_the_same_address(scrape, sandbox, library):
    other = make_library(make_competitor(make_brand("Southpaw"), "Other"))
    paid, free = scrape(max_ads=200), scrape(of=other, reuse=True, max_ads=100)
    assert (free.status, free.cost_actual, sandbox.state["runs_started"]) == (RunStatus.COMPLETED, 0, 1)
    assert CompetitorAd.objects.filter(competitor=other.competitor).count() == paid.counts["new"]
    assert AdReading.objects.get(run=free).complete is True


def test_data_of_fewer_ads_than_are_asked_for_is_not_used(scrape, sandbox, library):
    other = make_library(make_competitor(make_brand("Southpaw"), "Other"))
    scrape(max_ads=200)
    scrape(of=other, reuse=True, max_ads=201)
    assert sandbox.state["runs_started"] == 2


@pytest.mark.parametrize("shape", ["camel", "deep"])
def test_ads_in_an_older_form_are_the_same_ads(scrape, sandbox, library, shape):
    scrape()
    sandbox.account.faults.arm("old_shape", shape)
    again = scrape()
    assert (again.counts.get("new", 0), again.counts.get("changed", 0)) == (0, 0)


def test_ads_with_an_error_are_kept(scrape, sandbox):
    sandbox.account.faults.arm("errors_with_ids", 2)
    run = scrape()
    assert (run.verdict, run.counts.get("rejected", 0)) == ("ok", 0)


def test_ads_that_come_twice_are_one(scrape, sandbox):
    sandbox.account.faults.arm("repeat_items", 0.5)
    run = scrape()
    assert run.counts["duplicate"] > 0
    assert CompetitorAd.objects.count() == run.counts["new"]


def test_ads_without_an_id_are_kept_apart_with_the_reason(scrape, sandbox):
    sandbox.account.faults.arm("malformed_items", 4)
    run = scrape()
    assert run.counts["rejected"] == 4
    assert set(run.rejected.values_list("reason", flat=True)) == {"No ad id"}


def test_a_replay_brings_back_what_was_lost_for_free(scrape, sandbox):
    run = scrape()
    ads = set(CompetitorAd.objects.values_list("ad_archive_id", flat=True))
    CompetitorAd.objects.all().delete()
    AdReading.objects.all().delete()
    replay(run)
    assert set(CompetitorAd.objects.values_list("ad_archive_id", flat=True)) == ads == set(AdReading.objects.get().ads)
    assert sandbox.state["runs_started"] == 1


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"ad_library_url": "https://www.facebook.com/barkwell"}, "ad_library_url"),
        ({"ad_library_url": ""}, "ad_library_url"),
        ({"max_ads": 9}, "max_ads"),
        ({"max_ads": 2001}, "max_ads"),
        ({"max_ads": "many"}, "max_ads"),
        ({"competitor_id": "5a2d8a54-0000-4000-8000-000000000000"}, "competitor_id"),
        ({"max_adds": 50}, "max_adds"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_queued(library, given, name):
    with pytest.raises(InvalidRequest) as refused:
        queue(library, **given)
    assert name in refused.value.errors
    assert not Run.objects.exists()


@pytest.mark.needs_samples
def test_every_real_ad_lands_unharmed_and_is_the_same_in_both_forms(settings, samples, library, scrape):
    for file, counts in (("snake", {"new": 30, "raw": 30}), ("camel", {"raw": 30, "unchanged": 30})):
        with serve(run_seconds=0.1, data=samples / f"meta_ads_{file}.jsonl") as real:
            settings.APIFY_API_URL = real.url
            run = scrape(ad_library_url="https://www.facebook.com/ads/library/?q=all0000000")
        assert (run.verdict, run.counts) == ("ok", counts)
    assert LandingPage.objects.get().host == "www.fb.com"
