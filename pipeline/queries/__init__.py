"""The read door: what pages ask about runs and freshness. Nothing here changes a row."""

from .explain import Surroundings, explain, held_back, no_worker_since
from .freshness import Banner, FreshnessLine, banner, freshness
from .overview import Overview, overview
from .run_detail import RunDetail, run_detail
from .runs import RunLine, live_run, place_in_line, recent_runs, run_line, run_lines, type_choices
from .schedules import when_in_words

__all__ = [
    "Banner",
    "FreshnessLine",
    "Overview",
    "RunDetail",
    "RunLine",
    "Surroundings",
    "banner",
    "explain",
    "freshness",
    "held_back",
    "live_run",
    "no_worker_since",
    "overview",
    "place_in_line",
    "recent_runs",
    "run_detail",
    "run_line",
    "run_lines",
    "type_choices",
    "when_in_words",
]
