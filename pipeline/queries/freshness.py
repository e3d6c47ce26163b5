"""How fresh the data of subjects is, in words, and the one banner that a page shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from .. import states
from ..models import DatasetStatus
from ..states import Badge
from ..words import days


@dataclass(frozen=True)
class FreshnessRow:
    badge: Badge
    status: DatasetStatus | None
    age: timedelta | None
    sentence: str

    def last_was(self, outcome: DatasetStatus.Last) -> bool:
        return self.status is not None and self.status.last_status == outcome


@dataclass(frozen=True)
class Banner:
    tone: str
    title: str
    text: str
    icon: str = "clock"
    link_url: str = ""
    link_text: str = ""


def freshness(dataset_key: str, brand_id: UUID | None, subjects: list[str], *, max_age: timedelta) -> dict[str, FreshnessRow]:
    """For each subject: fresh up to max_age, late up to twice that, then stale; never, if no run has succeeded."""
    statuses = DatasetStatus.objects.filter(Q(brand_id=brand_id), dataset_key=dataset_key, subject__in=subjects)
    known = {status.subject: status for status in statuses.select_related("last_run")}
    now = timezone.now()
    return {subject: freshness_row(known.get(subject), max_age, now) for subject in subjects}


def freshness_row(status: DatasetStatus | None, max_age: timedelta, now: datetime) -> FreshnessRow:
    age = now - status.last_success_at if status and status.last_success_at else None
    if age is None:
        badge, sentence = states.NEVER, "Never refreshed."
    else:
        badge = states.FRESH if age <= max_age else states.LATE if age <= 2 * max_age else states.STALE
        sentence = f"{days(age)} old; expected every {days(max_age)}."
    if status and status.last_status == DatasetStatus.Last.RUNNING:
        sentence += " A run is refreshing it now."
    elif status and status.error_message:
        sentence += f" The last run did not refresh it: {status.error_message}"
    return FreshnessRow(badge, status, age, sentence)


def banner(label: str, rows: Sequence[FreshnessRow], *, noun: str) -> Banner | None:
    """The one banner for several subjects: the worst first. None while all are fresh. `noun`: what one subject is called."""
    stale, late, never = ([row for row in rows if row.badge.key == key] for key in ("stale", "late", "never"))
    failed = next((row for row in rows if row.last_was(DatasetStatus.Last.FAILED)), None)
    running = next((row for row in rows if row.last_was(DatasetStatus.Last.RUNNING)), None)
    worst, several = stale or late, len(rows) > 1
    of = f"of {len(rows)} {noun}s"
    if worst:
        oldest = days(max(row.age for row in worst if row.age is not None))
        title = f"{label}: {len(worst)} {of} out of date, oldest {oldest}." if several else f"{label} are {oldest} old."
        tone = "tone-red" if stale else "tone-amber"
    elif never:
        title = f"{label}: {len(never)} {of} never refreshed." if several else f"{label} were never refreshed."
        tone = "tone-grey"
    elif failed:
        title, tone = f"{label} are still fresh, but the last {'try' if _retries(failed) else 'run'} failed.", "tone-amber"
    else:
        return None
    shown = running or failed
    run = shown.status.last_run if shown and shown.status else None
    return Banner(
        tone=tone,
        title=title,
        text=_text(worst, never, running, failed),
        icon="dash" if tone == "tone-grey" else "clock",
        link_url=run.get_absolute_url() if run else "",
        link_text=f"See run {run.pk}" if run else "",
    )


def _text(worst: list[FreshnessRow], never: list[FreshnessRow], running: FreshnessRow | None, failed: FreshnessRow | None) -> str:
    text = []
    if failed and failed.status and (run := failed.status.last_run):
        text.append(f"Run {run.pk} {'will be tried again' if run.is_live else 'failed'}: {failed.status.error_message}")
    if worst and never:
        text.append(f"{len(never)} more never refreshed, so they are missing from the numbers here.")
    if worst and not running and not failed:
        text.append("Numbers on this page may be wrong.")
    if running and running.status and (run := running.status.last_run):
        text.append(f"Run {run.pk} is refreshing them now.")
    return " ".join(text)


def _retries(row: FreshnessRow) -> bool:
    return bool(row.status and row.status.last_run and row.status.last_run.is_live)
