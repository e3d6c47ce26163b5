"""How fresh the data of one subject is, in words."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from ... import states
from ...contract.registry import find_type
from ...contract.source import source_label
from ...models import DatasetStatus, Run
from ...states import Badge, RunStatus, Verdict
from ...words import days
from ..explain import Activity, activity

Last = DatasetStatus.Last
UNDER_WAY = (Last.RUNNING, Last.WAITING)


@dataclass(frozen=True)
class FreshnessRow:
    badge: Badge
    status: DatasetStatus | None
    age: timedelta | None
    sentence: str

    @property
    def run(self) -> Run | None:
        """The last run that a worker took."""
        return self.status.last_run if self.status else None

    @property
    def failed(self) -> bool:
        """Whether its last run, or the last try of it, failed."""
        last = self.status.last_status if self.status else ""
        return last == Last.FAILED or (last == Last.WAITING and self.run is not None and retries(self.run))

    @property
    def doubted(self) -> bool:
        """Whether its last result needs a person's decision."""
        in_doubt = self.run is not None and self.run.verdict in (Verdict.PARTIAL, Verdict.SUSPICIOUS)
        return in_doubt and self.status is not None and self.status.last_status == Last.UNKNOWN


def freshness(dataset_key: str, brand_id: UUID | None, subjects: list[str], *, max_age: timedelta) -> dict[str, FreshnessRow]:
    """For each subject: fresh up to max_age, late up to twice that, then stale; never, if no run has succeeded.

    What a manager has set for the brand comes before `max_age`.
    """
    statuses = DatasetStatus.objects.for_rows().filter(Q(brand_id=brand_id), dataset_key=dataset_key, subject__in=subjects)
    known = {status.subject: status for status in statuses}
    now = timezone.now()
    return {subject: freshness_row(known.get(subject), max_age, now) for subject in subjects}


def freshness_row(status: DatasetStatus | None, max_age: timedelta, now: datetime) -> FreshnessRow:
    """`status`: read by `for_rows()`, or what a manager has set does not count."""
    max_age = (status.own_max_age if status else None) or max_age
    age = now - status.last_success_at if status and status.last_success_at else None
    badge = badge_of(age, max_age)
    sentence = "Never refreshed." if age is None else f"{days(age)} old; expected every {days(max_age)}."
    if status and (words := _since(status, now)):
        sentence += f" {words}"
    return FreshnessRow(badge, status, age, sentence)


def badge_of(age: timedelta | None, max_age: timedelta) -> Badge:
    if age is None:
        return states.NEVER
    return states.FRESH if age <= max_age else states.LATE if age <= 2 * max_age else states.STALE


def _since(status: DatasetStatus, now: datetime) -> str:
    """What the last run does, or why it did not refresh the data; '' if it did."""
    run = status.last_run
    if run is None or not run.is_live or status.last_status not in UNDER_WAY:  # a part of a live run may have its result
        return f"The last run did not refresh it: {status.error_message}" if status.error_message else ""
    # Only a run whose upstream run is under way leaves its data running while it waits: no need to read that row here.
    upstream = status.last_status == Last.RUNNING and run.status == RunStatus.WAITING and run.due_at > now
    who = Activity.UPSTREAM if upstream else activity(run, now) if run.status == RunStatus.RUNNING else Activity.NOBODY
    return doing(run, who, "it", f"waits: {status.error_message}" if status.error_message else "continues when a worker is free.")


def doing(run: Run, who: Activity, it: str, else_: str) -> str:
    """What a live run does, in one sentence. `else_`: what to say of a run that nobody works on."""
    if who is Activity.WORKER:
        return f"Run {run.pk} is refreshing {it} now."
    if who is Activity.UPSTREAM:
        handler = find_type(run.job_type)
        return f"{source_label(handler.source) if handler else 'The data source'} is fetching {it}, run {run.pk}."
    if retries(run):
        return f"Run {run.pk} will be tried again: {run.error_message}"
    return f"Run {run.pk} {else_}"


def retries(run: Run) -> bool:
    return run.status == RunStatus.PENDING and run.attempt > 0 and not run.blocked_reason
