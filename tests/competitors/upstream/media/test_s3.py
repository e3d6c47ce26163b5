"""The same storing and sending with S3 instead of a disk, against moto's server."""

import pytest
from django.test import Client

from competitors.models import AdMedia, Media
from competitors.upstream.media import fetch
from pipeline.contract import BlockedError
from tests.factories import make_ad, make_competitor, make_person

from .cdn import file
from .files import MP4, picture

pytestmark = pytest.mark.only_on("sqlite")


def test_a_file_is_stored_in_the_bucket_once_and_sent_from_there(server, bucket):
    first, again = (fetch(server.serve(file(picture()), path), "image") for path in ("/a", "/b"))
    assert first == again
    assert [one.key for one in bucket.objects.all()] == [Media.objects.get().file.name]
    assert bucket.Object(first.file.name).get()["Body"].read() == picture()

    video = fetch(server.serve(file(MP4), "/c"), "video")
    place = AdMedia.objects.create(competitor_ad=make_ad(make_competitor()), role="video", media=video, status="stored")
    client = Client()
    client.force_login(make_person("vera", "viewer"))
    whole = client.get(f"/media/{place.pk}/")
    assert b"".join(whole.streaming_content) == MP4
    part = client.get(f"/media/{place.pk}/", headers={"Range": "bytes=4-11"})
    assert (part.status_code, b"".join(part.streaming_content)) == (206, b"ftypisom")


def test_a_bucket_that_is_gone_blocks_the_run_with_words(server, bucket):
    for one in bucket.objects.all():
        one.delete()
    bucket.delete()
    with pytest.raises(BlockedError, match="Check MEDIA_S3_BUCKET and its keys"):
        fetch(server.serve(file(picture())), "image")
