"""How the runs of an incident are retried: one goes first, as a test. When it has worked, the others follow, within all limits.

Everything is rows, so that no crash loses it. The end of the test run judges it (incidents/folding.py); the others are queued by
the housekeeping threads, run by run.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from ....contract.errors import NotAllowed
from ....models import FailedRun, Incident, Run
from ....states import TERMINAL, RunStatus, Verdict
from ...database import CLAIM_LOCK, lock
from ...journal import record_event
from ...lifecycle.state import closed
from . import one_run

logger = logging.getLogger(__name__)
State, Fixing = Incident.State, Incident.Fixing
UNDER_WAY = (Fixing.TRYING, Fixing.PASSED)


def begin(incident: Incident, among: Sequence[FailedRun], by: Any) -> Run | None:
    """Retry the first of these that can be retried, and hold the others. None: nothing can, or a test run is under way."""
    for row in among:
        if closed(row.run):
            continue
        try:
            with transaction.atomic():
                if row.run.scheduled_for:
                    lock(CLAIM_LOCK)
                free = Incident.objects.filter(pk=incident.pk, state__in=Incident.UNRESOLVED).exclude(fixing__in=UNDER_WAY)
                if not free.update(fixing=Fixing.TRYING, canary=row.run, fixed_by=by):
                    return None
                held = FailedRun.objects.filter(incident=incident, over_at=None)
                held.update(held=False)
                held.filter(pk__in=[one.pk for one in among]).exclude(pk=row.pk).update(held=True)
                one_run.reopen(row.run, by)
                words = f"Run {row.run_id} is retried as a test, {len(among) - 1} wait for it."
                record_event("incident_retry", words, run=row.run, by=by)
        except NotAllowed:
            continue
        return row.run
    return None


def advance() -> None:
    """Queue the others of every incident whose test run has worked. Also judges a test run whose end could not."""
    for incident in Incident.objects.filter(fixing__in=UNDER_WAY).select_related("canary"):
        if incident.fixing == Fixing.TRYING:
            _judge_late(incident)
        else:
            _release(incident)


def wake_snoozed(at: datetime) -> None:
    """An incident that is not over when its time comes is open again."""
    Incident.objects.filter(state=State.SNOOZED, snooze_until__lte=at).update(state=State.OPEN, snooze_until=None)


def _judge_late(incident: Incident) -> None:
    run = incident.canary
    if run is not None and run.status not in TERMINAL:
        return
    worked = run is not None and run.status == RunStatus.COMPLETED and run.verdict == Verdict.OK
    mine = Incident.objects.filter(pk=incident.pk, fixing=Fixing.TRYING, canary=incident.canary_id)
    mine.update(fixing=Fixing.PASSED if worked else Fixing.HELD)


def _release(incident: Incident) -> None:
    rows = FailedRun.objects.filter(incident=incident, held=True)
    for row in rows.select_related("run__job__brand", "run__brand").order_by("failed_at", "pk"):
        try:
            with transaction.atomic():
                if row.run.scheduled_for:
                    lock(CLAIM_LOCK)
                if rows.filter(pk=row.pk).update(held=False) and not closed(row.run):
                    one_run.reopen(row.run, incident.fixed_by)
        except NotAllowed:  # a person, its schedule or another process was first
            rows.filter(pk=row.pk).update(held=False)
    if not rows.exists():
        Incident.objects.filter(pk=incident.pk, fixing=Fixing.PASSED).update(fixing=Fixing.FOLLOWED)
