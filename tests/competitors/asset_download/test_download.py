"""The download of an ad account's pictures and videos, from the click to the files."""

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.utils import timezone

from competitors.jobs.asset_download import limits
from competitors.models import AdAccount, AdMedia, BrandAd, Media
from competitors.sandbox.graph.nodes import STATUSES
from pipeline import api
from pipeline.contract import InvalidRequest, get_type
from pipeline.models import DatasetStatus
from pipeline.states import RunStatus
from tests.competitors import runs
from tests.competitors.asset_download.conftest import queue
from tests.competitors.scraping import finish
from tests.factories import make_brand

pytestmark = pytest.mark.django_db(transaction=True)


def places(**which):
    return AdMedia.objects.filter(**which)


def test_a_download_lists_the_ads_and_stores_their_files_once(download, account, sandbox):
    run = download()
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "ok"), run.error_message
    stored = places(status="stored")
    assert run.counts["new"] == stored.count() == stored.filter(last_run=run).count() > 25
    assert Counter(stored.values_list("role", flat=True)).keys() == {"video", "picture", "poster", "thumbnail"}
    assert set(places().exclude(status="stored").values_list("role", "reason")) == {("video", "no_source_for_us")}
    assert all(default_storage.size(media.file.name) == media.bytes for media in Media.objects.all())
    assert Media.objects.count() < stored.count(), "the same content is stored once"
    assert not places(role="video", status="stored", duration=None).exists()
    account.refresh_from_db()
    assert (account.currency, account.ads_listed_at is not None, account.last_downloaded_at) == ("USD", True, run.completed_at)
    assert "ARCHIVED" in BrandAd.objects.values_list("status", flat=True)
    assert set(BrandAd.objects.values_list("status", flat=True)) <= set(STATUSES) - {"DELETED"}
    fresh = DatasetStatus.objects.get(dataset_key="ad_assets")
    assert (fresh.subject, fresh.records_affected) == (str(account.pk), stored.count())
    words, page = runs.rows_of(run)
    assert words == f"See the {run.counts['new']} new rows"
    assert page.context["files"].places.count() == run.counts["new"] < AdMedia.objects.count()
    asked = sandbox.state["requests"].copy()
    second = download()
    assert (second.verdict, second.counts, second.summary) == (
        "ok",
        {"unchanged": stored.count()},
        f"Nothing new: {stored.count()} files stored before.",
    )
    assert sandbox.state["requests"] == asked, "ads that were listed within a day are not listed again, and nothing was missing"


def test_after_a_day_the_ads_are_listed_again_and_new_ones_fetched(download, account, sandbox):
    first = download()
    AdAccount.objects.update(ads_listed_at=timezone.now() - timedelta(hours=25))
    sandbox.account.advance(2, 0)  # three new ads a day
    second = download()
    assert 0 < second.counts["new"] < first.counts["new"]
    assert second.counts["unchanged"] == first.counts["new"]
    assert BrandAd.objects.filter(last_run=second).count() > BrandAd.objects.filter(last_seen_at__lt=second.started_at).count()
    lost = places(reason="no_source_for_us", last_run=first)
    assert lost.exists(), "what Meta does not give us is not asked for again"


def test_a_video_that_is_gone_is_not_asked_for_again_when_the_ads_are_listed_again(sandbox, download):
    """Its link is new each time, so a link on record would look like an old one."""
    sandbox.account.config.ads_per_account = 12
    sandbox.account.faults.arm("media_gone", 404, path="t42.")
    first = download()
    sandbox.account.faults.clear()
    AdAccount.objects.update(ads_listed_at=None)
    download()
    assert places(role="video", reason="gone", last_run=first).exists()
    assert not places(role="video").exclude(last_run=first).exists()


def test_a_run_fetches_as_much_as_its_limits_say_and_the_next_one_goes_on(download):
    first = download(max_videos=5, max_images=10)
    videos, pictures = places(role="video", last_run=first), places(last_run=first).exclude(role="video")
    assert (videos.count(), pictures.count()) == (5, 10)
    assert f"{first.counts['waiting']} files left for the next run." in first.summary
    assert first.verdict == "ok"
    download()
    assert not places(status="waiting").exists()


def test_an_interrupted_run_goes_on_where_it_was(sandbox, account, download):
    sandbox.account.faults.arm("graph_throttled", 17, path="/1204")  # uploads: as soon as the first video is asked for
    run = download(max_videos=5, max_images=10)
    assert (run.status, run.attempt) == (RunStatus.PENDING, 0)
    assert "too many requests" in run.blocked_reason
    assert not places().exclude(status="waiting").exclude(reason="no_source_for_us").exists()
    account.refresh_from_db()
    assert account.ads_listed_at
    lists = sandbox.state["requests"]["GET /graph/{version}/{id}/ads"]
    sandbox.account.faults.clear()
    finish(run)
    assert (run.status, run.verdict, run.attempt) == (RunStatus.COMPLETED, "ok", 0)
    assert places(role="video", last_run=run).exclude(status="waiting").count() == 5
    assert sandbox.state["requests"]["GET /graph/{version}/{id}/ads"] == lists, "the list is not read again"


@pytest.mark.parametrize("options", [{}, {"ad_account_id": "123456789"}, {"ad_account_id": " act_123456789 "}])
def test_the_account_may_be_named_in_any_form_or_not_at_all_if_there_is_one(account, options):
    run = api.queue_one_time_job(account.brand_id, "asset_download", options).run
    assert run.parameters["ad_account_id"] == "act_123456789"
    assert (run.subject, run.subject_label) == (str(account.pk), "act_123456789")
    assert (run.parameters["max_videos"], run.parameters["max_images"]) == (20, 40)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"max_videos": 4}, "max_videos"),
        ({"max_videos": 101}, "max_videos"),
        ({"max_images": 9}, "max_images"),
        ({"max_images": 201}, "max_images"),
        ({"ad_account_id": "act_9"}, "has no ad account act_9"),
        ({"only": 77}, "has no picture or video 77"),
        ({"max_video": 7}, "Did you mean 'max_videos'?"),
    ],
)
def test_a_wrong_option_is_refused(account, options, said):
    with pytest.raises(InvalidRequest, match=said):
        api.queue_one_time_job(account.brand_id, "asset_download", options)


def test_a_brand_with_several_accounts_or_none_says_so(account):
    AdAccount.objects.create(brand=account.brand, account_id="act_2")
    with pytest.raises(InvalidRequest, match=r"has several ad accounts. Choose one: act_123456789, act_2\."):
        api.queue_one_time_job(account.brand_id, "asset_download", {})
    with pytest.raises(InvalidRequest, match="Southpaw has no ad account. Add one first."):
        api.queue_one_time_job(make_brand("Southpaw").pk, "asset_download", {})
    for number, usual in ((limits.VIDEOS, 20), (limits.IMAGES, 40)):
        assert number.read("many") == number.read(None) == usual


def test_one_file_is_tried_again_alone_and_says_nothing_about_the_others(sandbox, download, account):
    sandbox.account.faults.arm("media_gone", 404, path="t42.")
    download(max_videos=5, max_images=10)
    sandbox.account.faults.clear()
    gone = places(role="video", reason="gone").first()
    status = DatasetStatus.objects.get(subject=str(account.pk))
    before = Counter(places().values_list("status", flat=True))
    run = download(only=gone.pk)
    gone.refresh_from_db()
    assert (run.status, run.verdict, gone.status, gone.last_run) == (RunStatus.COMPLETED, "ok", "stored", run)
    after = Counter(places().values_list("status", flat=True))
    assert (after["stored"], after["waiting"]) == (before["stored"] + 1, before["waiting"])
    unchanged = DatasetStatus.objects.get()
    assert (unchanged.last_success_at, unchanged.last_run) == (status.last_success_at, status.last_run)
    assert "One file of" in run.subject_label


def test_run_job_downloads_without_a_parameter(sandbox, account, capsys):
    call_command("run_job", "asset_download", "--brand", account.brand.slug, "--direct", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["status"] == "completed"
    assert places(status="stored").count() > 25


def test_files_lie_under_the_digest_of_their_content(download, settings):
    download(max_videos=5, max_images=10)
    media = Media.objects.first()
    assert Path(settings.MEDIA_ROOT, media.file.name).name.startswith(media.sha256)


def test_a_click_storm_makes_one_run(account):
    runs = {queue(account).pk for _ in range(5)}
    assert len(runs) == 1


def test_the_accounts_of_all_brands_are_read_in_one_query(account, django_assert_num_queries):
    southpaw = make_brand("Southpaw")
    other = AdAccount.objects.create(brand=southpaw, account_id="act_2")
    with django_assert_num_queries(1):
        found = list(get_type("asset_download").subjects_of([account.brand, None, southpaw]))
    assert [(brand, subject.key) for brand, subject in found] == [(row.brand_id, str(row.pk)) for row in (account, other)]
