"""What people do about an incident: retry its runs behind a test run, put it off, or say that it is over."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from ...contract.errors import NotAllowed
from ...engine.database import now
from ...engine.journal import record_event
from ...engine.queue.asked import canaries
from ...models import FailedRun, Incident, Run
from ...people import Brands, brands_for, may_spend, require, require_spend
from ...states import RunStatus
from ...words import clock

MANAGE = "pipeline.manage_incident"
State, Fixing = Incident.State, Incident.Fixing


def retry_incident(incident: Incident, by: Any) -> Run:
    """Retry one of its runs, and hold the others until that has worked. Returns that test run.

    Only runs of brands that are open to the person. A second click while a test run is under way is refused.
    """
    rows = _rows(incident, brands_for(by))
    if not rows:
        raise NotAllowed(f"{incident} has no run that you can retry.")
    open_rows = [row for row in rows if may_spend(by, row.brand_id, row.job_type)]
    if not open_rows:
        require_spend(by, rows[0].brand_id, rows[0].job_type)
    failed = [row for row in open_rows if row.run.status == RunStatus.FAILED]
    if run := canaries.begin(incident, failed, by):
        return run
    incident.refresh_from_db()
    if incident.state == State.RESOLVED:
        raise NotAllowed(f"{incident} is over already.")
    if incident.fixing in canaries.UNDER_WAY:
        raise NotAllowed("A test run is under way already. The others follow when it has worked.")
    raise NotAllowed(f"No run of {incident} can be retried: each is at work already, or what it is about is archived.")


def resolve_incident(incident: Incident, note: str, by: Any) -> None:
    """It is over, says a person. What fails of the same cause again is a new incident."""
    _manage(incident, by)
    with transaction.atomic():
        at = now()
        done = {"state": State.RESOLVED, "resolved_at": at, "resolved_by": by, "note": note, "snooze_until": None}
        if not _unresolved(incident).exclude(fixing__in=canaries.UNDER_WAY).update(**done):
            _refuse(incident)
        FailedRun.objects.filter(incident=incident, over_at=None).update(over_at=at, held=False)
        record_event("incident_resolved", f"{incident} was resolved by {by}. {note}".strip(), by=by)


def snooze_incident(incident: Incident, until: datetime, note: str, by: Any) -> None:
    """It needs nobody until then. If it is not over by then, it is open again."""
    _manage(incident, by)
    if until <= now():
        raise NotAllowed("Choose a time that is still to come.")
    with transaction.atomic():
        if not _unresolved(incident).update(state=State.SNOOZED, snooze_until=until, note=note):
            _refuse(incident)
        record_event("incident_snoozed", f"{incident} was snoozed until {clock(until)} by {by}. {note}".strip(), by=by)


def _rows(incident: Incident, brands: Brands) -> list[FailedRun]:
    """Those that have not worked since, of these brands, the latest first: one for each subject."""
    rows = FailedRun.objects.filter(brands.q(), incident=incident, over_at=None)
    return list(rows.select_related("run__job__brand", "run__brand").order_by("-failed_at", "-pk"))


def _manage(incident: Incident, by: Any) -> None:
    """Only for who sees everything that it is about."""
    rows = FailedRun.objects.filter(incident=incident, over_at=None)
    theirs = rows.filter(brands_for(by, anew=True).q())
    if not (mine := theirs.values_list("brand_id").first()) and rows.exists():
        raise NotAllowed("There is no such incident for you.")
    require(by, MANAGE, mine[0] if mine else None)
    if rows.exclude(Q(pk__in=theirs)).exists():
        raise NotAllowed(f"{incident} is also of other brands. Only somebody who sees all of them can do this.")


def _unresolved(incident: Incident) -> Any:
    return Incident.objects.filter(pk=incident.pk, state__in=Incident.UNRESOLVED)


def _refuse(incident: Incident) -> None:
    incident.refresh_from_db()
    if incident.state == State.RESOLVED:
        raise NotAllowed(f"{incident} is over already.")
    raise NotAllowed("A test run is under way. Wait for its end, or cancel it first.")
