"""Whatever goes wrong: what the operator reads, what stays fresh, and what is tried again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from competitors.models import AdAccount, AdDay, AdDemographicDay, AdGap, BrandAd
from competitors.sandbox.endpoints.graph_access import EXPIRED_TOKEN
from pipeline import api, queries
from pipeline.engine.workers.inline import work_one
from pipeline.models import DatasetStatus, Event, Run, SourceState
from pipeline.states import RunStatus
from tests.competitors.scraping import finish, words
from tests.competitors.upstream.altered import GONE, alter, with_field
from tests.factories import make_brand

from .conftest import LIGHT, queue, truth
from .test_sync import clocks, differences, figures, window

# What is stored does not depend on the database: test_sync.py runs on both.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("sqlite")]
PERFORMANCE = {"parts": ["performance"]}


def figures_are_right(sandbox, account, days_back=7):
    return not differences(figures(AdDay), truth(sandbox, account.account_id, *window(days_back))["ads"])


def test_an_expired_token_of_one_of_three_brands_stops_that_brand_alone(sandbox, account, settings):
    """Trap: an expired token falls back to everybody's, and the sync "succeeds" with another account's rights."""
    others = [AdAccount.objects.create(brand=make_brand(name), account_id=f"act_{name}") for name in ("77", "88")]
    settings.META_ACCESS_TOKENS = {"act_77": EXPIRED_TOKEN}
    runs = [queue(one, parts=LIGHT) for one in (account, *others)]
    for _ in runs:
        work_one()
    for run in runs:
        run.refresh_from_db()
    assert [(run.status, run.verdict) for run in runs] == [("completed", "ok"), ("failed", ""), ("completed", "ok")]
    assert "Set a valid one in META_ACCESS_TOKENS, then retry." in runs[1].error_message
    expired = AdAccount.objects.get(pk=others[0].pk)
    assert (expired.token_state, AdDay.objects.filter(ad_account=expired).exists()) == ("expired", False)
    assert clocks(expired) == {"meta_ads_performance": "failed"}
    assert runs[1].attempt == 1 and not Run.objects.filter(status="pending").exists(), "no retry would help"
    assert clocks(account)["meta_ads_performance"] == "completed"


def test_one_accounts_failure_does_not_stop_the_brands_others(sandbox, account, settings):
    bad = AdAccount.objects.create(brand=account.brand, account_id="act_77")
    good = AdAccount.objects.create(brand=account.brand, account_id="act_88")
    settings.META_ACCESS_TOKENS = {"act_77": EXPIRED_TOKEN}
    run = finish(queue(account, parts=LIGHT))
    assert (run.status, run.verdict, run.subject) == (RunStatus.COMPLETED, "partial", "")
    assert "1 of 3 ad accounts could not be synced. act_77: Meta does not accept the token of act_77." in run.summary
    assert run.counts["ads_synced"] == AdDay.objects.values("ad_id").distinct().count() > 12
    fresh = {**dict.fromkeys((account, good), "completed"), bad: "failed"}
    assert {one: clocks(one)["meta_ads_performance"] for one in fresh} == fresh
    settings.META_ACCESS_TOKENS = dict.fromkeys(["act_77", "act_88", account.account_id], EXPIRED_TOKEN)
    assert finish(queue(account, parts=LIGHT)).status == RunStatus.FAILED, "all of them failed"


def test_an_account_that_fails_for_a_while_is_tried_again_alone(sandbox, account):
    other = AdAccount.objects.create(brand=account.brand, account_id="act_88")
    sandbox.account.faults.arm("graph_unavailable", True, path="act_88/insights")
    run = queue(account, **PERFORMANCE)
    work_one()
    run.refresh_from_db()
    assert (run.status, run.attempt) == (RunStatus.PENDING, 1)
    assert "1 of 2 ad accounts could not be synced. act_88: Meta reported a passing fault" in run.error_message
    assert (clocks(account), clocks(other)) == ({"meta_ads_performance": "completed"}, {"meta_ads_performance": "failed"})
    sandbox.account.faults.clear()
    before = AdDay.objects.filter(ad_account=account).latest("last_read_at").last_read_at
    finish(run)
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "ok")
    assert clocks(other) == {"meta_ads_performance": "completed"}
    assert AdDay.objects.filter(ad_account=account).latest("last_read_at").last_read_at == before, (
        "what is done is not done again"
    )
    assert run.counts["new"] == AdDay.objects.count()


@pytest.mark.parametrize(("code", "said"), [(80000, "too many requests"), (4, "Meta asked us to slow down.")])
def test_a_run_that_is_throttled_midway_waits_and_goes_on_where_it_was(sandbox, account, sync, code, said):
    sandbox.account.faults.arm("graph_throttled", code, path="/ads")
    run = sync(parts=["performance", "thumbnails", "classifications"])
    assert (run.status, run.attempt) == (RunStatus.PENDING, 0), "it costs no try"
    assert said in run.blocked_reason
    assert clocks(account) == {"meta_ads_performance": "completed", "ad_thumbnails": "waiting"}
    asked = sandbox.state["requests"]["GET /graph/{version}/{id}/insights"]
    sandbox.account.faults.clear()
    SourceState.objects.all().delete()  # the pause is over
    finish(run)
    assert (run.status, run.verdict, run.attempt) == (RunStatus.COMPLETED, "ok", 0), words(run)
    assert sandbox.state["requests"]["GET /graph/{version}/{id}/insights"] == asked, "the figures are not read again"
    assert set(clocks(account).values()) == {"completed"}
    assert run.counts["new"] == AdDay.objects.count(), "counts are the whole run's"


@pytest.mark.parametrize("value", ["days:3:1487534", "days:4:1", "rows:20:1504038"])
def test_a_window_that_is_too_large_is_split(sandbox, account, sync, value):
    sandbox.account.faults.arm("graph_insights_too_large", value)
    run = sync(**PERFORMANCE)
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "ok"), words(run)
    assert figures_are_right(sandbox, account)
    assert run.counts["new"] == AdDay.objects.count()


def test_a_field_that_meta_no_longer_knows_is_left_out_and_the_rest_is_fresh(sandbox, account, sync):
    sync(**PERFORMANCE)
    stored = AdDay.objects.filter(video_p95__gt=0).count()
    assert stored
    sandbox.account.faults.arm("graph_dead_field", "video_p95_watched_actions")
    for _ in range(2):
        run = sync(**PERFORMANCE)
        assert (run.status, run.verdict) == (RunStatus.COMPLETED, "ok"), words(run)
    assert "Meta left out: video_p95_watched_actions." in run.summary
    assert AdDay.objects.filter(video_p95__gt=0).count() == stored, "absent never replaces a stored value"
    event = Event.objects.get(kind="meta_field_gone")
    today = timezone.now().date()
    assert event.message.startswith(f"Meta's field video_p95_watched_actions is gone since {today}.")
    assert set(clocks(account).values()) == {"completed"}
    gap = AdGap.objects.get()
    assert (gap.what, gap.part, gap.run.pk) == ("video_p95_watched_actions", "figures", run.pk - 1), (
        "the first run that missed it"
    )
    sandbox.account.faults.clear()
    sync(**PERFORMANCE)
    assert not AdGap.objects.exists()


def test_a_breakdown_that_is_gone_takes_only_its_own_parts(sandbox, account, sync):
    sandbox.account.faults.arm("graph_dead_field", "gender")
    run = sync(parts=["performance", "demographics"])
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "ok"), words(run)
    assert set(AdDemographicDay.objects.values_list("kind", flat=True)) == {"placement"}
    assert Event.objects.filter(kind="meta_field_gone", message__contains="gender").count() == 1


def test_one_field_of_one_ad_that_fails_for_ever_stays_empty_and_is_named(sandbox, account, sync):
    sync(parts=["account"])
    told = truth(sandbox, account.account_id, *window(1))["ads"]
    sandbox.account.faults.arm("graph_field_fails", f"reach:{int(told[0]['ad_id'][4:9])}")
    run = sync(days_back=1, **PERFORMANCE)
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "ok"), words(run)
    wrong = differences(figures(AdDay), told)
    assert {name for *_, name in wrong} == {"reach"} and len({ad for ad, *_ in wrong}) == 1
    assert "Meta left out: reach." in run.summary
    assert run.logs.filter(level="warning", message__contains="reach of ad").exists()
    assert clocks(account) == {"meta_ads_performance": "completed"}


def test_a_broken_creative_costs_its_ad_alone(sandbox, account, sync):
    sandbox.account.faults.arm("graph_broken_creative", 3)
    run = sync(parts=["performance", "thumbnails", "classifications"])
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "ok"), words(run)
    assert run.counts["ads_not_read"] == 1 and "1 could not be read" in run.summary
    assert not BrandAd.objects.filter(ad_id__startswith="120200003").exists()
    assert run.counts["ads"] == BrandAd.objects.count() == run.counts["classified"] > 6
    gap = AdGap.objects.get()
    assert (gap.part, gap.what.startswith("Ad 120200003"), gap.run) == ("ads", True, run)


def test_thumbnails_that_fail_leave_the_performance_fresh(sandbox, account, sync):
    """Trap: performance is marked failed if something after it fails."""
    sandbox.account.faults.arm("graph_unavailable", True, path="/ads")
    run = sync()
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "partial")
    assert "Thumbnails not refreshed: Meta reported a passing fault" in run.summary
    found = clocks(account)
    failed = {"ad_thumbnails", "ad_assets", "ad_classifications"}  # all of these begin with the list of ads
    assert {key for key, state in found.items() if state == "failed"} == failed
    assert {key for key, state in found.items() if state == "completed"} == {"meta_ads_performance", "demographic_performance"}
    fresh = queries.freshness("meta_ads_performance", account.brand_id, [str(account.pk)], max_age=timedelta(days=1))
    assert not fresh[str(account.pk)].failed and not fresh[str(account.pk)].doubted
    assert figures_are_right(sandbox, account)
    run = sync(parts=["thumbnails"])
    assert (run.status, run.attempt) == (RunStatus.PENDING, 1), "a part that is asked for alone fails its run"


@pytest.mark.parametrize(
    ("fault", "value", "said", "state"),
    [
        ("graph_token_refused", 463, "Set a valid META_ACCESS_TOKEN for web and worker, then retry.", "expired"),
        ("graph_token_refused", 459, "The token stays valid: open Meta and confirm", "blocked"),
        ("graph_blocked", True, "The token stays valid: open Meta and confirm", "blocked"),
        ("graph_no_permission", True, "Give it the permission ads_read", "valid"),
    ],
)
def test_what_no_retry_can_mend_fails_and_says_what_to_do(sandbox, account, sync, fault, value, said, state):
    sandbox.account.faults.arm(fault, value, path="/act_")
    run = sync()
    assert (run.status, said in run.error_message) == (RunStatus.FAILED, True), run.error_message
    assert clocks(account) == {"meta_ads_performance": "failed"}
    account.refresh_from_db()
    assert account.token_state == state, "blocked at Meta is not expired"


def test_nothing_is_an_honest_answer_only_where_nothing_was_known(sandbox, account, sync):
    """Trap: an empty reply is a success, whether there was no delivery or no permission."""
    AdAccount.objects.update(account_id="act_9999")
    run = sync()
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "ok")
    assert "No ad was shown" in run.summary and run.counts.get("ads_synced") is None
    assert clocks(account)["meta_ads_performance"] == "completed"
    success = DatasetStatus.objects.get(dataset_key="meta_ads_performance").last_success_at
    AdDay.objects.create(ad_account=account, ad_id="1", date=window(3)[0], spend=5, last_read_at=timezone.now())
    AdAccount.objects.update(ads_listed_at=None)
    BrandAd.objects.create(ad_account=account, ad_id="1", first_seen_at=timezone.now(), last_seen_at=timezone.now())
    run = sync()
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "suspicious")
    assert "Meta sent no figures, though 1 row of these days is known. The token may have lost its rights." in run.summary
    assert "Meta listed no ads, though 1 ad were known. The token may have lost its rights." in run.summary
    assert DatasetStatus.objects.get(dataset_key="meta_ads_performance").last_success_at == success
    assert AdDay.objects.get().spend == 5


def test_rows_that_cannot_be_saved_are_counted_and_the_result_is_partial(sandbox, account, sync, monkeypatch):
    """Trap: one bad row is logged and skipped, and the data still counts as fresh."""
    alter(monkeypatch, f"{account.account_id}/insights", with_field(GONE, "data", 0, "ad_id"))
    run = sync(**PERFORMANCE)
    assert (run.status, run.verdict, run.counts["rejected"]) == (RunStatus.COMPLETED, "partial", 1)
    assert "1 row had no ad or no single day" in run.summary
    assert clocks(account) == {"meta_ads_performance": "unknown"}
    assert run.counts["new"] == AdDay.objects.count() > 20, "the others are saved"
    api.accept(run, None)
    assert clocks(account) == {"meta_ads_performance": "completed"}


def test_a_figure_that_most_rows_have_in_a_new_form_is_not_taken_for_fresh(sandbox, account, sync, monkeypatch):
    sync(**PERFORMANCE)
    known = dict(AdDay.objects.values_list("pk", "spend"))
    alter(monkeypatch, f"{account.account_id}/insights", with_field({"amount": 5}, "data", "*", "spend"))
    run = sync(**PERFORMANCE)
    assert (run.verdict, "Most values of spend could not be read." in run.summary) == ("suspicious", True)
    assert dict(AdDay.objects.values_list("pk", "spend")) == known


def test_two_runs_are_never_at_one_account_at_once(sandbox, account):
    """One is for the account, one for all of the brand's: their keys differ."""
    other = AdAccount.objects.create(brand=account.brand, account_id="act_88")
    alone = queue(account, ad_account=account.account_id, days_back=40, **PERFORMANCE)
    work_one()
    alone.refresh_from_db()
    assert alone.status == RunStatus.WAITING, "for its report"
    every = queue(account, **PERFORMANCE)
    work_one()
    every.refresh_from_db()
    assert (every.status, every.attempt) == (RunStatus.PENDING, 0)
    assert every.blocked_reason == (
        f"Run {alone.pk} is syncing {account.account_id}. This run continues by itself when that one has ended."
    )
    assert clocks(other) == {"meta_ads_performance": "completed"}, "the other account does not wait"
    finish(alone)
    finish(every)
    assert {run.verdict for run in (alone, every)} == {"ok"}
    assert Run.objects.filter(attempt__gt=0, status="pending").count() == 0
