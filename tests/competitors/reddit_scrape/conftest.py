"""A research, and scrapes of it from click to end over real HTTP."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone

from competitors.models import RedditResearch
from competitors.sandbox.server import Sandbox, serve
from pipeline import api
from pipeline.engine.workers.inline import work_one
from pipeline.models import Run
from tests.processes import until
from tests.reddit_rows import make_research

Scrape = Callable[..., Run]
FILTERS = {"min_upvotes": 10, "min_comments": 3, "relevance_threshold": 0.3, "signal_threshold": 0.2, "top_percentile": 0.5}


@pytest.fixture(scope="module")
def one_sandbox() -> Iterator[Sandbox]:
    with serve(run_seconds=0.1, seed=7) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(one_sandbox: Sandbox, settings: Any) -> Sandbox:
    settings.APIFY_API_URL, settings.PIPELINE_SETTLE_SECONDS = one_sandbox.url, 0
    one_sandbox.account.faults.clear()
    return one_sandbox


@pytest.fixture
def research(db: None) -> RedditResearch:
    return make_research(max_posts=80, **FILTERS)


@pytest.fixture
def scrape(sandbox: Sandbox, research: RedditResearch) -> Scrape:
    """scrape(): one scrape of the research, from click to end or to its first failed try."""

    def one(**options: Any) -> Run:
        return follow(queue(research, **options))

    return one


def queue(research: RedditResearch, **options: Any) -> Run:
    return api.queue_one_time_job(research.brand_id, "reddit_scrape", research.parameters() | options).run


def follow(run: Run) -> Run:
    """Attempts until it is over, or its first try has failed."""

    def over() -> bool:
        Run.objects.filter(pk=run.pk, status__in=["waiting", "pending"], attempt=0).update(due_at=timezone.now())
        work_one()
        run.refresh_from_db()
        return not run.is_live or bool(run.attempt)

    until(over, f"the end of run {run.pk}: {run.blocked_reason}")
    return run
