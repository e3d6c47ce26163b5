"""An ad account, and downloads of it from click to end over real HTTP."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from competitors.models import AdAccount
from competitors.sandbox.server import Sandbox, serve
from pipeline import api
from pipeline.models import Run
from tests.competitors import meta
from tests.factories import make_brand

Download = Callable[..., Run]


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with serve(seed=7, ads_per_account=24, video_bytes=90_000) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: Sandbox, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    meta.use(served, settings, tmp_path, monkeypatch)
    settings.MEDIA_LEAST_SPEED_SECONDS = 0.5
    yield served
    served.account.forget()


@pytest.fixture
def account(db: None) -> AdAccount:
    return AdAccount.objects.create(brand=make_brand(), account_id="act_123456789")


@pytest.fixture
def download(sandbox: Sandbox, account: AdAccount) -> Download:
    """download(): one attempt at a run of the account."""
    return meta.one_attempt(account, queue)


def queue(account: AdAccount, **options: Any) -> Run:
    return api.queue_one_time_job(account.brand_id, "asset_download", {"ad_account_id": account.account_id, **options}).run
