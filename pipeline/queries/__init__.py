"""The read door: what pages ask about runs and freshness. Nothing here changes a row."""

from .freshness import Banner, FreshnessLine, banner, freshness
from .overview import Overview, overview
from .run_detail import RunDetail, run_detail
from .runs import RunLine, live_run, place_in_line, recent_runs, run_line, run_lines

__all__ = [
    "Banner",
    "FreshnessLine",
    "Overview",
    "RunDetail",
    "RunLine",
    "banner",
    "freshness",
    "live_run",
    "overview",
    "place_in_line",
    "recent_runs",
    "run_detail",
    "run_line",
    "run_lines",
]
