"""A competitor's ad library, and scrapes of it from click to end over real HTTP."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from competitors.models import AdReading, CompetitorAd, CompetitorAdLibrary
from competitors.sandbox.server import Sandbox, serve
from pipeline import api
from pipeline.engine.workers.inline import work_one
from pipeline.models import Run, UpstreamRun
from tests.factories import make_library
from tests.processes import until

Scrape = Callable[..., Run]


@pytest.fixture
def sandbox(settings: Any) -> Iterator[Sandbox]:
    with serve(run_seconds=0.1, seed=7) as sandbox:
        settings.APIFY_API_URL, settings.PIPELINE_SETTLE_SECONDS = sandbox.url, 0
        yield sandbox


@pytest.fixture
def library(db: None) -> CompetitorAdLibrary:
    return make_library()


@pytest.fixture
def scrape(sandbox: Sandbox, library: CompetitorAdLibrary) -> Scrape:
    """scrape(): one scrape of the library, from click to end or to its first failed try. `hours_ago` makes it older."""

    def one(*, of: CompetitorAdLibrary = library, hours_ago: float = 0, **options: Any) -> Run:
        run = queue(of, **options)

        def over() -> bool:
            Run.objects.filter(pk=run.pk, status__in=["waiting", "pending"], attempt=0).update(due_at=timezone.now())
            work_one()
            run.refresh_from_db()
            return not run.is_live or bool(run.attempt)

        until(over, f"the end of run {run.pk}: {run.blocked_reason}")
        if hours_ago:
            age(run, hours_ago)
        return run

    return one


def queue(library: CompetitorAdLibrary, *, reuse: bool = False, **options: Any) -> Run:
    asked = {"competitor_id": str(library.competitor_id), "ad_library_url": library.url}
    parameters = {**asked, "max_media": 0, **options}  # pictures take their time
    return api.queue_one_time_job(library.competitor.brand_id, "competitor_scrape", parameters, reuse=reuse).run


def age(run: Run, hours: float) -> None:
    """As if the run had been so long ago: what it fetched, read and saw."""
    by = timedelta(hours=hours)
    for upstream in UpstreamRun.objects.filter(run=run, finished_at__isnull=False):
        UpstreamRun.objects.filter(pk=upstream.pk).update(finished_at=upstream.finished_at - by)
    for reading in AdReading.objects.filter(run=run):
        AdReading.objects.filter(pk=reading.pk).update(read_at=reading.read_at - by)
    for ad in CompetitorAd.objects.filter(last_run=run):
        CompetitorAd.objects.filter(pk=ad.pk).update(last_seen_at=ad.last_seen_at - by, first_seen_at=ad.first_seen_at - by)
