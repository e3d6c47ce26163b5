"""The read door: what pages ask about runs and freshness. Nothing here changes a row."""

from .explain import QueueView, explain, held_back, missing_code, no_worker_since
from .freshness import Banner, FreshnessRow, banner, freshness
from .overview import Overview, overview
from .run_detail import RunDetail, run_detail
from .runs import RunRow, live_run, place_in_queue, recent_runs, run_row, run_rows, type_choices
from .schedules import when_in_words

__all__ = [
    "Banner",
    "FreshnessRow",
    "Overview",
    "QueueView",
    "RunDetail",
    "RunRow",
    "banner",
    "explain",
    "freshness",
    "held_back",
    "live_run",
    "missing_code",
    "no_worker_since",
    "overview",
    "place_in_queue",
    "recent_runs",
    "run_detail",
    "run_row",
    "run_rows",
    "type_choices",
    "when_in_words",
]
