"""What tests of the job types that ask Meta share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from competitors.models import AdAccount
from competitors.sandbox.server import Sandbox
from competitors.upstream.graph import http
from competitors.upstream.media import download as downloads
from pipeline.engine.workers.inline import work_one
from pipeline.models import Run

TOKEN = "EAAB-a-token-for-tests"


def use(sandbox: Sandbox, settings: Any, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox is Meta's Graph API and CDN. Tries follow each other at once."""
    settings.META_GRAPH_URL, settings.META_ACCESS_TOKEN = sandbox.graph_url, TOKEN
    settings.MEDIA_EXTRA_HOSTS, settings.MEDIA_ROOT = [sandbox.url.removeprefix("http://")], str(files)
    monkeypatch.setattr(http, "PAUSES", (0, 0))
    monkeypatch.setattr(downloads, "PAUSES", (0, 0, 0))


def one_attempt(account: AdAccount, queue: Callable[..., Run]) -> Callable[..., Run]:
    """attempt(of=…, **options): one attempt at a run that `queue` makes, of this account unless another one is named."""

    def attempt(of: AdAccount = account, **options: Any) -> Run:
        run = queue(of, **options)
        work_one()
        run.refresh_from_db()
        return run

    return attempt
