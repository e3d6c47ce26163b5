"""What pages ask about runs and freshness. Nothing here changes a row."""

from .already_queued import already_queued
from .estimates import (
    Effort,
    FreeData,
    History,
    Wanted,
    effort,
    estimate_of,
    free_data,
    history,
    over_the_limit,
    spent_today,
)
from .explain import Activity, QueueView, activity, before_the_click, explain, kept_back, missing_code, no_worker_since
from .freshness import Banner, FreshnessRow, SubjectState, banner, freshness
from .overview import Overview, overview
from .run_detail import RunDetail, run_detail
from .runs import RunRow, live_run, place_in_queue, recent_runs, run_row, run_rows, type_choices
from .schedules import when_in_words
from .subjects import Spend, good_runs, good_runs_of, live_rows, live_runs, log_tails, spends

__all__ = [
    "Activity",
    "Banner",
    "Effort",
    "FreeData",
    "FreshnessRow",
    "History",
    "Overview",
    "QueueView",
    "RunDetail",
    "RunRow",
    "Spend",
    "SubjectState",
    "Wanted",
    "activity",
    "already_queued",
    "banner",
    "before_the_click",
    "effort",
    "estimate_of",
    "explain",
    "free_data",
    "freshness",
    "good_runs",
    "good_runs_of",
    "history",
    "kept_back",
    "live_rows",
    "live_run",
    "live_runs",
    "log_tails",
    "missing_code",
    "no_worker_since",
    "over_the_limit",
    "overview",
    "place_in_queue",
    "recent_runs",
    "run_detail",
    "run_row",
    "run_rows",
    "spends",
    "spent_today",
    "type_choices",
    "when_in_words",
]
