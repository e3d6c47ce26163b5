"""One subject's row and what unfolds below it: its figures, its live run, and what it says in words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.forms import BoundField
from django.utils import timezone

from pipeline.contract import Estimate
from pipeline.models import Run, RunLog
from pipeline.queries import FreeData, FreshnessRow, RunRow, ScheduleRow, Spend, activity
from pipeline.states import RunStatus
from pipeline.words import clock, days

from .page import Cell, SubjectPage

JUST_ENDED = timedelta(hours=1)  # a row whose last run ended within it is unfolded when the page is built


@dataclass
class Panel:
    """`live` is the subject's live run; `followed` the run that this session started on the web server."""

    page: SubjectPage[Any]
    row: Any
    freshness: FreshnessRow
    spend: Spend
    runs: list[RunRow]
    live: RunRow | None = None
    estimate: Estimate | None = None
    followed: Run | None = None
    log: list[RunLog] = field(default_factory=list)
    options: list[BoundField] = field(default_factory=list)
    facts: Any = None
    cells: Sequence[Cell] = ()
    schedule: ScheduleRow | None = None
    schedule_cost: Decimal | None = None  # USD a month
    urls: dict[str, str] = field(default_factory=dict)  # of what may be done with the subject, by name
    asks: str = ""  # what the next run asks for, beside the button's word
    usual: str = ""  # how many rows a scrape with the usual options brings, or that this is still being learned
    free: FreeData | None = None  # of another subject, which this one can use instead of paying
    notes: list[str] = field(default_factory=list)  # what a person should know before the click

    # ---- the subject -------------------------------------------------------------------------------------------------
    @cached_property
    def key(self) -> str:
        return self.page.key(self.row)

    @cached_property
    def label(self) -> str:
        return self.page.label(self.row)

    @cached_property
    def url(self) -> str:
        return self.page.url(self.row)

    @cached_property
    def below(self) -> str:
        return self.page.below(self.row)

    @cached_property
    def anchor(self) -> str:
        return self.page.anchor(self.row)

    @property
    def last_good(self) -> datetime | None:
        """When its data was last fetched in full."""
        return self.freshness.status.last_success_at if self.freshness.status else None

    @property
    def age(self) -> str:
        """'7 days old'; '' while it was never fetched."""
        return f"{days(self.freshness.age)} old" if self.freshness.age is not None else ""

    @cached_property
    def last(self) -> RunRow | None:
        """The run that the row names: the live one, else the latest."""
        return self.live or next(iter(self.runs), None)

    @property
    def last_when(self) -> datetime | None:
        return (self.last.run.started_at or self.last.run.created_at) if self.last else None

    @property
    def gained(self) -> int | None:
        """How many new rows the last run brought."""
        return self.last.run.counts.get("new") if self.last and not self.live else None

    @property
    def gained_url(self) -> str:
        return self.page.brought_url(self.row, self.last.run) if self.last and self.gained else ""

    @cached_property
    def unfolded(self) -> bool:
        """Whether its runs stand below it from the start: one is live or has just ended."""
        if self.live:
            return True
        ends = [row.run.completed_at for row in self.runs if row.run.completed_at]
        return any(timezone.now() - end < JUST_ENDED for end in ends)

    # ---- the live run in words ---------------------------------------------------------------------------------------
    @property
    def retrying(self) -> bool:
        return bool(self.live and self.live.run.status == RunStatus.PENDING and self.live.run.attempt)

    @property
    def at_work(self) -> bool:
        """Whether a worker or the upstream is at it now."""
        return bool(self.live and activity(self.live.run, timezone.now()))

    @property
    def headline(self) -> str:
        """The headline; `since_words` follows it."""
        if self.live is None:
            return ""
        if self.retrying:
            return f"{self.page.act} will be tried again"
        if self.at_work:
            return f"{self.page.act} running since"
        return f"{self.page.act} waiting, started" if self.live.run.started_at else f"{self.page.act} queued since"

    @property
    def since(self) -> datetime | None:
        if self.live is None or self.retrying:
            return None
        return self.live.run.started_at or self.live.run.created_at

    @property
    def since_words(self) -> str:
        """'14:02' in the pages' zone; with the day if that is not today."""
        return clock(self.since) if self.since else ""

    @property
    def progress_done(self) -> int | None:
        return self.live.run.progress.get("done") if self.live else None

    @property
    def progress_total(self) -> int | None:
        return self.live.run.progress.get("total") if self.live else None

    @property
    def progress_words(self) -> str:
        """'22 of 31 searches', '1,840 items', else what the upstream says; '' before the first sign of progress."""
        if self.live is None:
            return ""
        if self.progress_done is None:  # while it waits upstream, its explanation says the same
            return self.live.run.progress.get("note", "") if self.live.run.status == RunStatus.RUNNING else ""
        unit = self.live.run.progress.get("unit", "")
        of = f" of {self.progress_total:,}" if self.progress_total else ""
        return f"{self.progress_done:,}{of} {unit}".strip()

    # ---- without a live run ------------------------------------------------------------------------------------------
    @property
    def outcome(self) -> str:
        """How the run that this session followed ended, with its counts; '' if there is none or it is still running."""
        run = self.followed
        if run is None or run.is_live:
            return ""
        words = (run.summary or run.error_message).rstrip(".")
        ended = "finished" if run.status == RunStatus.COMPLETED else run.status
        return f"{self.page.work} {ended}: {words or 'nothing to report'}."

    @property
    def minutes(self) -> int:
        """Expected length, for "About 9 minutes"."""
        return self.estimate.minutes if self.estimate else 0

    @property
    def nothing_yet(self) -> tuple[str, str]:
        return self.page.nothing_yet(self.facts)

    @property
    def runs_caption(self) -> str:
        return f"Last runs of {self.label}"
