"""Finding ads, adding one by hand, and the schedules: forms, prices, messages and what becomes of them."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from competitors.models import Media, TemplateCandidate
from pipeline import api
from pipeline.models import DatasetStatus, Job, Run
from tests.competitors.template_scrape.conftest import SEARCH, queue
from tests.factories import make_person

pytestmark = pytest.mark.django_db
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
FIND, UPLOAD, SCHEDULES = "/templates/find/", "/templates/upload/", "/templates/schedules/"


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)


def signed_in(role):
    client = Client()
    client.force_login(make_person(f"the {role}", role))
    return client


@pytest.fixture
def page():
    return signed_in("operator")


def picture():
    data = BytesIO()
    Image.new("RGB", (8, 8)).save(data, "PNG")
    return data.getvalue()


def test_the_price_is_beside_the_button_and_follows_the_number(page):
    body = page.get(FIND).content.decode()
    assert "About 1 minute, ≈ $0.04. Never more than $0.05." in body
    assert body.index('name="legacy"') < body.index("Find ads</span>")  # the checkbox stands above the button
    assert "≈ $0.75" in page.get(f"{FIND}price/?max_ads=1000&search_url=x").content.decode()
    assert 'value="https://x"' in page.get(f"{FIND}?search_url=https://x").content.decode()


def test_a_click_queues_one_run_for_no_brand_and_the_last_five_are_listed(page):
    sent = {"search_url": f"{SEARCH}&fbclid=1", "max_ads": "20", "auto_queue": "on"}
    for _ in range(2):
        answer = page.post(FIND, sent, follow=True)
    run = Run.objects.get()
    assert (run.brand, run.mode, run.created_by.username) == (None, "worker", "the operator")
    assert run.parameters == {"search_url": run.subject, "max_ads": 20, "images_only": False, "auto_queue": True, "only": None}
    body = answer.content.decode()
    assert f"Run {run.pk}" in body
    assert "Search for “dog chews”" in body
    assert 'hx-trigger="every 3s"' in body
    fragment = page.get(f"{FIND}live/").content.decode()
    assert f"Run {run.pk}" in fragment
    for number in range(6):
        queue(f"{SEARCH}{number}")
    assert page.get(FIND).content.decode().count('id="run-') == 5


def test_a_wrong_address_is_refused_with_what_was_typed(page):
    answer = page.post(FIND, {"search_url": "https://www.facebook.com/barkwell", "max_ads": "5"})
    body = answer.content.decode()
    assert answer.status_code == 422
    assert "This is not an Ad Library address." in body
    assert "greater than or equal to 10" in body
    assert 'value="https://www.facebook.com/barkwell"' in body
    assert not Run.objects.exists()


def test_viewers_see_the_runs_and_may_not_start_one():
    queue()
    viewer = signed_in("viewer")
    body = viewer.get(FIND).content.decode()
    assert "You can view, but not scrape. Only operators can scrape ads for the Template Queue. Ask one." in body
    assert "Search for “dog chews”" in body
    assert viewer.post(FIND, {"search_url": SEARCH}).status_code == 403


def test_the_banner_speaks_of_the_scheduled_search_and_its_button_starts_that_one(page):
    job = api.ensure_recurring_job(None, "template_scrape", "0 6 * * *", {"search_url": SEARCH, "max_ads": 30})
    body = page.get(FIND).content.decode()
    assert "Templates: never refreshed." in body
    assert f'<input type="hidden" name="search_url" value="{job.subject.replace("&", "&amp;")}">' in body
    old = timezone.now() - timedelta(days=9)
    DatasetStatus.objects.create(dataset_key="templates_scraped", subject=job.subject, last_success_at=old)
    for address in (FIND, "/templates/"):
        body = page.get(address).content.decode()
        assert "Templates: 9 days old." in body
        assert f'<form method="post" action="{FIND}">' in body
    DatasetStatus.objects.update(last_success_at=timezone.now())
    assert "Freshness" not in page.get(FIND).content.decode()


def test_a_picture_is_added_by_hand_and_the_same_one_only_once(page):
    def send(**more):
        file = SimpleUploadedFile("../a.svg", picture(), content_type="text/html")  # neither name nor type is believed
        return page.post(UPLOAD, {"file": file, "name": "My own", **more}, follow=True)

    body = send(approve="on").content.decode()
    row = TemplateCandidate.objects.get()
    assert (row.library_ad, row.status, row.name, row.media.mime) == (None, "approved", "My own", "image/png")
    assert row.media.file.name.endswith(f"{row.media.sha256}.png")
    assert "Uploaded and approved “My own”." in body
    again = send()
    assert again.status_code == 422
    assert "This file was uploaded before: it is “My own”, approved." in again.content.decode()
    assert TemplateCandidate.objects.count() == 1


@pytest.mark.parametrize(
    "content", [b"", b"<html>", SVG, b"%PDF-1.7", picture()[:40]], ids=["empty", "html", "svg", "pdf", "cut"]
)
def test_what_is_no_picture_is_refused_by_its_content(page, content):
    answer = page.post(UPLOAD, {"file": SimpleUploadedFile("a.png", content, content_type="image/png"), "name": "x"})
    assert answer.status_code == 422
    assert not Media.objects.exists()
    assert not TemplateCandidate.objects.exists()


def test_a_file_that_is_too_large_is_refused(page, settings):
    settings.MEDIA_MAX_IMAGE_BYTES = 50
    answer = page.post(UPLOAD, {"file": SimpleUploadedFile("a.png", picture()), "name": "x"})
    assert "Larger than the limit." in answer.content.decode()
    assert not Media.objects.exists()


def test_a_manager_schedules_a_search_and_switches_it_off():
    page = signed_in("manager")
    new = f"{SCHEDULES}new/"
    preview = page.get(new, {"every": "daily", "at": "06:00", "max_ads": "100", "search_url": SEARCH}).content.decode()
    assert "a month at ≈ $0.08 each" in preview
    assert page.post(new, {"every": "daily", "at": "06:00", "search_url": "x"}).status_code == 422
    sent = {"every": "daily", "at": "06:00", "max_ads": "30", "images_only": "on", "search_url": SEARCH}
    body = page.post(new, sent, follow=True).content.decode()
    job = Job.objects.get()
    assert (job.brand, job.cron_expression, job.status) == (None, "0 6 * * *", "active")
    assert job.parameters == {"search_url": job.subject, "max_ads": 30, "images_only": True, "auto_queue": False, "only": None}
    assert "Schedule of Search for “dog chews” saved" in body
    one = f"{SCHEDULES}{job.pk}/"
    assert 'value="30"' in page.get(one).content.decode()
    page.post(one, {"every": "weekly", "weekday": "2", "at": "07:30", "max_ads": "40", "search_url": "ignored"})
    job.refresh_from_db()
    assert (job.cron_expression, job.parameters["max_ads"], Job.objects.count()) == ("30 7 * * 2", 40, 1)
    page.post(one, {"every": "off", "max_ads": "40"})
    job.refresh_from_db()
    assert job.status == "paused"
    operator = signed_in("operator")
    assert "Search for “dog chews”" in operator.get(SCHEDULES).content.decode()
    assert operator.get(one).status_code == 403
