"""How fresh the data of subjects is, in words, and the one banner that a page shows."""

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
class FreshnessLine:
    badge: Badge
    row: DatasetStatus | None
    age: timedelta | None
    sentence: str


@dataclass(frozen=True)
class Banner:
    tone: str
    title: str
    text: str
    icon: str = "clock"
    link_url: str = ""
    link_text: str = ""


def freshness(dataset_key: str, brand_id: UUID | None, subjects: list[str], *, max_age: timedelta) -> dict[str, FreshnessLine]:
    """For each subject: fresh up to max_age, late up to twice that, then stale; never, where it has no success."""
    rows = DatasetStatus.objects.filter(Q(brand_id=brand_id), dataset_key=dataset_key, subject__in=subjects).select_related(
        "last_run"
    )
    known = {row.subject: row for row in rows}
    now = timezone.now()
    return {subject: line_of(known.get(subject), max_age, now) for subject in subjects}


def line_of(row: DatasetStatus | None, max_age: timedelta, now: datetime) -> FreshnessLine:
    age = now - row.last_success_at if row and row.last_success_at else None
    if age is None:
        badge, sentence = states.NEVER, "Never fetched."
    else:
        badge = states.FRESH if age <= max_age else states.LATE if age <= 2 * max_age else states.STALE
        sentence = f"{days(age)} old; expected every {days(max_age)}."
    if row and row.last_status == DatasetStatus.Last.RUNNING:
        sentence += " A run is fetching it now."
    elif row and row.error_message:
        sentence += f" The last run did not bring it: {row.error_message}"
    return FreshnessLine(badge, row, age, sentence)


def banner(label: str, lines: list[FreshnessLine], *, noun: str) -> Banner | None:
    """The one banner for several subjects: the worst first. None while all are fresh. `noun`: what one subject is called."""
    if not lines:
        return None
    by_key = {key: [line for line in lines if line.badge.key == key] for key in ("stale", "late", "never")}
    running = next((line for line in lines if line.row and line.row.last_status == DatasetStatus.Last.RUNNING), None)
    failed = next((line for line in lines if line.row and line.row.last_status == DatasetStatus.Last.FAILED), None)
    worst = by_key["stale"] or by_key["late"]
    of = f"{len(lines)} {noun}s" if len(lines) > 1 else f"the {noun}"
    if worst:
        oldest = max(line.age for line in worst if line.age is not None)
        title = (
            f"{label}: {len(worst)} of {of} too old, the oldest {days(oldest)}."
            if len(lines) > 1
            else f"{label} are {days(oldest)} old."
        )
        tone = "tone-red" if by_key["stale"] else "tone-amber"
    elif by_key["never"]:
        title, tone = (
            f"{label}: {len(by_key['never'])} of {of} never fetched." if len(lines) > 1 else f"{label} were never fetched.",
            "tone-grey",
        )
    elif failed:
        what = "try" if failed.row and failed.row.last_run and failed.row.last_run.is_live else "run"
        title, tone = f"{label} are still fresh, but the last {what} failed.", "tone-amber"
    else:
        return None
    text = []
    if failed and failed.row and failed.row.last_run:
        last = failed.row.last_run
        text.append(f"Run {last.pk} {'will be tried again' if last.is_live else 'failed'}: {failed.row.error_message}")
    if worst and by_key["never"]:
        text.append(f"{len(by_key['never'])} more never fetched, so the numbers here leave them out.")
    if worst and not running and not failed:
        text.append("Numbers on this page may be wrong.")
    linked = running or failed
    run = linked.row.last_run if linked and linked.row else None
    if running and run:
        text.append(f"Run {run.pk} is fetching them now.")
    return Banner(
        tone=tone,
        title=title,
        text=" ".join(text),
        icon="dash" if tone == "tone-grey" else "clock",
        link_url=run.get_absolute_url() if run else "",
        link_text=f"See run {run.pk}" if run else "",
    )
