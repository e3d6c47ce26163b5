"""A worker died: its run goes back to the queue at once, or fails as poison. A crash costs no try."""

import logging
from datetime import datetime

from django.db import transaction

from ...models import Attempt, Run, RunLog, Worker
from ...states import Outcome, RunStatus
from ..database import now, wake_workers
from ..journal import log
from .ends.ending import fail_for_good
from .state import first_in_queue, set_state

logger = logging.getLogger(__name__)
MAX_RECOVERIES = 5  # deaths without a committed step or page in between; then the run fails as poison


def record_death(run: Run, at: datetime, exit_signal: int | None = None) -> None:
    """The run's worker is dead: its attempt is lost, and the run is due at once for another worker, or fails as poison.

    Runs in the transaction of the claim or of `lose_worker`. The caller knows that no living worker has the lease.
    """
    how = f"was killed (signal {exit_signal})" if exit_signal else "stopped responding"
    lost = Attempt.objects.filter(run=run, outcome="").order_by("-number").first()
    story = f"Worker {lost.worker_label if lost else '?'} {how}."
    Attempt.objects.filter(run=run, outcome="").update(outcome=Outcome.LOST, ended_at=at, error=story, exit_signal=exit_signal)
    recoveries = run.recoveries + 1
    if recoveries < MAX_RECOVERIES:
        set_state(run, RunStatus.PENDING, recoveries=recoveries, blocked_reason=story, **first_in_queue(at))
        words = f"{story} Finished work is kept; another worker continues."
        log(run.pk, words, RunLog.Level.WARNING, at)
        logger.warning("Run %s: %s", run.pk, words)
        return
    deaths = (
        Attempt.objects.filter(run=run, outcome=Outcome.LOST).order_by("-number").values_list("error", flat=True)[:MAX_RECOVERIES]
    )
    error = f"{MAX_RECOVERIES} workers died on this run without progress, so automatic retries stopped. " + " ".join(
        reversed(deaths)
    )
    log(run.pk, f"Failed: {error}", RunLog.Level.ERROR, at)
    logger.error("Run %s failed: %s", run.pk, error)
    fail_for_good(run, error, at, kind="WorkersDied", recoveries=recoveries)


def lose_worker(worker: Worker, exit_signal: int | None) -> int:
    """A worker process of this host has died: its runs are due at once for others. Returns how many."""
    with transaction.atomic():
        at = now()
        Worker.objects.filter(pk=worker.pk).update(stopped_at=at)
        lost = Run.objects.select_for_update(no_key=True).filter(worker=worker, status=RunStatus.RUNNING)
        for run in lost:
            record_death(run, at, exit_signal)
        if lost:
            wake_workers()
        return len(lost)
