"""Files of candidates that were archived long ago go; what anything else shows stays."""

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from competitors.jobs.template_scrape.old_files import remove_old_files
from competitors.models import AdMedia, Media, TemplateCandidate
from competitors.upstream.media.content import Content
from competitors.upstream.media.fetch import _store
from pipeline.contract.site.incoming import incoming
from pipeline.models import Event
from tests.factories import make_ad, make_candidate, make_competitor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def archived():
    """Archived 181 days ago."""
    return make_archived("952254996289312")


def make_archived(ad, days=181, **more):
    row = make_candidate(ad, **more)
    at = timezone.now() - timedelta(days=days)
    TemplateCandidate.objects.filter(pk=row.pk).update(status="archived", reviewed_at=at)
    Media.objects.update(used_at=at)
    return row


def there(row):
    return default_storage.exists(Media.objects.get(pk=row.media_id).file.name)


def test_the_file_goes_and_the_candidate_stays(archived):
    young = make_archived("2", days=179)
    pending = make_candidate("3")
    Media.objects.update(used_at=timezone.now() - timedelta(days=200))
    assert remove_old_files(timezone.now()) == 1
    assert [there(row) for row in (archived, young, pending)] == [False, True, True]
    assert TemplateCandidate.objects.count() == 3
    assert "1 file of templates that were archived over 180 days ago, 15" in Event.objects.get(kind="removed").message
    assert remove_old_files(timezone.now()) == 0


def test_what_another_candidate_or_ad_shows_stays(archived):
    make_candidate("2", media=archived.media)
    shown = make_archived("4")
    Media.objects.update(used_at=timezone.now() - timedelta(days=200))
    ad = make_ad(make_competitor())
    AdMedia.objects.create(competitor_ad=ad, role="picture", status="stored", media=shown.media)
    assert remove_old_files(timezone.now()) == 0
    assert there(archived)
    assert there(shown)


def test_zero_keeps_them_and_what_has_just_come_stays(archived, settings):
    settings.MEDIA_KEEP_ARCHIVED_DAYS = 0
    assert remove_old_files(timezone.now()) == 0
    settings.MEDIA_KEEP_ARCHIVED_DAYS = 180
    Media.objects.update(used_at=timezone.now() - timedelta(hours=23))
    assert remove_old_files(timezone.now()) == 0
    assert there(archived)


def test_its_page_says_that_the_file_is_gone(archived, admin_client):
    remove_old_files(timezone.now())
    assert "The file was removed" in admin_client.get(archived.get_absolute_url()).content.decode()


def test_the_same_content_that_comes_again_is_stored_again(archived):
    remove_old_files(timezone.now())
    media = archived.media
    with incoming() as file:
        file.write(b"952254996289312")
        content = Content(mime=media.mime, width=1, height=1)
        again = _store(file, media.sha256, media.bytes, media.kind, content)
    assert (again.pk, again.removed_at) == (media.pk, None)
    assert there(archived)
