"""A sync of ad accounts, from the click to figures that equal the sandbox's truth to the cent."""

import json
from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from competitors.jobs.meta_sync.job import DATASETS as DATASETS_OF_PARTS
from competitors.jobs.meta_sync.sync.window import Window
from competitors.models import (
    AccountDay,
    AdAccount,
    AdClassification,
    AdDay,
    AdDemographicDay,
    AdMedia,
    AdMonth,
    BrandAd,
)
from pipeline import api
from pipeline.contract import InvalidRequest, get_type
from pipeline.models import DatasetStatus, Run
from pipeline.states import RunStatus
from tests.competitors import runs
from tests.competitors.scraping import finish
from tests.factories import make_brand
from tests.processes import until

from .conftest import LIGHT, queue, truth

pytestmark = pytest.mark.django_db(transaction=True)
DATASETS = {"meta_ads_performance", "ad_thumbnails", "ad_assets", "demographic_performance", "ad_classifications"}
COUNTS = (
    "impressions", "reach", "clicks", "link_clicks", "purchases", "add_to_carts", "initiate_checkouts", "landing_page_views",
    "content_views", "video_plays", "video_views", "video_thruplays", "video_p25", "video_p50", "video_p75", "video_p95",
    "video_p100",
)  # fmt: skip
MONEY = ("spend", "purchase_value")


def figures(model):
    """Ours, by ad and day. The truth has 0 where Meta leaves a figure out."""
    names = ["date", *(["ad_id"] if model is AdDay else []), *COUNTS, *MONEY]
    return {(row.get("ad_id", ""), row["date"].isoformat()): row for row in model.objects.values(*names)}


def differences(ours, told):
    """What is not equal, by ad, day and figure."""
    theirs = {(row.get("ad_id", ""), row["date"]): row for row in told}
    assert ours.keys() == theirs.keys()
    return {
        (*key, name): (row[name], theirs[key][name])
        for key, row in ours.items()
        for name in (*COUNTS, *MONEY)
        if (row[name] or 0) != Decimal(theirs[key][name])
    }


def window(days_back, zone=""):
    """In the zone that Meta told of the account."""
    found = Window.ending(timezone.now(), zone or AdAccount.objects.exclude(time_zone="").earliest("pk").time_zone, days_back)
    return found.since, found.until


def clocks(account):
    return dict(DatasetStatus.objects.filter(subject=str(account.pk)).values_list("dataset_key", "last_status"))


def test_a_sync_brings_figures_to_the_cent_ads_files_parts_and_kinds_and_a_second_one_nothing_new(sync, account, sandbox):
    run = sync()
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "ok"), run.error_message
    since, until = window(7)
    told = truth(sandbox, account.account_id, since, until)
    assert not differences(figures(AdDay), told["ads"])
    wrong = differences(figures(AccountDay), told["account"])
    assert {name for *_, name in wrong} <= {"reach"}, "which cannot be added up over ads"
    of_ads, of_account = (sum(Decimal(row["spend"]) for row in told[name]) for name in ("ads", "account"))
    assert of_account > of_ads, "the account's own total has deleted ads too: the difference is not attributable"
    assert set(AdDay.objects.values_list("attribution", flat=True)) == {"7d_click_1d_view"}
    assert set(AdDay.objects.exclude(purchases=None).values_list("purchase_tier", flat=True)) == {"omni_purchase"}
    assert not AdDay.objects.filter(purchase_tier="", purchase_value__isnull=False).exists()

    assert "Purchases by 7-day click, 1-day view." in run.summary
    assert run.steps.get(name=f"performance {account.pk}").result["attribution"] == "7d_click_1d_view"
    counts = run.counts
    assert (counts["new"], counts["ads_synced"]) == (len(told["ads"]), len({row["ad_id"] for row in told["ads"]})), (
        "Trap: ads_synced is not always 0, and names how many ads have figures"
    )
    assert counts["ads"] == counts["classified"] == BrandAd.objects.count() == AdClassification.objects.count()
    assert counts["files"] == AdMedia.objects.filter(status="stored").count() > 5
    assert {"changed", "unchanged", "rejected"}.isdisjoint(counts)
    account.refresh_from_db()
    assert (len(account.currency), account.attribution_setting) == (3, "7d_click_1d_view")
    assert account.last_synced_at and account.ads_listed_at and account.checked_at and account.token_state == "valid"
    assert clocks(account) == dict.fromkeys(DATASETS, "completed")
    words, page = runs.rows_of(run)
    assert words == "See the days it read"
    assert (page.context["filter"].window.since, page.context["filter"].window.until) == (since, until)
    fresh = DatasetStatus.objects.get(dataset_key="meta_ads_performance")
    assert (fresh.records_affected, fresh.last_run) == (len(told["ads"]), run)

    days = AdDemographicDay.objects.order_by("date").values_list("date", flat=True)
    assert until - days.first() == timedelta(days=6), "Trap: demographics of more than 7 days time out"
    for kind in AdDemographicDay.Kind:
        parts: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
        for part in AdDemographicDay.objects.filter(kind=kind):
            parts[part.ad_id, part.date] += part.spend or 0
        assert parts == {(row.ad_id, row.date): row.spend for row in AdDay.objects.filter(date__gt=since)}
    assert AdDemographicDay.objects.filter(breakdown="25-34 female").exists()

    asked = sandbox.state["requests"].copy()
    second = sync()
    assert (second.verdict, second.counts["unchanged"]) == ("ok", len(told["ads"]))
    assert {"new", "changed", "classified", "files", "new_ads"}.isdisjoint(second.counts)
    assert {AdDay.objects.filter(last_run=second).count(), AdDay.objects.count()} == {len(told["ads"])}
    lists = "GET /graph/{version}/{id}/ads"
    assert sandbox.state["requests"][lists] == asked[lists] + 1, "the ads' states are read each time"
    download = api.queue_one_time_job(account.brand_id, "asset_download", {}).run
    finish(download)
    assert sandbox.state["requests"][lists] == asked[lists] + 1, "a download uses the list that a sync has read"


@pytest.mark.only_on("sqlite")
def test_days_in_the_window_are_rewritten_and_what_meta_leaves_out_stays(sync, account, sandbox):
    """Traps: numbers of recent days change; writing nothing over a value that is stored."""
    sync(parts=["performance"])
    day = AdDay.objects.filter(purchases__isnull=False).exclude(date=window(0)[1]).first()
    old = AdDay.objects.create(ad_account=account, ad_id=day.ad_id, date="2026-01-01", spend=7, last_read_at=timezone.now())
    AdDay.objects.filter(pk=day.pk).update(spend=1, purchases=999, video_p95=5, ad_name="", reach=None)
    BrandAd.objects.create(
        ad_account=account, ad_id=day.ad_id, title="A title that Meta no longer shows", first_seen_at=timezone.now(),
        last_seen_at=timezone.now() - timedelta(days=1),
    )  # fmt: skip
    run = sync(parts=["performance", "thumbnails"])
    assert run.counts["changed"] == 1
    again = AdDay.objects.get(pk=day.pk)
    assert (again.spend, again.purchases, again.reach, again.ad_name) == (day.spend, day.purchases, day.reach, day.ad_name)
    assert again.video_p95 == (day.video_p95 or 5)
    assert AdDay.objects.get(pk=old.pk).spend == 7, "what is before the window is left alone"
    month = day.date.replace(day=1)
    of_days = AdDay.objects.filter(ad_id=day.ad_id, date__year=month.year, date__month=month.month)
    added_up = AdMonth.objects.get(ad_id=day.ad_id, month=month)
    assert (added_up.spend, added_up.days) == (sum(one.spend or 0 for one in of_days), len(of_days))


@pytest.mark.only_on("sqlite")
def test_a_long_window_is_a_report_that_no_worker_waits_for(sync, account, sandbox, monkeypatch):
    run = sync(days_back=60, parts=["performance"])
    assert run.status == RunStatus.WAITING, run.error_message
    assert clocks(account) == {"meta_ads_performance": "waiting"}
    finish(run)
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "ok"), run.error_message
    assert sandbox.state["requests"]["POST /graph/{version}/{id}/insights"] == 1, "asked for once, however often the run waits"
    assert not differences(figures(AdDay), truth(sandbox, account.account_id, *window(60))["ads"])


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(
    ("fault", "value", "count"),
    [("graph_report_failed", 100, None), ("graph_report_gone_once", True, 1)],
    ids=["failed at 100 %", "gone once"],
)
def test_a_report_that_fails_or_is_not_found_at_once_costs_no_figure(sync, account, sandbox, monkeypatch, fault, value, count):
    """A report's 100/33 is retried, and never read as gone."""
    monkeypatch.setattr("competitors.upstream.graph.reports.GONE_PAUSES", (0,))
    sandbox.account.faults.arm(fault, value, count=count)
    run = finish(sync(days_back=40, parts=["performance"]))
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "ok"), run.error_message
    assert not differences(figures(AdDay), truth(sandbox, account.account_id, *window(40))["ads"])
    said = run.logs.filter(message__contains="so it is read in small parts. Meta's report failed at 100 %").exists()
    assert said is (fault == "graph_report_failed")


@pytest.mark.only_on("sqlite")
def test_legacy_mode_waits_in_place_and_brings_the_same(sandbox, account, monkeypatch):
    started = api.start_here(str(account.brand_id), "meta_sync", {"days_back": 40, "parts": LIGHT}, mode=Run.Mode.LEGACY)
    run = started.run
    until(lambda: run.refresh_from_db() or not run.is_live, "the end of the run", 60)
    assert (run.status, run.verdict, run.mode) == (RunStatus.COMPLETED, "ok", "legacy"), run.error_message
    assert not differences(figures(AdDay), truth(sandbox, account.account_id, *window(40))["ads"])


@pytest.mark.only_on("sqlite")
def test_run_job_and_each_part_alone(sandbox, account, capsys):
    sandbox.account.config.ads_per_account = 4
    call_command("run_job", "meta_sync", "--brand", account.brand.slug, "--param", "parts=account", "--direct", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["status"] == "completed"
    account.refresh_from_db()
    assert (len(account.currency), account.token_state) == (3, "valid")
    assert not AdDay.objects.exists() and not DatasetStatus.objects.exists()
    for part, key in DATASETS_OF_PARTS.items():
        call_command("run_job", "meta_sync", "--brand", account.brand.slug, "--param", f"parts={part}", "--direct")
        assert clocks(account).get(key) == "completed"
    assert set(clocks(account)) == DATASETS


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(
    ("digits", "zone", "currency"),
    [("99990081", "Asia/Tokyo", "JPY"), ("10064", "Pacific/Auckland", "NZD"), ("10808", "Pacific/Honolulu", "USD")],
)
def test_money_is_in_the_accounts_currency_and_days_are_in_its_zone(sync, account, sandbox, digits, zone, currency):
    AdAccount.objects.update(account_id=f"act_{digits}")
    run = sync(parts=["performance"], days_back=2)
    account.refresh_from_db()
    assert (run.verdict, account.currency, account.time_zone) == ("ok", currency, zone)
    assert not differences(figures(AdDay), truth(sandbox, account.account_id, *window(2, zone))["ads"])
    since, until = window(2, zone)
    assert since <= AdDay.objects.earliest("date").date <= AdDay.objects.latest("date").date <= until


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(
    ("at", "digits", "today"),
    [
        ("2026-11-25T10:59:30Z", "10064", "2026-11-25"),
        ("2026-11-25T11:00:30Z", "10064", "2026-11-26"),
        ("2026-11-25T09:59:30Z", "10808", "2026-11-24"),
        ("2026-11-25T10:00:30Z", "10808", "2026-11-25"),
    ],
    ids=["Auckland before", "Auckland after", "Honolulu before", "Honolulu after"],
)
def test_a_sync_at_midnight_asks_for_the_accounts_days(sync, account, sandbox, at, digits, today):
    AdAccount.objects.update(account_id=f"act_{digits}")
    until = date.fromisoformat(today)
    with time_machine.travel(datetime.fromisoformat(at)):
        run = sync(parts=["performance"], days_back=1)
        told = truth(sandbox, digits, until - timedelta(days=3), until + timedelta(days=1))["ads"]
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "ok"), run.error_message
    days = {(until - timedelta(days=1)).isoformat(), until.isoformat()}
    assert not differences(figures(AdDay), [row for row in told if row["date"] in days])


@pytest.mark.parametrize(
    ("at", "zone", "today"),
    [
        ("2026-11-25T10:59:59Z", "Pacific/Auckland", "2026-11-25"),
        ("2026-11-25T11:00:00Z", "Pacific/Auckland", "2026-11-26"),
        ("2026-11-25T09:59:59Z", "Pacific/Honolulu", "2026-11-24"),
        ("2026-11-25T10:00:00Z", "Pacific/Honolulu", "2026-11-25"),
        ("2026-11-25T23:59:59Z", "", "2026-11-25"),
    ],
    ids=["Auckland before", "Auckland after", "Honolulu before", "Honolulu after", "not known"],
)
@pytest.mark.only_on("sqlite")
def test_today_is_the_accounts_at_midnight(at, zone, today):
    """Trap: the window is computed from the server's clock, so that a day is missed or doubled at the edges."""
    found = Window.ending(datetime.fromisoformat(at), zone, 7)
    until = date.fromisoformat(today)
    assert (found.since, found.until, found.days) == (until - timedelta(days=7), until, 8)
    assert found.last(7) == Window(until - timedelta(days=6), until)
    assert [(one.since, one.until) for one in found.pieces(5)] == [
        (found.since, found.since + timedelta(days=4)),
        (found.since + timedelta(days=5), until),
    ]


def test_what_is_asked_for_is_checked_when_it_is_queued(account):
    brand = account.brand
    other = AdAccount.objects.create(brand=brand, account_id="act_2")
    AdAccount.objects.create(brand=make_brand("Southpaw"), account_id="act_9")
    run = queue(account)
    assert (run.subject, run.subject_label) == ("", "All ad accounts (2)")
    assert (run.parameters["days_back"], run.parameters["parts"]) == (7, [])
    assert (run.parameters["download_max_videos"], run.parameters["download_max_images"]) == (20, 40)
    assert run.parameters["auto_classify"] is True
    assert queue(account).pk == run.pk
    one = queue(account, ad_account=" 2 ", parts="thumbnails, performance")
    assert (one.subject, one.parameters["ad_account"], one.parameters["parts"]) == (
        str(other.pk),
        "act_2",
        ["performance", "thumbnails"],
    )
    for options, said in (
        ({"ad_account": "act_9"}, "has no ad account act_9"),
        ({"days_back": 0}, "days_back"),
        ({"days_back": 1096}, "days_back"),
        ({"parts": ["audience"]}, "audience"),
        ({"parts": ["demographics"], "skip_demographics": True}, "leave none of these parts"),
        ({"parts": ["classifications"], "auto_classify": False}, "leave none of these parts"),
        ({"day_back": 7}, "Did you mean 'days_back'?"),
    ):
        with pytest.raises(InvalidRequest, match=said):
            queue(account, **options)
    with pytest.raises(InvalidRequest, match="Westpaw has no ad account. Add one first."):
        api.queue_one_time_job(make_brand("Westpaw").pk, "meta_sync", {})


def test_the_accounts_of_all_brands_are_read_in_one_query(account, django_assert_num_queries):
    southpaw = make_brand("Southpaw")
    other = AdAccount.objects.create(brand=southpaw, account_id="act_2")
    with django_assert_num_queries(1):
        found = list(get_type("meta_sync").subjects_of([account.brand, None, southpaw]))
    assert [(brand, subject.key) for brand, subject in found] == [(row.brand_id, str(row.pk)) for row in (account, other)]
