"""The same content is stored once, and the storage holds whole files only."""

import errno
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from competitors.management.commands import prune_media
from competitors.models import AdMedia, Media, TemplateCandidate
from competitors.upstream.media import fetch
from pipeline.contract import BlockedError, PermanentError
from tests.factories import make_ad, make_brand, make_competitor

from .cdn import answer, file
from .conftest import stored
from .files import picture


def test_the_same_content_of_two_links_is_stored_once(server, folder):
    first = fetch(server.serve(file(picture()), "/a"), "image")
    written = os.stat(first.file.path).st_mtime_ns
    assert fetch(server.serve(file(picture()), "/b"), "image") == first
    assert os.stat(first.file.path).st_mtime_ns == written
    assert len(stored(folder)) == Media.objects.count() == 1


def test_two_workers_that_store_the_same_content_at_the_same_moment_make_one_row_and_one_file(server, folder, monkeypatch):
    """Both find neither file nor row, and then write."""
    both, asked = threading.Barrier(2, timeout=20), threading.local()
    real = default_storage.exists

    def exists(name):
        found = real(name)
        if not hasattr(asked, "before"):  # the storage asks again while it saves
            asked.before = True
            both.wait()
        return found

    monkeypatch.setattr(default_storage, "exists", exists)
    url = server.serve(file(picture()))

    def work(_):
        try:
            return fetch(url, "image").pk
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(work, range(2)))) == 1
    assert len(stored(folder)) == Media.objects.count() == 1


def test_a_file_that_another_worker_stored_a_moment_ago_is_kept(server, folder, monkeypatch):
    first = fetch(server.serve(file(picture())), "image")
    real, before = default_storage.exists, iter([False])
    monkeypatch.setattr(default_storage, "exists", lambda name: next(before, None) is None and real(name))
    assert fetch(server.serve(file(picture())), "image") == first
    assert stored(folder) == [os.path.basename(first.file.name)]


def test_a_file_that_is_missing_in_the_storage_comes_back(server, folder):
    media = fetch(server.serve(file(picture())), "image")
    os.unlink(media.file.path)
    assert fetch(server.serve(file(picture())), "image") == media
    assert media.file.read() == picture()
    media.file.close()


def test_what_a_killed_worker_left_is_deleted_once_nobody_can_be_at_it(server, folder):
    left, new = folder / "incoming" / "left", folder / "incoming" / "new"
    left.parent.mkdir(parents=True)
    for one, age in ((left, 3700), (new, 60)):
        one.write_bytes(b"half")
        os.utime(one, (time.time() - age,) * 2)
    fetch(server.serve(answer(404)), "image")
    assert (left.exists(), new.exists()) == (False, True)
    new.unlink()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_in_plain_words_and_the_run_waits(server, folder, monkeypatch, number):
    def full(*args):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BlockedError, match="The disk for files is full. Free some space"):
        fetch(server.serve(file(picture())), "image")
    assert stored(folder) == []
    assert not Media.objects.exists()


def test_a_folder_that_is_none_is_said_in_plain_words(server, folder):
    folder.write_text("a file")
    with pytest.raises(PermanentError, match=r"cannot be saved \(Not a directory\). Let the worker write to the folder"):
        fetch(server.serve(file(picture())), "image")
    folder.unlink()


def test_files_that_nothing_shows_are_deleted_a_day_after_they_came(server, folder):
    files = [file(picture(size=(number, 9))) for number in range(1, 7)]
    shown, template, fresh, *_ = [fetch(server.serve(one), "image") for one in files]
    competitor = make_competitor(make_brand(), "Barkwell")
    ads = [make_ad(competitor, ad_archive_id=str(number)) for number in range(2)]
    for ad in ads:
        AdMedia.objects.create(competitor_ad=ad, role="picture", media=shown, status="stored")
    TemplateCandidate.objects.create(media=template)
    Media.objects.exclude(pk=fresh.pk).update(used_at=timezone.now() - timedelta(hours=25))
    ads[0].delete()  # the other one shows the same content
    assert pruned("--most", "2").startswith("Deleted 2 files, ")
    assert pruned().startswith("Deleted 1 file, ")
    assert pruned().startswith("Deleted 0 files")
    assert set(Media.objects.all()) == {shown, template, fresh}
    assert stored(folder) == sorted(os.path.basename(media.file.name) for media in (shown, template, fresh))


def test_a_file_that_comes_again_while_unused_files_are_deleted_is_not_lost(server, folder, monkeypatch):
    first = fetch(server.serve(file(picture())), "image")
    Media.objects.update(used_at=timezone.now() - timedelta(hours=25))
    real = default_storage.exists

    def exists(name):
        found = real(name)
        pruned()
        return found

    monkeypatch.setattr(default_storage, "exists", exists)
    again = fetch(server.serve(file(picture())), "image")
    assert again == first
    assert again.file.read() == picture()
    again.file.close()
    assert prune_media.delete_unused(first.pk, timezone.now() - prune_media.KEPT) == 0, "it was listed before it came again"


def pruned(*options):
    out = StringIO()
    call_command("prune_media", *options, stdout=out)
    return out.getvalue()
