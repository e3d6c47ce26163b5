"""Brand Research: ad accounts, the button, the grid of ads with their files, one more try, and a selection as a ZIP file."""

import contextlib
import errno
import io
import zipfile
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.messages import get_messages
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from waitress.buffers import ReadOnlyFileBasedBuffer

from competitors.jobs.asset_download.views import archive
from competitors.models import AdAccount, AdMedia, BrandAd, Media
from pipeline import api
from pipeline.models import Run
from pipeline.views.person import audit, searches
from tests.factories import make_brand, make_media, make_person

pytestmark = pytest.mark.django_db


def make_brand_ad(account: AdAccount, number: int, **fields: Any) -> BrandAd:
    at = timezone.now()
    known = {"name": f"Summer – Offer {number}", "status": "ACTIVE", "first_seen_at": at, "last_seen_at": at}
    return BrandAd.objects.create(ad_account=account, ad_id=f"12020000{number}", **known | fields)


def show(ad: BrandAd, role: str = "picture", status: str = "stored", reason: str = "", content: bytes = b"GIF89a") -> AdMedia:
    mime = "video/mp4" if role == "video" else "image/gif"
    media = make_media(content, mime) if status == "stored" else None
    return AdMedia.objects.create(brand_ad=ad, role=role, status=status, reason=reason, media=media)


@pytest.fixture
def files(account, settings, tmp_path):
    """An ad in each state, newest last."""
    settings.MEDIA_ROOT = str(tmp_path)
    show(make_brand_ad(account, 1))
    show(make_brand_ad(account, 2, is_video=True), "video", "unavailable", "no_source_for_us")
    show(make_brand_ad(account, 3), "picture", "failed", "server_error")
    show(make_brand_ad(account, 4, name="Winter"), "picture", "refused", "wrong_type")
    show(make_brand_ad(account, 5), "picture", "waiting")
    both = make_brand_ad(account, 6, is_video=True, name="\u202eEvil <b>")
    show(both, "video", content=b"\0\0\0\x20ftypisom")
    show(both, "poster", content=b"GIF89a-still")
    southpaw = AdAccount.objects.create(brand=make_brand("Southpaw"), account_id="act_5")
    show(make_brand_ad(southpaw, 7, name="Foreign"))
    return {ad.ad_id[-1]: ad for ad in BrandAd.objects.all()}


@pytest.fixture
def page(account):
    return signed_in("operator")


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(make_person(f"{role}-person", role))
    return client


def at(account: AdAccount, name: str = "research", *args: Any) -> str:
    return reverse(name, args=[account.brand.slug, *args])


def shown(page: Client, of: AdAccount, query: dict[str, str]) -> str:
    response = page.get(at(of), query)
    assert response.status_code == 200
    return "".join(sorted(card.ad.ad_id[-1] for card in response.context["files"].cards))


def said(response: Any) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, "123456"),
        ({"state": "stored"}, "16"),
        ({"state": "waiting"}, "5"),
        ({"state": "failed"}, "3"),
        ({"state": "unavailable"}, "2"),
        ({"state": "refused"}, "4"),
        ({"reason": "no_source_for_us"}, "2"),
        ({"kind": "video"}, "26"),
        ({"kind": "image", "state": "stored"}, "16"),
        ({"q": "WINTER"}, "4"),
        ({"account": "act_5"}, "123456"),  # another brand's: not one of the choices
        ({"state": "lost"}, "123456"),
        ({"sort": "name", "page": "9"}, "123456"),
    ],
)
def test_the_grid_is_filtered_by_what_became_of_the_files(page, account, files, query, expected):
    assert shown(page, account, query) == expected


def test_each_reason_stands_on_its_card_and_a_wrong_filter_is_named(page, account, files):
    body = page.get(at(account), {"state": "lost"}).content.decode()
    assert "“lost” is not one of the choices. It was ignored." in body
    for words in ("Meta does not give us the file", "The server failed", "Not a picture or video that can be stored", "Waiting"):
        assert words in body
    assert "Foreign" not in body
    assert "<b>" not in body
    tabs = page.get(at(account)).context["files"].tabs
    assert {tab["label"]: tab["count"] for tab in tabs} == {
        "All": 7,
        "Waiting": 1,
        "Stored": 3,
        "Unavailable": 1,
        "Failed": 1,
        "Refused": 1,
    }


def test_a_stored_still_stands_for_its_video(page, account, files):
    cards = {card.ad.ad_id[-1]: card for card in page.get(at(account)).context["files"].cards}
    assert (cards["6"].shown.role, cards["6"].tag, cards["6"].stored) == ("poster", "Video", True)
    assert (cards["2"].shown.status, cards["2"].stored) == ("unavailable", False)


def test_the_button_says_what_it_asks_for_and_queues_it(page, account):
    body = page.get(at(account)).content.decode()
    assert "(20 videos, 40 images)" in body
    assert "Download files directly (legacy)" in body
    price = page.get(at(account, "research_price", account.pk), {"max_videos": "7", "max_images": "<b>"}).content.decode()
    assert "(7 videos, 40 images)" in price
    assert "Free." in price
    response = page.post(at(account, "research_scrape", account.pk), {"max_videos": "7", "max_images": "12"})
    run = Run.objects.get()
    assert response.headers["Location"] == account.get_absolute_url()
    assert (run.parameters["max_videos"], run.parameters["max_images"], run.parameters["only"]) == (7, 12, None)
    assert "Download queued!" in said(response)
    assert "Download queued since" in page.get(at(account)).content.decode()


def test_one_file_is_tried_again(page, account, files):
    place = files["3"].media.get()
    response = page.post(at(account, "research_again", place.pk), {"next": "/brands/northpaw/research/?state=failed#files"})
    run = Run.objects.get()
    assert (run.parameters["only"], run.parameters["ad_account_id"]) == (place.pk, account.account_id)
    assert response.headers["Location"].endswith("?state=failed#files")
    assert "It is tried again when a worker is free." in said(response)
    again = page.post(at(account, "research_again", place.pk))
    assert Run.objects.count() == 1
    assert "already queued" in said(again)
    assert page.post(at(account, "research_again", files["1"].media.get().pk)).status_code == 404, "it is stored"
    foreign = files["7"].media.get()
    AdMedia.objects.filter(pk=foreign.pk).update(status="failed", reason="gone", media=None)
    assert page.post(at(account, "research_again", foreign.pk)).status_code == 404
    assert signed_in("viewer").post(at(account, "research_again", place.pk)).status_code == 403


def names(response: Any) -> list[str]:
    content = b"".join(response.streaming_content)
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        assert found.testzip() is None
        return found.namelist()


def test_a_selection_is_saved_as_a_zip_file(page, account, files):
    chosen = page.get(at(account, "research_zip"), {"ad": [files["1"].pk, files["6"].pk, files["3"].pk, files["7"].pk, "x"]})
    assert chosen.headers["Content-Disposition"] == 'attachment; filename="northpaw-files.zip"'
    assert names(chosen) == [
        "summer-offer-1-120200001-picture.gif",
        "evil-b-120200006-poster.gif",
        "evil-b-120200006-video.mp4",
    ]
    assert len(names(page.get(at(account, "research_zip"), {"all": "1"}))) == 3
    assert names(page.get(at(account, "research_zip"), {"all": "1", "kind": "video"})) == ["evil-b-120200006-video.mp4"]


def test_a_second_zip_file_is_refused_until_the_first_was_sent_from_the_disk(page, account, files):
    address, chosen = at(account, "research_zip"), {"all": "1"}
    first = page.get(address, chosen)
    refused = page.get(address, chosen)
    assert (refused.status_code, refused.headers["Location"]) == (303, at(account) + "#files")
    assert "Wait until it has arrived" in said(refused)
    assert len(names(first)) == 3
    assert len(names(page.get(address, chosen))) == 3


def test_the_web_server_sends_a_zip_file_without_a_thread_that_waits_for_its_reader(account, files):
    places = AdMedia.objects.filter(brand_ad=files["1"]).select_related("media", "brand_ad")
    for _ in range(2):
        answer = archive.response(places, "files.zip", 1)
        assert answer
        with contextlib.closing(answer):
            assert ReadOnlyFileBasedBuffer(answer.file_to_stream).prepare() == int(answer.headers["Content-Length"]) > 100


def test_a_zip_file_that_cannot_be_made_leaves_its_turn_to_the_next(page, account, files, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(archive, "copyfileobj", Mock(side_effect=OSError(errno.ENOSPC, "full")))
        assert "the disk is full" in said(page.get(at(account, "research_zip"), {"all": "1"}))
    assert len(names(page.get(at(account, "research_zip"), {"all": "1"}))) == 3


def test_a_zip_file_that_an_error_takes_the_place_of_leaves_its_turn_to_the_next(page, account, files, monkeypatch):
    page.raise_request_exception = False
    with monkeypatch.context() as broken:
        broken.setattr(audit, "record_change", Mock(side_effect=OperationalError("the server restarts")))
        assert page.get(at(account, "research_zip"), {"all": "1"}).status_code == 500
    assert len(names(page.get(at(account, "research_zip"), {"all": "1"}))) == 3


def test_a_zip_file_of_words_takes_no_turn_of_the_searches(page, account, files, monkeypatch):
    searching, write = [], archive._write
    monkeypatch.setattr(archive, "_write", lambda *its: (searching.append(searches.TURNS._at_work.total()), write(*its)))
    names(page.get(at(account, "research_zip"), {"all": "1", "q": "Offer"}))
    assert searching == [0]


def test_a_zip_file_says_which_file_is_missing(page, account, files, settings):
    Path(settings.MEDIA_ROOT, files["1"].media.get().media.file.name).unlink()
    response = page.get(at(account, "research_zip"), {"ad": [files["1"].pk]})
    with zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content))) as found:
        assert found.namelist() == ["missing.txt"]
        assert "summer-offer-1-120200001-picture.gif" in found.read("missing.txt").decode()


def test_a_selection_that_is_too_large_is_refused_with_the_sizes(page, account, files, settings, monkeypatch):
    settings.MEDIA_MAX_ZIP_BYTES = 1_000_000
    Media.objects.update(bytes=2_400_000)
    response = page.get(at(account, "research_zip"), {"ad": [files["1"].pk]})
    assert (response.status_code, response.headers["Location"]) == (303, at(account) + "#files")
    assert said(response) == "The chosen files have 2 MB. A ZIP file may have 1 MB. Choose fewer."
    monkeypatch.setattr(archive, "MOST_FILES", 1)
    assert "too many for one ZIP file" in said(page.get(at(account, "research_zip"), {"all": "1"}))
    assert "Nothing chosen is stored" in said(page.get(at(account, "research_zip"), {"ad": [files["3"].pk]}))


def test_an_ad_account_is_removed_with_its_ads_but_not_under_a_live_run(account, files):
    manager = Client()
    manager.force_login(make_person("mia", "manager"))
    address = reverse("research_remove", args=[account.brand.slug, account.pk])
    asked = manager.get(address).content.decode()
    assert f"The {account.ads.count()} ads of this account leave the page" in asked
    run = api.queue_one_time_job(account.brand_id, "asset_download", {"ad_account_id": account.account_id}).run
    assert f"while run {run.pk} works on it" in manager.post(address).content.decode()
    Run.objects.all().delete()
    assert manager.post(address)["Location"] == reverse("research", args=[account.brand.slug])
    assert not AdAccount.objects.filter(pk=account.pk).exists()
    assert not BrandAd.objects.filter(ad_account=account.pk).exists()
    assert Media.objects.exists()
    other = AdAccount.objects.create(brand=make_brand("Other"), account_id="act_9")
    assert manager.get(reverse("research_remove", args=[account.brand.slug, other.pk])).status_code == 404


def test_queries_do_not_grow_with_ads(page, account, files, django_assert_max_num_queries):
    for number in range(10, 34):
        show(make_brand_ad(account, number), content=str(number).encode())
    with django_assert_max_num_queries(32):
        page.get(at(account))


def test_all_brands_are_listed_with_their_stored_files(page, account, files):
    rows = {brand.name: (brand.accounts, brand.files) for brand in page.get(reverse("research_brands")).context["brands"]}
    assert rows == {"Northpaw": (1, 3), "Southpaw": (1, 1)}
