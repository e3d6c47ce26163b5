"""An ad account, and downloads of it from click to end over real HTTP."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from competitors.models import AdAccount
from competitors.sandbox.server import Sandbox, serve
from competitors.upstream.graph import http
from competitors.upstream.media import download as downloads
from pipeline import api
from pipeline.engine.workers.inline import work_one
from pipeline.models import Run
from tests.factories import make_brand

Download = Callable[..., Run]


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with serve(seed=7, ads_per_account=24, video_bytes=90_000) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: Sandbox, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Meta's Graph API and CDN. Tries follow each other at once."""
    settings.META_GRAPH_URL, settings.META_ACCESS_TOKEN = served.graph_url, "EAAB-a-token-for-tests"
    settings.MEDIA_EXTRA_HOSTS, settings.MEDIA_ROOT = [served.url.removeprefix("http://")], str(tmp_path)
    settings.MEDIA_LEAST_SPEED_SECONDS = 0.5
    monkeypatch.setattr(http, "PAUSES", (0, 0))
    monkeypatch.setattr(downloads, "PAUSES", (0, 0, 0))
    yield served
    served.account.forget()


@pytest.fixture
def account(db: None) -> AdAccount:
    return AdAccount.objects.create(brand=make_brand(), account_id="act_123456789")


@pytest.fixture
def download(sandbox: Sandbox, account: AdAccount) -> Download:
    """download(): one attempt at a run of the account."""

    def one(of: AdAccount = account, **options: Any) -> Run:
        run = queue(of, **options)
        work_one()
        run.refresh_from_db()
        return run

    return one


def queue(account: AdAccount, **options: Any) -> Run:
    return api.queue_one_time_job(account.brand_id, "asset_download", {"ad_account_id": account.account_id, **options}).run
