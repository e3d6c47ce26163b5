"""The read door: what pages ask about runs and freshness. Nothing here changes a row."""

from .freshness import Banner, FreshnessLine, banner, freshness
from .overview import Overview, overview
from .run_detail import RunDetail, run_detail
from .runs import RunLine, live_run, place_in_line, recent_runs, run_line, run_lines
from .subjects import Spend, good_runs, good_runs_of, live_lines, live_runs, log_tails, spends

__all__ = [
    "Banner",
    "FreshnessLine",
    "Overview",
    "RunDetail",
    "RunLine",
    "Spend",
    "banner",
    "freshness",
    "good_runs",
    "good_runs_of",
    "live_lines",
    "live_run",
    "live_runs",
    "log_tails",
    "overview",
    "place_in_line",
    "recent_runs",
    "run_detail",
    "run_line",
    "run_lines",
    "spends",
]
