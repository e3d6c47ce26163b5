"""The beginning of a run's sleep as one statement: run, step and attempt. `by_worker.park` does the same for every run."""

from datetime import datetime

from django.db import connection
from django.utils import timezone

from ....contract.registry import version_of
from ....models import Attempt, DatasetStatus, Run, Step
from ....states import Outcome, RunStatus
from ..lease import Lease
from .one_go import NextClaim, saved, write

TRY, STEP = Attempt._meta.db_table, Step._meta.db_table
# What makes it more: a cancel that the handler has not seen, or data that the run has begun.
RUN = (
    f"UPDATE {Run._meta.db_table} SET status = '{RunStatus.WAITING}', due_at = %s, blocked_reason = %s, blocked_since = NULL,"
    " recoveries = 0, code_version = %s, lease_token = NULL, lease_expires_at = NULL, worker_id = NULL"
    " WHERE id = %s AND lease_token = %s AND cancel_requested_at IS NULL AND NOT EXISTS (SELECT 1 FROM"
    f" {DatasetStatus._meta.db_table} WHERE last_run_id = %s AND last_status IN ('running', 'waiting')) RETURNING {{now}} AS at"
)
ITS_STEP = f"INSERT INTO {STEP} (run_id, name, result, version, at) SELECT %s, %s, %s, %s, mine.at FROM mine"
ATTEMPT = f"UPDATE {TRY} SET outcome = '{Outcome.PARKED}', ended_at = mine.at, error = %s FROM mine WHERE {TRY}.id = %s"


def fall_asleep(run: Run, lease: Lease, step: str, until: datetime, reason: str, then: NextClaim | None) -> bool:
    """Whether it sleeps; otherwise nothing was written. `step` keeps the end of the sleep."""
    at = [] if connection.vendor == "postgresql" else [saved(Attempt, "ended_at", timezone.now())]
    version = version_of(run.job_type)
    token = saved(Run, "lease_token", lease.token)
    values = [saved(Run, "due_at", until), saved(Run, "blocked_reason", reason), version, run.pk, token, run.pk, *at]
    its_step = [run.pk, step, saved(Step, "result", until.isoformat()), version]
    mine = RUN.format(now="%s" if at else "clock_timestamp()"), values
    return write(run, mine, [(ITS_STEP, its_step), (ATTEMPT, [saved(Attempt, "error", reason), lease.attempt_id])], then)
