"""An ad account with figures that are known, and syncs of it over real HTTP."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from competitors.jobs.meta_sync.sync import report
from competitors.models import AdAccount
from competitors.sandbox.server import Sandbox, serve
from pipeline import api
from pipeline.models import Run
from tests.competitors import meta
from tests.factories import make_brand

Sync = Callable[..., Run]
LIGHT = ["performance", "classifications"]  # without files, which take long


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with serve(seed=7, ads_per_account=12, video_bytes=90_000, report_seconds=0.3) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: Sandbox, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    meta.use(served, settings, tmp_path, monkeypatch)
    monkeypatch.setattr(report, "PAUSES", (0.2,))
    yield served
    served.account.forget()


@pytest.fixture
def account(db: None) -> AdAccount:
    return AdAccount.objects.create(brand=make_brand(), account_id="act_1234567830")


@pytest.fixture
def sync(sandbox: Sandbox, account: AdAccount) -> Sync:
    """sync(parts=[…]): one attempt at a run of all the brand's accounts."""
    return meta.one_attempt(account, queue)


def queue(account: AdAccount, **options: Any) -> Run:
    return api.queue_one_time_job(account.brand_id, "meta_sync", options).run


def truth(sandbox: Sandbox, account: str, since: date, until: date) -> dict[str, list[dict[str, Any]]]:
    """What the account's figures must add up to, money in cents."""
    asked = {"account": account, "since": since.isoformat(), "until": until.isoformat()}
    answer: dict[str, list[dict[str, Any]]] = requests.get(f"{sandbox.url}/sandbox/insights", asked, timeout=60).json()
    return answer


def last(until: date, days_back: int) -> tuple[date, date]:
    return until - timedelta(days=days_back), until
