"""Files of exports in a bucket of S3, against moto's server."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from pipeline.engine.workers.inline import work_off
from pipeline.jobs.export import files
from pipeline.models import Run
from tests.factories import make_person

pytestmark = [pytest.mark.only_on("sqlite"), pytest.mark.django_db(transaction=True)]


def test_a_file_in_a_bucket_is_sent_for_a_week_and_then_removed(client, bucket, settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    client.force_login(make_person("ann", "viewer"))
    assert files.remove_old() == []
    assert client.post("/pipeline/runs.csv").status_code == 303
    work_off()
    run = Run.objects.get()
    assert b"".join(client.get(f"/exports/{run.pk}/").streaming_content).decode("utf-8-sig").startswith("Run,")
    assert files.remove_old() == []
    Run.objects.update(completed_at=timezone.now() - files.KEPT - timedelta(minutes=1))
    assert files.remove_old() == [run.pk]
    assert list(bucket.objects.all()) == []


def test_a_large_file_from_a_bucket_is_not_held_in_memory(bucket):
    default_storage.save("exports/1.csv", ContentFile(b"x" * 2_000_000))
    with default_storage.open("exports/1.csv") as file:
        assert file.read(1) == b"x"
        assert file.file._rolled
