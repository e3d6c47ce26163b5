"""The claim: which due run a worker gets next.

A run may be handed out again after its worker's death, so everything that a run does must be a checkpoint or an upsert. Claims
are serialized (an advisory lock on PostgreSQL, an IMMEDIATE transaction on SQLite), so limits, keys and order are plain reads.
Most runs are taken by next_run/quick_claim.py, which needs the lock for limits only.
"""

import logging
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import IntegrityError, connection, transaction

from ...models import Attempt, Run, Worker
from ..database import CLAIM_LOCK, lock, now, rows
from ..lifecycle import by_death, by_queue, freshness
from ..lifecycle.lease import RUN_COLUMNS, Lease, run_from
from .next_run.candidates import next_candidate
from .next_run.quick_claim import Answer, QuickClaim
from .stops import read_stops

logger = logging.getLogger(__name__)
TRIES = Attempt._meta.db_table
TAKEN = (
    f"UPDATE {Run._meta.db_table} SET status = 'running', lease_token = %s, lease_expires_at = %s, worker_id = %s,"
    f" started_at = COALESCE(started_at, %s), blocked_reason = '' WHERE id = %s RETURNING {RUN_COLUMNS}"
)
TRIED = (
    f"INSERT INTO {TRIES} (run_id, number, worker_id, worker_label, lease_token, started_at, outcome, error, traceback)"
    f" SELECT {{run}}, (SELECT count(*) + 1 FROM {TRIES} WHERE run_id = {{run}}), %s, %s, %s, %s, '', '', '' {{source}}"
    " RETURNING id"
)


def claim(
    worker: Worker,
    *,
    may_take_over: Callable[[], bool] = lambda: True,
    expecting: bool = False,
    quick: QuickClaim | None = None,
) -> tuple[Run, Lease] | None:
    """The best due run, now running under a new lease of this worker; None where nothing can be claimed.

    `may_take_over`: whether a lapsed lease counts as a death. Called after the lock is taken, since that may take a while.
    `expecting`: whether something is probably due. Otherwise SQLite looks before it takes the lock that all writers share.
    `quick`: the worker's own, which knows what its last claim saw.
    """
    if connection.vendor == "postgresql":
        found = (quick or QuickClaim(worker)).take()
        if not isinstance(found, Answer):
            return found
        if found == Answer.NOTHING_DUE:
            return None
    elif not expecting and not claimable():  # every heartbeat and log line wakes the idle workers
        return None
    raced = 0
    while True:
        with transaction.atomic():
            at = lock(CLAIM_LOCK)
            candidate = next_candidate(*read_stops(at), at, lapsed=may_take_over())
            if candidate is None:
                return None
            if not (candidate.lapsed or candidate.needs_key):
                return take_lease(candidate.pk, worker, at)
            run = Run.objects.select_related("job", "brand").get(pk=candidate.pk)
            try:
                with transaction.atomic():
                    if candidate.lapsed:  # pending now: limits apply to it as to all others
                        by_death.record_death(run, at)
                        continue
                    if not by_queue.claim_key(run, at):
                        continue
            except IntegrityError:  # somebody clicked just now and has the key: the next round sees that run
                if raced == run.pk:
                    by_queue.set_aside(run, at, "Another run of the same work was queued first.")
                raced = run.pk
            except DatabaseError:
                raise
            except Exception as error:  # a bug in its job type must not stop the runs behind it
                logger.exception("Run %s could not be claimed. It is set aside for a while.", run.pk)
                by_queue.set_aside(run, at, f"It could not be started ({type(error).__name__}: {error}).")
            else:
                return take_lease(candidate.pk, worker, at)


class ClaimWithEnd(QuickClaim):
    """The claim of a worker's next run, made together with the end of the one before."""

    def take_here(self) -> None:
        """Claim in the transaction of that end, on SQLite: a commit less."""
        at = lock(CLAIM_LOCK)
        candidate = next_candidate(*read_stops(at), at)
        if candidate and not (candidate.lapsed or candidate.needs_key):  # these are left to `claim`
            transaction.on_commit(partial(self.keep, take_lease(candidate.pk, self.worker, at)))


def claimable() -> bool:
    """Whether a claim would find something now."""
    at = now()
    return next_candidate(*read_stops(at), at) is not None


def take_lease(run_id: int, worker: Worker, at: datetime) -> tuple[Run, Lease]:
    """Make the run this worker's: lease, attempt and freshness in the caller's transaction."""
    until = at + timedelta(seconds=settings.PIPELINE_LEASE_SECONDS)
    lease_token = uuid.uuid4()
    moment, lapses, token, worker_id = (
        field.get_db_prep_value(value, connection)
        for field, value in (
            (Run._meta.get_field("started_at"), at),
            (Run._meta.get_field("started_at"), until),
            (Run._meta.get_field("lease_token"), lease_token),
            (Worker._meta.pk, worker.pk),
        )
    )
    taking, trying = [token, lapses, worker_id, moment, run_id], [worker_id, str(worker), token, moment]
    if connection.vendor == "postgresql":
        tried = TRIED.format(run="mine.id", source="FROM mine")
        both = f"WITH mine AS ({TAKEN}), tried AS ({tried}) SELECT mine.*, tried.id FROM mine, tried"
        run, attempt_id = run_from(rows(both, taking + trying)[0])
    else:
        (run,) = run_from(rows(TAKEN, taking)[0])
        ((attempt_id,),) = rows(TRIED.format(run="%s", source=""), [run_id, run_id, *trying])
    if run.cancel_requested_at is None:
        freshness.mark_running(run, at)
    else:
        freshness.mark_ending(run)
    return run, Lease(run.pk, lease_token, attempt_id)
