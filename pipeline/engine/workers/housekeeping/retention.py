"""Removes details that are older than the settings keep: downloaded pages, log lines, attempts, rejected items and events.

Round after round, from the oldest run on, a second's work at a time. Runs themselves stay, with their results and costs. Of a run
that is live, or of which something may still cost money or bring items, nothing goes.
"""

import time
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from auditlog.models import LogEntry
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from ....models import Attempt, Event, RawPage, RejectedItem, Retention, Reuse, Run, RunLog, UpstreamRun
from ....states import LIVE, JobStatus
from ....words import counted
from ...journal import record_event

KIND = "removed"  # of the event
RUNS, ROWS = 200, 5000  # that one transaction looks at, and removes
SECONDS = 1.0  # of work in a turn
NEXT_TURN, NEXT_ROUND = timedelta(seconds=30), timedelta(days=1)
NAMES = {
    "page": "downloaded page",
    "line": "log line",
    "attempt": "attempt",
    "item": "rejected item",
    "event": "event",
    "change": "recorded change",
}


def remove_old(at: datetime) -> None:
    """Go on for a second, if it is time and no other worker has this turn."""
    Retention.objects.get_or_create(pk=1, defaults={"next_at": at})
    if not Retention.objects.filter(pk=1, next_at__lte=at).update(next_at=at + NEXT_TURN):
        return
    until = time.monotonic() + SECONDS
    while more := _next_runs(at) or _events(at):
        if time.monotonic() >= until:
            break
    if not more:
        _end_round(at)


def _next_runs(at: datetime) -> bool:
    """The next runs. False if none is left in this round."""
    pages, lines = _before(at, settings.PIPELINE_KEEP_PAGES_DAYS), _before(at, settings.PIPELINE_KEEP_LOGS_DAYS)
    before = max((one for one in (pages, lines) if one), default=None)
    state = Retention.objects.get(pk=1)
    if before is None or not (runs := _after(state, before)):
        return False
    with transaction.atomic():
        over = set(_forgettable(runs).values_list("pk", flat=True))
        without_pages = [key for key, ended in runs if key in over and pages and ended < pages]
        without_lines = [key for key, ended in runs if key in over and lines and ended < lines]
        gone = Counter(page=_remove(RawPage.objects.filter(upstream_run__run__in=without_pages)))
        gone["attempt"] = _remove(Attempt.objects.filter(run__in=without_lines))  # all of a run: their count numbers the next
        gone["line"] = _remove(RunLog.objects.filter(run__in=without_lines), ROWS)
        gone["item"] = _remove(RejectedItem.objects.filter(run__in=without_lines), ROWS)
        if max(gone["line"], gone["item"]) < ROWS:
            state.passed_id, state.passed_at = runs[-1]
        _keep_count(state, gone)
    return True


def _after(state: Retention, before: datetime) -> list[tuple[int, datetime]]:
    """The runs that ended after the last one that was looked at, with their ends."""
    ended = Run.objects.filter(completed_at__lt=before)
    if passed := state.passed_at:
        ended = ended.filter(completed_at__gte=passed).exclude(completed_at=passed, pk__lte=state.passed_id)
    rows = ended.order_by("completed_at", "pk").values_list("pk", "completed_at")[:RUNS]
    return [(key, end) for key, end in rows if end]


def _forgettable(runs: Iterable[tuple[int, datetime]]) -> QuerySet[Run]:
    """Locked, so that nobody retries one of them meanwhile. One that somebody is at is left for the next round."""
    open_doubt = UpstreamRun.objects.filter(UpstreamRun.unfinished(), run=OuterRef("pk"))
    in_use = Reuse.objects.filter(upstream_run__run=OuterRef("pk"), run__status__in=LIVE)
    over = Run.objects.ended().filter(~Exists(open_doubt), ~Exists(in_use), pk__in=[key for key, _ in runs])
    return over.order_by("pk").select_for_update(skip_locked=True, no_key=True)


def _events(at: datetime) -> bool:
    """Some old events. False if none is left."""
    if not (before := _before(at, settings.PIPELINE_KEEP_EVENTS_DAYS)):
        return False
    of_live = Run.objects.live().filter(pk=OuterRef("run"))
    open_doubt = UpstreamRun.objects.filter(UpstreamRun.unfinished(), run=OuterRef("run"))
    why_paused = Q(job__status=JobStatus.PAUSED, kind__in=["pause", "switch_off"])
    old = Event.objects.filter(~Exists(of_live), ~Exists(open_doubt), at__lt=before).exclude(why_paused)
    with transaction.atomic():
        gone = Counter(event=_remove(old.order_by("pk"), ROWS))
        gone["change"] = _remove(LogEntry.objects.filter(timestamp__lt=before), ROWS)
        _keep_count(Retention.objects.get(pk=1), gone)
    return max(gone.values()) == ROWS


def _remove(rows: QuerySet[Any], most: int | None = None) -> int:
    keys = list(rows.values_list("pk", flat=True)[:most])
    deleted: int = rows.model._default_manager.filter(pk__in=keys).delete()[0] if keys else 0
    return deleted


def _keep_count(state: Retention, gone: Counter[str]) -> None:
    state.removed = +(Counter(state.removed) + gone)
    state.save(update_fields=["passed_at", "passed_id", "removed"])


def _end_round(at: datetime) -> None:
    """Say what went. The next round begins with the oldest run again: what was in use then may be over."""
    state = Retention.objects.get(pk=1)
    went = [counted(state.removed[name], words) for name, words in NAMES.items() if state.removed.get(name)]
    with transaction.atomic():
        Retention.objects.filter(pk=1).update(next_at=at + NEXT_ROUND, passed_at=None, passed_id=0, removed={})
        if went:
            record_event(KIND, f"Removed because of their age: {', '.join(went)}.")


def _before(at: datetime, days: int) -> datetime | None:
    """0: they are kept forever."""
    return at - timedelta(days=days) if days else None
