"""A person at the Pipeline Manager whose clicks are counted, and a worker that goes on when a test says so."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from re import Pattern
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page

from competitors.jobs.meta_sync.sync import report
from competitors.sandbox.server import Sandbox, serve
from pipeline.engine.workers.housekeeping import Housekeeping
from pipeline.engine.workers.inline import work_one
from pipeline.engine.workers.processes import register_worker
from pipeline.models import Run, SourceState
from tests.browser.screenshots import save
from tests.competitors import meta
from tests.processes import until

POLL = 15_000  # ms between two updates of Health


class Person:
    """`clicks` counts every click, choice and key press. Looking, scrolling and waiting are free."""

    def __init__(self, page: Page):
        self.page, self.clicks = page, 0

    def open(self, path: str) -> None:
        """A bookmark: the day starts here."""
        self.page.goto(path)

    def click(self, what: Locator) -> None:
        self.clicks += 1
        what.click()

    def button(self, name: str | Pattern[str]) -> None:
        self.click(self.page.get_by_role("button", name=name))

    def link(self, name: str | Pattern[str], *, exact: bool = False) -> None:
        self.click(self.page.get_by_role("link", name=name, exact=exact))

    def shows(self, name: str) -> None:
        """A picture for the docs, if SHOTS_DIR names a folder."""
        if folder := os.environ.get("SHOTS_DIR"):
            save(self.page, Path(folder) / f"{name}.png")

    def waits(self) -> None:
        """Until the page has updated itself: its clock jumps ahead, nobody sleeps."""
        self.page.clock.fast_forward(POLL + 1_000)


class Engine:
    """The code of one worker process, in the test's own: it works and keeps house when a test says so."""

    def __init__(self) -> None:
        self.worker = register_worker()

    def keep_house(self) -> None:
        """Everything that is done once a minute or more often."""
        SourceState.objects.filter(source="sweep").update(next_poll_at=timezone.now())
        Housekeeping(self.worker).work()

    def work_off(self) -> None:
        """Until nothing is due."""
        while self.work_one():
            pass

    def work_one(self) -> Run | None:
        return work_one(self.worker)

    def finish(self, *runs: Run) -> None:
        """Work until these have ended, whatever upstream takes how long."""

        def over() -> bool:
            Run.objects.filter(pk__in=[run.pk for run in runs], status="waiting").update(due_at=timezone.now())
            self.work_off()
            return not Run.objects.live().filter(pk__in=[run.pk for run in runs]).exists()

        until(over, " and ".join(f"the end of run {run.pk}" for run in runs))

    def ticks(self) -> list[Run]:
        """The next run of each schedule is due now."""
        Run.objects.live().filter(scheduled_for__isnull=False, status="pending").update(
            due_at=timezone.now() - timedelta(seconds=1)
        )
        return list(Run.objects.live().filter(scheduled_for__isnull=False))


@pytest.fixture
def sandbox(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Upstream runs take a moment. Apify's and Meta's imitation are one."""
    with serve(run_seconds=0.1, seed=7, ads_per_account=3, report_seconds=0.1, video_bytes=90_000) as sandbox:
        settings.APIFY_API_URL, settings.PIPELINE_SETTLE_SECONDS = sandbox.url, 0
        meta.use(sandbox, settings, tmp_path, monkeypatch)
        monkeypatch.setattr(report, "PAUSES", (0.1,))
        yield sandbox


@pytest.fixture
def engine(transactional_db: None, sandbox: Sandbox) -> Engine:
    return Engine()


@pytest.fixture
def person(open_page: Callable[..., Page], engine: Engine) -> Person:
    page = open_page("about:blank")
    page.clock.install()
    return Person(page)
