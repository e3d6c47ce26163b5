"""Searches of the ad library from click to end, over real HTTP; their pictures come from the sandbox's CDN."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from competitors.sandbox.server import Sandbox, serve
from pipeline import api
from pipeline.engine.workers.inline import work_one
from pipeline.models import Run
from tests.processes import until

SEARCH = "https://www.facebook.com/ads/library/?active_status=active&ad_type=all&country=US&q=dog+chews"
NO_ADS = "https://www.facebook.com/ads/library/?active_status=active&ad_type=all&country=US&q=nothing"
Scrape = Callable[..., Run]


@pytest.fixture
def sandbox(settings: Any, tmp_path: Path) -> Iterator[Sandbox]:
    with serve(run_seconds=0.1, seed=7) as sandbox:
        settings.APIFY_API_URL, settings.PIPELINE_SETTLE_SECONDS = sandbox.url, 0
        settings.MEDIA_EXTRA_HOSTS, settings.MEDIA_ROOT = [urlsplit(sandbox.url).netloc], str(tmp_path)
        sandbox.account.config.picture_bytes = 2000
        yield sandbox


@pytest.fixture
def scrape(sandbox: Sandbox, db: None) -> Scrape:
    """scrape(): one search, from click to end or to its first failed try."""

    def one(url: str = SEARCH, **options: Any) -> Run:
        run = queue(url, **options)

        def over() -> bool:
            Run.objects.filter(pk=run.pk, status__in=["waiting", "pending"], attempt=0).update(due_at=timezone.now())
            work_one()
            run.refresh_from_db()
            return not run.is_live or bool(run.attempt) or (run.status == "pending" and bool(run.blocked_reason))

        until(over, f"the end of run {run.pk}: {run.blocked_reason}")
        return run

    return one


def queue(url: str = SEARCH, **options: Any) -> Run:
    return api.queue_one_time_job(None, "template_scrape", {"search_url": url, "max_ads": 20, **options}).run
