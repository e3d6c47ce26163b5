"""What ads show, and what becomes of it: the rows, through the scrape of a competitor's ads against the sandbox."""

import errno
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils import timezone

from competitors.models import AdMedia, CompetitorAd, Media, MediaReason
from competitors.reading.ad_library import MediaLink
from competitors.sandbox.media.links import Links
from competitors.steps.ad_media import note, record, store, to_fetch
from competitors.upstream.media import NotStored
from pipeline.contract import Cancelled
from pipeline.engine.execution.replay import ReplayContext, replay
from pipeline.models import RunLog
from pipeline.states import RunStatus
from tests.factories import make_ad, make_competitor

from .conftest import queue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sandbox(sandbox, settings, tmp_path):
    """One whose pictures may be fetched."""
    settings.MEDIA_EXTRA_HOSTS, settings.MEDIA_ROOT = [urlsplit(sandbox.url).netloc], str(tmp_path)
    settings.MEDIA_LEAST_SPEED_SECONDS = 0.3
    sandbox.account.config.picture_bytes = 2000
    return sandbox


def by_reason(status: str) -> dict[str, int]:
    reasons = list(AdMedia.objects.filter(status=status).values_list("reason", flat=True))
    return {reason: reasons.count(reason) for reason in reasons}


def test_a_scrape_stores_the_first_picture_of_each_ad_and_the_next_one_only_what_is_missing(scrape, sandbox):
    run = scrape(max_media=20)
    ads = CompetitorAd.objects.count()
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "ok")
    assert (run.counts["files"], AdMedia.objects.filter(status="stored").count()) == (20, 20)
    assert "20 files stored." in run.summary
    assert AdMedia.objects.count() == ads
    assert by_reason("unavailable").keys() == {"none_in_ad", "removed_by_policy"}
    assert not AdMedia.objects.filter(role="video").exists()
    assert all(default_storage.exists(media.file.name) for media in Media.objects.all())
    before = Media.objects.count()

    again = scrape(max_media=2000)
    assert again.counts["files"] + 20 + sum(by_reason("unavailable").values()) == ads
    assert Media.objects.count() > before
    assert not to_fetch(AdMedia.objects.all()).exists()
    assert "files" not in scrape(max_media=2000).counts


FAULTS = {  # fault of the CDN → status and reason of the one picture that it hits
    ("media_gone", 404): ("unavailable", "gone"),
    ("media_error", 503): ("failed", "server_error"),
    ("media_html", "image/jpeg"): ("refused", "wrong_type"),
    ("media_svg", "image/jpeg"): ("refused", "wrong_type"),
    ("media_bomb", 30_000): ("refused", "wrong_type"),
    ("media_huge", 40_000_000): ("refused", "too_big"),
    ("media_redirect", "http://169.254.169.254/latest/meta-data/"): ("refused", "address_refused"),
    ("media_slow", 1000): ("failed", "slow"),
    ("media_throttled", 60): ("failed", "throttled"),
}


def test_each_picture_that_cannot_be_stored_says_why_and_the_ads_and_other_pictures_stay(scrape, sandbox):
    """What went wrong for the moment is tried again by the next run, and what did not is not."""
    scrape()
    files = {urlsplit(row.url).path: row for row in to_fetch(AdMedia.objects.all())}  # some ads show the same one
    rows = dict(zip(FAULTS, files.values(), strict=False))
    for (fault, value), row in rows.items():
        sandbox.account.faults.arm(fault, value, path=urlsplit(row.url).path)
    AdMedia.objects.exclude(pk__in=[row.pk for row in list(files.values())[: len(FAULTS) + 2]]).delete()
    run = scrape(max_media=len(FAULTS) + 2)
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "ok")
    assert (run.counts["files"], run.counts["files_not_stored"]) == (2, len(FAULTS))
    logged = "".join(RunLog.objects.filter(run=run, level="warning").values_list("message", flat=True))
    for (fault, _), row in rows.items():
        row.refresh_from_db()
        assert (row.status, row.reason) == FAULTS[fault, _], fault
        assert f"{row} was not stored: {row.get_reason_display()}" in logged
    again = set(to_fetch(AdMedia.objects.exclude(tried_at=None)))
    assert {row.reason for row in again} == {"slow", "throttled", "server_error"}


def test_a_link_that_expired_is_not_stored_until_the_next_reading_brings_a_new_one(scrape, sandbox):
    """The trap of pictures that were never fetched again, because their ad was no longer new."""
    sandbox.account.config.media_seconds = -60
    scrape(max_media=3)
    assert by_reason("unavailable")["expired"] == 3
    sandbox.account.config.media_seconds = 600
    scrape(max_media=2000)
    assert by_reason("unavailable").keys() == {"none_in_ad", "removed_by_policy"}


def test_a_full_disk_keeps_the_pictures_away_and_the_ads_stay(scrape, sandbox, monkeypatch):
    def full(*args: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", full)
    run = scrape(max_media=5)
    assert (run.status, run.verdict, run.counts["new"]) == (RunStatus.COMPLETED, "ok", CompetitorAd.objects.count())
    assert "Pictures are missing. The disk for files is full." in run.summary
    assert not AdMedia.objects.exclude(tried_at=None).exists()


class Cancelling(ReplayContext):
    """A context in which a person cancels after so many looks."""

    looks = 20

    @property
    def cancelled(self) -> bool:
        self.looks -= 1
        return self.looks < 0


def test_a_cancel_ends_a_picture_that_trickles(sandbox, library, settings):
    settings.MEDIA_LEAST_SPEED = 0
    sandbox.account.faults.arm("media_slow", 100)
    ad, run = make_ad(library.competitor), queue(library)
    url = Links(sandbox.url, int(timezone.now().timestamp()) + 600).picture("a")
    row = AdMedia.objects.create(competitor_ad=ad, role="picture", url=url)
    with pytest.raises(Cancelled):
        store(Cancelling(run), AdMedia.objects.all(), 5)
    row.refresh_from_db()
    assert (row.status, row.tried_at) == ("waiting", None)


def test_a_replay_fetches_nothing(scrape, sandbox):
    replay(scrape(max_media=1))
    assert AdMedia.objects.exclude(tried_at=None).count() == 1


def test_what_became_of_an_old_link_is_not_said_of_the_new_one(library):
    """A reading brought another link while the old one was tried."""
    ad, ctx = make_ad(library.competitor), ReplayContext(queue(library))
    row = AdMedia.objects.create(competitor_ad=ad, role="picture", url="https://a.fbcdn.net/old.jpg")
    AdMedia.objects.update(url="https://a.fbcdn.net/new.jpg")
    record(row, NotStored(MediaReason.GONE, "HTTP 404."), ctx)
    assert AdMedia.objects.get().status == "waiting"
    record(AdMedia.objects.get(), NotStored(MediaReason.GONE, "HTTP 404."), ctx)
    assert AdMedia.objects.get().status == "unavailable"


def test_the_soonest_to_expire_is_fetched_first():
    ad, now = make_ad(make_competitor()), timezone.now()
    for position, hours in enumerate((5, None, 1, 3)):
        at = now + timedelta(hours=hours) if hours else None
        AdMedia.objects.create(competitor_ad=ad, role="picture", position=position, url="https://a", expires_at=at)
    assert [row.position for row in to_fetch(AdMedia.objects.all())] == [2, 3, 0, 1]


def test_a_file_that_was_refused_for_what_it_is_is_not_fetched_again_under_a_new_signature():
    ad = make_ad(make_competitor())
    AdMedia.objects.create(
        competitor_ad=ad, role="picture", url="https://a.fbcdn.net/x.jpg?oe=1", status="refused", reason="too_big"
    )
    note("competitor_ad", {ad.pk: [MediaLink("picture", 0, "https://b.fbcdn.net/x.jpg?oe=2")]})
    assert AdMedia.objects.get().reason == "too_big"
    note("competitor_ad", {ad.pk: [MediaLink("picture", 0, "https://b.fbcdn.net/other.jpg?oe=2")]})
    assert AdMedia.objects.get().status == "waiting"


def test_an_ad_that_shows_something_after_all_no_longer_says_that_it_has_none():
    ad = make_ad(make_competitor())
    note("competitor_ad", {ad.pk: []})
    note("competitor_ad", {ad.pk: []})
    assert AdMedia.objects.get().get_reason_display() == "The ad has none"
    note("competitor_ad", {ad.pk: [MediaLink("poster", 0, "https://a.fbcdn.net/x.jpg")]})
    assert [(row.role, row.status) for row in AdMedia.objects.all()] == [("poster", "waiting")]


def test_that_meta_removed_the_pictures_is_another_reason_than_that_there_are_none():
    ad = make_ad(make_competitor())
    note("competitor_ad", {ad.pk: [MediaLink("picture", 0, "https://a.fbcdn.net/x.jpg")]})
    for removed, reason in (({ad.pk}, "removed_by_policy"), (set(), "none_in_ad"), ({ad.pk}, "removed_by_policy")):
        note("competitor_ad", {ad.pk: []}, removed)
        row = AdMedia.objects.get()
        assert (row.status, row.reason, row.url) == ("unavailable", reason, "")
    note("competitor_ad", {ad.pk: [MediaLink("picture", 0, "https://a.fbcdn.net/x.jpg")]})
    assert AdMedia.objects.get().status == "waiting"


@pytest.mark.parametrize(
    "wrong",
    [
        {},  # no ad
        {"competitor_ad_id": 1, "library_ad_id": 1},
        {"competitor_ad_id": 1, "status": "stored"},
        {"competitor_ad_id": 1, "status": "failed"},
        {"competitor_ad_id": 1, "reason": "gone"},
        {"competitor_ad_id": 1, "role": "sound"},
    ],
)
def test_the_database_refuses_rows_that_contradict_themselves(wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        AdMedia.objects.create(**{"role": "picture", **wrong})
