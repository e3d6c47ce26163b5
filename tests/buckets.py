"""A bucket of S3 on this machine, as the storage for files."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import urllib3
from moto.server import ThreadedMotoServer


@pytest.fixture
def bucket(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty bucket, which is the storage."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    try:
        url = "http://{}:{}".format(*moto.get_host_and_port())
        urllib3.request("POST", f"{url}/moto-api/reset")  # it keeps what was there before in this process
        s3 = boto3.resource("s3", endpoint_url=url)
        s3.create_bucket(Bucket="media")
        options = settings.MEDIA_S3_OPTIONS | {"bucket_name": "media", "endpoint_url": url}
        settings.STORAGES = settings.STORAGES | {"default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}}
        yield s3.Bucket("media")
    finally:
        moto.stop()
