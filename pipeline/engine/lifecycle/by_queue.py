"""State changes that the queue makes to a run that no worker is working on."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from ...models import Run
from ...states import RunStatus
from ..database import now, wake_workers
from ..journal import log
from ..scheduling.place import dedupe_key
from . import freshness
from .ends.ending import follow_up
from .state import set_state

SET_ASIDE_FOR = timedelta(minutes=5)


def claim_key(run: Run, at: datetime) -> bool:
    """A scheduled run is due: give it its dedupe key. If another run has the key, skip this one and insert the next tick."""
    key = dedupe_key(run.job_type, run.brand_id, run.subject)
    holder = Run.objects.holding(key).first()
    if holder is None:
        Run.objects.filter(pk=run.pk).update(dedupe_key=key)
        return True
    set_state(run, RunStatus.CANCELLED, completed_at=at, summary=f"Skipped: run {holder.pk} is already doing this.")
    log(run.pk, f"Skipped: run {holder.pk} is already doing this.", at=at)
    follow_up(run, run.job, at, gave_way=True)
    return False


def set_aside(run: Run, at: datetime, reason: str) -> None:
    """The run could not be claimed: try again later, so that the runs behind it can start."""
    run.refresh_from_db()  # the object still has values that were rolled back
    if run.status == RunStatus.RUNNING:  # its worker is dead
        Run.objects.filter(pk=run.pk).update(lease_expires_at=at + SET_ASIDE_FOR, blocked_reason=reason)
        freshness.mark_waiting(run, reason)
    else:
        set_state(run, RunStatus.PENDING, due_at=at + SET_ASIDE_FOR, order_at=at + SET_ASIDE_FOR, blocked_reason=reason)


def wake(run_ids: Iterable[int]) -> int:
    """What these runs waited for has happened: they are due now."""
    at = now()
    woken = Run.objects.filter(pk__in=list(run_ids), status=RunStatus.WAITING, due_at__gt=at).update(due_at=at, order_at=at)
    if woken:
        wake_workers()
    return woken
