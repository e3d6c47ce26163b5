"""What pages ask about runs and freshness. Nothing here changes a row."""

from ..engine.database import change_stamp
from ..engine.database import now as database_now
from ..engine.scheduling.cadence import WEEKDAYS, plain_cron
from ..engine.scheduling.cadence import in_words as cadence_in_words
from ..engine.upstreams.budget import spent_today
from .already_queued import already_queued
from .estimates import (
    Effort,
    FreeData,
    GoodRun,
    History,
    PriceNow,
    Wanted,
    estimate_for,
    estimate_of,
    free_data,
    history,
    over_the_limit,
    price_now,
)
from .explain import Activity, QueueView, activity, before_the_click, explain, kept_back, missing_code, no_worker_since
from .freshness import Banner, FreshnessRow, SubjectState, banner, freshness, no_subject, usual_max_age
from .manager.health import Health, health
from .manager.incidents import IncidentRow, failed_runs, incident_rows, subjects_failing_by
from .manager.live.active import Active, active
from .manager.live.cancel import CancelRow, cancel_row
from .manager.needs import Need, closed_sources, unknown_starts
from .run_detail import RunDetail, counts_in_order, kept_pages, run_detail
from .runs import RunRow, live_run, place_in_queue, recent_runs, run_row, run_rows, type_choices
from .schedules.rows import TypeRow, schedule_rows
from .schedules.week import Week, week_ahead
from .schedules.words import (
    ScheduleRow,
    changes,
    next_ticks,
    next_times,
    question,
    runs_a_month,
    schedule_row,
    schedules,
    tick_in_words,
    when_in_words,
    when_it_runs,
    wrong_cron,
    zone_exists,
    zone_for,
    zone_in_words,
)
from .subjects import Spend, good_runs, good_runs_of, live_rows, live_runs, log_tails, spends

__all__ = [
    "WEEKDAYS",
    "Active",
    "Activity",
    "Banner",
    "CancelRow",
    "Effort",
    "FreeData",
    "FreshnessRow",
    "GoodRun",
    "Health",
    "History",
    "IncidentRow",
    "Need",
    "PriceNow",
    "QueueView",
    "RunDetail",
    "RunRow",
    "ScheduleRow",
    "Spend",
    "SubjectState",
    "TypeRow",
    "Wanted",
    "Week",
    "active",
    "activity",
    "already_queued",
    "banner",
    "before_the_click",
    "cadence_in_words",
    "cancel_row",
    "change_stamp",
    "changes",
    "closed_sources",
    "counts_in_order",
    "database_now",
    "estimate_for",
    "estimate_of",
    "explain",
    "failed_runs",
    "free_data",
    "freshness",
    "good_runs",
    "good_runs_of",
    "health",
    "history",
    "incident_rows",
    "kept_back",
    "kept_pages",
    "live_rows",
    "live_run",
    "live_runs",
    "log_tails",
    "missing_code",
    "next_ticks",
    "next_times",
    "no_subject",
    "no_worker_since",
    "over_the_limit",
    "place_in_queue",
    "plain_cron",
    "price_now",
    "question",
    "recent_runs",
    "run_detail",
    "run_row",
    "run_rows",
    "runs_a_month",
    "schedule_row",
    "schedule_rows",
    "schedules",
    "spends",
    "spent_today",
    "subjects_failing_by",
    "tick_in_words",
    "type_choices",
    "unknown_starts",
    "usual_max_age",
    "week_ahead",
    "when_in_words",
    "when_it_runs",
    "wrong_cron",
    "zone_exists",
    "zone_for",
    "zone_in_words",
]
