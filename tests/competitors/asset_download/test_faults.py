"""Whatever goes wrong: what the operator reads, what is stored, what is tried again, and what freshness says."""

import json
import re

import pytest
from django.utils import timezone

from competitors.models import AdAccount, AdMedia, BrandAd, Media
from competitors.upstream.graph import account as graph_account
from pipeline.models import DatasetStatus, SourceState
from pipeline.states import RunStatus
from tests.competitors.scraping import words
from tests.competitors.upstream.altered import alter

# What is stored does not depend on the database: test_download.py runs on both.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("sqlite")]
PICTURES = "_n.jpg"


def reasons(**which):
    return set(AdMedia.objects.filter(**which).values_list("status", "reason"))


def fresh():
    return DatasetStatus.objects.filter(last_success_at__isnull=False).exists()


@pytest.mark.parametrize(
    ("fault", "value", "outcome", "said"),
    [
        ("media_gone", 404, ("unavailable", "gone"), "no longer there"),
        ("media_gone", 410, ("unavailable", "gone"), "no longer there"),
        ("media_expired", True, ("unavailable", "gone"), "no longer there"),  # a fresh link that is refused all the same
        ("media_error", 503, ("failed", "server_error"), "the server failed"),
        ("media_throttled", 0, ("failed", "throttled"), "the server asked us to slow down"),
        ("media_slow", 500, ("failed", "slow"), "the download was too slow"),
        ("media_cut", 0, ("failed", "server_error"), "the server failed"),
        ("media_huge", 600_000_000, ("refused", "too_big"), "larger than the limit"),
        ("media_html", True, ("refused", "wrong_type"), "not a picture or video"),
        ("media_svg", True, ("refused", "wrong_type"), "not a picture or video"),
        ("media_wrong_type", True, ("refused", "wrong_type"), "not a picture or video"),
        ("media_bomb", True, ("refused", "wrong_type"), "not a picture or video"),
        ("media_redirect", True, ("refused", "address_refused"), "an address that is not allowed"),
    ],
)
def test_trap_a_run_is_completed_with_all_downloads_failed(sandbox, download, fault, value, outcome, said):
    """In the original, it is "completed" and its data counts as fresh."""
    sandbox.account.config.ads_per_account = 3  # a picture, a reel and an upload
    sandbox.account.faults.arm(fault, value)
    run = download()
    found = reasons() - {("unavailable", "no_source_for_us")}
    assert found == {outcome}
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "suspicious")
    assert said in run.summary.lower()
    assert re.search(r"None of the \d+ files could be stored", run.summary)
    assert (fresh(), Media.objects.exists()) == (False, False)
    assert any("was not stored" in line and said in line.lower() for line in run.logs.values_list("message", flat=True))
    sandbox.account.faults.clear()
    AdAccount.objects.update(ads_listed_at=timezone.now())
    second = download()
    again = {status for status, _ in reasons(last_run=second)}
    assert again == ({"stored"} if outcome[0] == "failed" else set()), "only what passes is tried again"


@pytest.mark.parametrize(("fault", "value"), [("media_cut", 0.5), ("media_error", 502), ("drop", True), ("media_throttled", 0)])
def test_a_fault_that_passes_costs_no_file(sandbox, download, fault, value):
    sandbox.account.config.ads_per_account = 3
    sandbox.account.faults.arm(fault, value, count=2, path=PICTURES)
    run = download()
    assert (run.verdict, reasons(status="failed")) == ("ok", set())


def test_most_downloads_failed_is_partial(sandbox, download):
    sandbox.account.faults.arm("media_error", 503, path=PICTURES)
    run = download()
    assert (run.status, run.verdict, fresh()) == (RunStatus.COMPLETED, "partial", False)
    assert "Most downloads failed; the next run tries them again." in run.summary
    assert AdMedia.objects.filter(role="video", status="stored").exists()


def test_an_expired_link_is_renewed_once_through_the_graph_api(sandbox, download):
    sandbox.account.config.ads_per_account = 3
    sandbox.account.faults.arm("media_error", 503)
    download()
    sandbox.account.faults.clear()
    for row in AdMedia.objects.exclude(url=""):
        row.url = re.sub(r"oe=\w+", "oe=00000001", row.url)
        row.save()
    asked = sandbox.state["requests"]["GET /graph/{version}/{id}"]
    run = download()
    pictures = AdMedia.objects.exclude(role="video")
    assert set(pictures.values_list("status", flat=True)) == {"stored"}, words(run)
    videos = AdMedia.objects.filter(role="video", last_run=run).count()
    posts = AdMedia.objects.filter(role="thumbnail").count()
    assert sandbox.state["requests"]["GET /graph/{version}/{id}"] - asked == pictures.count() + videos + posts


def test_a_link_that_is_expired_when_it_comes_is_unavailable(sandbox, download):
    sandbox.account.config.ads_per_account, sandbox.account.config.media_seconds = 3, 0
    run = download()
    assert reasons() - {("unavailable", "no_source_for_us")} == {("unavailable", "expired")}
    assert "the link has expired" in run.summary


@pytest.mark.parametrize(
    ("fault", "value", "path", "state", "said"),
    [
        ("graph_token_refused", 463, "", "failed", "Set a valid META_ACCESS_TOKEN for web and worker, then retry."),
        ("graph_token_refused", 459, "", "failed", "The token stays valid: open Meta and confirm"),
        ("graph_blocked", True, "", "failed", "The token stays valid: open Meta and confirm"),
        ("graph_no_permission", True, "", "failed", "Give it the permission ads_read"),
        ("graph_throttled", 17, "", "pending 0", "too many requests about"),
        ("graph_throttled", 80004, "/ads", "pending 0", "too many requests about the ads of act_123456789"),
        ("graph_throttled", 4, "", "pending 0", "Meta asked us to slow down."),
        ("graph_unavailable", True, "", "pending 1", "Meta reported a passing fault"),
        ("server_error", 500, "/graph", "pending 1", "Meta reported a passing fault"),
        ("drop", True, "/graph", "pending 1", "Meta cannot be reached"),
        ("broken_json", True, "/graph", "pending 1", "could not be read"),
    ],
)
def test_a_fault_of_the_graph_api(sandbox, download, account, fault, value, path, state, said):
    sandbox.account.faults.arm(fault, value, path=path)
    run = download()
    assert f"{run.status} {run.attempt}".startswith(state)
    assert said in words(run)
    assert (fresh(), AdMedia.objects.exists()) == (False, False)
    account.refresh_from_db()
    assert account.ads_listed_at is None
    assert SourceState.objects.filter(source="meta", slow_until__isnull=False).exists() is (value == 4)
    assert SourceState.objects.filter(source="meta", blocked_until__isnull=False).exists() is (value == 463)


@pytest.mark.parametrize("code", [17, 613, 80004, 4])
def test_trap_throttling_is_never_taken_for_no_source(sandbox, download, code):
    """In the original, source errors of any sort became no_source_url, which is terminal."""
    sandbox.account.faults.arm("graph_throttled", code, path="/1204")
    run = download()
    assert (run.status, run.attempt) == (RunStatus.PENDING, 0)
    uploads = AdMedia.objects.filter(role="video", brand_ad__video_id__startswith="1204")
    assert set(uploads.values_list("status", flat=True)) == {"waiting"}


def test_a_video_that_fails_alone_stops_nothing_else(sandbox, download):
    video = "1204"
    sandbox.account.faults.arm("server_error", 500, count=3, path=f"/{video}")
    run = download()
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "ok")
    assert AdMedia.objects.filter(role="video", reason="server_error").count() == 1


def test_meta_being_down_is_no_fault_of_the_files(sandbox, download):
    sandbox.account.faults.arm("server_error", 500, path="/120")
    run = download()
    assert (run.status, run.attempt) == (RunStatus.PENDING, 1)
    assert AdMedia.objects.filter(status="waiting").count() > 20


def test_a_server_error_on_page_3_loses_no_ad(sandbox, download, monkeypatch):
    monkeypatch.setattr(graph_account, "PAGE", 5)
    real = graph_account.AdAccountReader._page
    pages = []

    def page(self, after, size, fields):
        pages.append(after)
        if len(pages) == 3:
            sandbox.account.faults.arm("graph_unavailable", count=2)
        return real(self, after, size, fields)

    monkeypatch.setattr(graph_account.AdAccountReader, "_page", page)
    run = download()
    assert (run.status, run.attempt, run.counts["ads"]) == (RunStatus.COMPLETED, 0, BrandAd.objects.count())
    assert BrandAd.objects.count() > 20
    assert sandbox.state["struck"]["graph_unavailable"] == 2


@pytest.mark.parametrize("fault", ["graph_broken_creative", "graph_deleted_reel"])
def test_trap_one_broken_creative_fails_the_whole_list(sandbox, download, fault):
    sandbox.account.faults.arm(fault, 3)
    run = download()
    assert (run.status, run.verdict, run.counts["rejected"]) == (RunStatus.COMPLETED, "ok", 1)
    assert "1 could not be read" in run.summary
    assert re.search(r"Ad 120200003\d+ was skipped\. Meta", words(run))
    assert BrandAd.objects.count() == run.counts["ads"] > 20


def test_malformed_items_and_ids_that_come_twice(sandbox, download, monkeypatch):
    def change(answer):
        if isinstance(answer.get("data"), list) and answer["data"]:
            answer["data"] = [None, 7, {"id": "x"}, answer["data"][0], *answer["data"]]
        return answer

    alter(monkeypatch, "act_123456789/ads", change)
    run = download()
    assert (run.status, run.verdict, run.counts["rejected"]) == (RunStatus.COMPLETED, "ok", 3)
    assert "3 items of the list had no ad id." in words(run)
    assert BrandAd.objects.count() == run.counts["ads"]


@pytest.mark.parametrize("answer", [[], {"data": None}, {"data": {}}, {"data": "x"}, {}], ids=json.dumps)
def test_a_list_of_another_shape_is_a_failed_try(sandbox, download, monkeypatch, answer):
    alter(monkeypatch, "act_123456789/ads", lambda _: answer)
    run = download()
    assert (run.status, run.attempt) == (RunStatus.PENDING, 1)
    assert "could not be read" in words(run)


def test_an_account_without_ads_is_an_honest_zero(sandbox, download, account):
    empty = AdAccount.objects.create(brand=account.brand, account_id="act_19999")
    run = download(of=empty)
    assert (run.status, run.verdict, run.summary) == (RunStatus.COMPLETED, "ok", "This ad account has no ads.")
    assert fresh()


def test_trap_an_empty_reply_is_a_success_whether_there_was_nothing_or_no_permission(sandbox, download, account, monkeypatch):
    lacking = AdAccount.objects.create(brand=account.brand, account_id="act_10000")
    assert download(of=lacking).status == RunStatus.FAILED
    download()
    AdAccount.objects.update(ads_listed_at=None)
    DatasetStatus.objects.update(last_success_at=None)
    alter(monkeypatch, "act_123456789/ads", lambda _: {"data": []})
    run = download()
    assert (run.status, run.verdict, fresh()) == (RunStatus.COMPLETED, "suspicious", False)
    assert "Meta listed no ads, though" in run.summary
    account.refresh_from_db()
    assert account.ads_listed_at is None, "the next run asks again"


def test_trap_list_queries_are_cut_at_a_fixed_number_of_rows(sandbox, download, monkeypatch):
    monkeypatch.setattr(graph_account, "PAGE", 3)
    sandbox.account.config.ads_per_account = 60
    run = download(max_videos=5, max_images=10)
    assert run.counts["ads"] == BrandAd.objects.count() > 50


def test_trap_the_type_of_a_file_is_set_by_its_kind_not_by_its_content(sandbox, download):
    sandbox.account.config.ads_per_account = 3
    sandbox.account.faults.arm("media_html", "image/jpeg", path=PICTURES)  # HTML that says that it is a picture
    download()
    assert set(Media.objects.values_list("mime", flat=True)) <= {"video/mp4"}
    assert ("refused", "wrong_type") in reasons(role="picture") | reasons(role="poster")
