"""Runs that fail of the same thing are one incident, which ends when all that it was about works again.

Called in the transaction in which a run ends, before its job is locked. Rows are locked in the order run, incident, failed run,
job: whoever changes several of them does so too.
"""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from ...contract.registry import is_internal
from ...models import FailedRun, Incident, Run
from .causes import key_of

State, Fixing = Incident.State, Incident.Fixing


def run_failed(run: Run, kind: str, error: str, message: str, at: datetime) -> None:
    """`error`: the words of the cause. `message`: what the run says. Internal runs are told of by what they are for."""
    if is_internal(run.job_type):
        return
    key = key_of(run, kind, error)
    tried = Q(canary_id=run.pk, fixing=Fixing.TRYING)
    locked(tried | Q(**key, state__in=Incident.UNRESOLVED))
    incident = _fold(key, message, at)
    Incident.objects.filter(tried).update(fixing=Fixing.HELD)
    incident.refresh_from_db()
    open_rows(run).filter(incident=incident).exclude(run=run).update(over_at=at, held=False)  # this run stands for them now
    held = incident.fixing in (Fixing.TRYING, Fixing.PASSED)
    again = FailedRun.objects.filter(incident=incident, run=run)
    if not again.update(times=F("times") + 1, failed_at=at, over_at=None, held=held):
        FailedRun.objects.create(
            incident=incident,
            run=run,
            job_type=run.job_type,
            brand_id=run.brand_id,
            subject=run.subject,
            failed_at=at,
            held=held,
        )


def run_worked(run: Run, at: datetime) -> None:
    """The run is completed and nobody doubts it: whatever was wrong with its subject is over."""
    concerned = list(open_rows(run).values_list("incident_id", flat=True))
    if not concerned:  # nearly always
        return
    locked(Q(pk__in=concerned))
    open_rows(run).update(over_at=at, held=False)
    Incident.objects.filter(canary_id=run.pk, fixing=Fixing.TRYING).update(fixing=Fixing.PASSED)
    still = FailedRun.objects.filter(over_at=None)
    unresolved = Incident.objects.filter(pk__in=concerned, state__in=Incident.UNRESOLVED)
    unresolved.exclude(failed_runs__in=still).update(state=State.RESOLVED, resolved_at=at, snooze_until=None)


def run_told_nothing(run: Run) -> None:
    """The run was cancelled, or its result is in doubt: as a test run it has not shown that the others would work."""
    Incident.objects.filter(canary_id=run.pk, fixing=Fixing.TRYING).update(fixing=Fixing.HELD)


def open_rows(run: Run) -> QuerySet[FailedRun]:
    """What failed of the run's subject and has not worked since."""
    return FailedRun.objects.filter(Q(brand_id=run.brand_id), job_type=run.job_type, subject=run.subject, over_at=None)


def locked(where: Q) -> list[int]:
    """In the order of their ids, so that two runs that end at once never deadlock."""
    return list(Incident.objects.select_for_update(no_key=True).filter(where).order_by("pk").values_list("pk", flat=True))


def _fold(key: dict[str, str], message: str, at: datetime) -> Incident:
    same = Incident.objects.filter(**key, state__in=Incident.UNRESOLVED)
    seen: dict[str, Any] = {"message": message, "last_seen": at, "count": F("count") + 1}
    if not same.update(**seen):
        try:
            with transaction.atomic():
                return Incident.objects.create(**key, message=message, count=1, first_seen=at, last_seen=at)
        except IntegrityError:  # another run was first
            same.update(**seen)
    return same.get()
