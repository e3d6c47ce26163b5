"""The claim as one statement without the claim's lock, for PostgreSQL: while nothing limits or stops any run, and the next one is
a plain pending run whose taking changes only the run and its attempt.

The lock is there because limits and keys are counted before a run is taken. Here there are none, and two workers that choose the
same run at the same moment get different ones by SKIP LOCKED. It locks no run of another type. Where it finds a
run and cannot take it, `claim` goes on with the lock: a worker that went to sleep would leave that run to nobody.
"""

import json
import uuid
from enum import Enum, auto
from functools import cache

from django.conf import settings
from django.db import connection

from ....contract.registry import all_types, versions
from ....models import Attempt, ConcurrencyLimit, Pause, Run, SourceState, Worker
from ...database import claim_rows
from ...lifecycle.lease import RUN_COLUMNS, Lease, run_from
from .pending import JOB_GOES, READY, pending_types

RUN, TRY = Run._meta.db_table, Attempt._meta.db_table
NOW = "statement_timestamp()"  # the database's
READABLE = "r.code_version <= COALESCE((%s::jsonb ->> r.job_type)::int, -1)"
# id > 0: without it, PostgreSQL would not use run_claim_pending.
DUE = f"{READY} AND r.due_at <= {NOW} AND r.id > 0 AND {READABLE} AND {JOB_GOES}"
IN_ORDER = "ORDER BY r.priority, r.order_at, r.id LIMIT 1"
STOPPED = (
    f"EXISTS (SELECT 1 FROM {ConcurrencyLimit._meta.db_table})"
    f" OR EXISTS (SELECT 1 FROM {Pause._meta.db_table} WHERE until IS NULL OR until > {NOW})"
    f" OR EXISTS (SELECT 1 FROM {SourceState._meta.db_table} WHERE slow_until IS NOT NULL OR blocked_until IS NOT NULL)"
    f" OR EXISTS (SELECT 1 FROM {RUN} WHERE status = 'running' AND lease_expires_at < {NOW})"
    f" OR EXISTS (SELECT 1 FROM {RUN} WHERE status IN ('pending', 'waiting') AND cancel_requested_at IS NOT NULL"
    f" AND due_at <= {NOW})"
    f" OR EXISTS (SELECT 1 FROM {RUN} WHERE status = 'waiting' AND due_at <= {NOW})"
)
TAKEN = (
    f"UPDATE {RUN} SET status = 'running', lease_token = %s, worker_id = %s, blocked_reason = '',"
    f" lease_expires_at = {NOW} + %s * interval '1 second', started_at = COALESCE(started_at, {NOW})"
    f" FROM next WHERE {RUN}.id = next.id AND (scheduled_for IS NULL OR dedupe_key IS NOT NULL) AND cancel_requested_at IS NULL"
    f" RETURNING {', '.join(f'{RUN}.{column}' for column in RUN_COLUMNS.split(', '))}"
)
TRIED = (
    f"INSERT INTO {TRY} (run_id, number, worker_id, worker_label, lease_token, started_at, outcome, error, traceback)"
    f" SELECT id, (SELECT count(*) + 1 FROM {TRY} WHERE run_id = taken.id), %s, %s, %s, {NOW}, '', '', '' FROM taken RETURNING id"
)
# `first` locks nothing: it is of any type. `next` is the first of its type that nobody is taking just now.
STATEMENT = (
    f"WITH RECURSIVE stops AS MATERIALIZED (SELECT {STOPPED} AS stopped),"
    f" types(name) AS ({pending_types()}),"
    " first AS MATERIALIZED (SELECT r.* FROM types CROSS JOIN LATERAL"
    f" (SELECT r.job_type, r.priority, r.order_at, r.id FROM {RUN} r WHERE r.job_type = types.name AND {DUE} {IN_ORDER}) AS r"
    f" WHERE NOT (SELECT stopped FROM stops) {IN_ORDER}),"
    f" next AS MATERIALIZED (SELECT r.id FROM {RUN} r WHERE r.job_type = (SELECT job_type FROM first WHERE job_type = ANY(%s))"
    f" AND {DUE} {IN_ORDER} FOR UPDATE OF r SKIP LOCKED),"
    f" taken AS ({TAKEN}), tried AS ({TRIED})"
    " SELECT stops.stopped, first.id, tried.id, taken.* FROM stops LEFT JOIN first ON true"
    " LEFT JOIN taken ON true LEFT JOIN tried ON true"
)


class Answer(Enum):
    NOTHING_DUE = auto()
    NOT_FOR_ME = auto()  # something stands in the way, or the next run needs more


def quick_claim(worker: Worker) -> tuple[Run, Lease] | Answer:
    """The next run under a new lease of this worker, or why there is none."""
    token = uuid.uuid4()
    its_token = Run._meta.get_field("lease_token").get_db_prep_value(token, connection)
    known, plain = _types(tuple(versions().items()))
    taking = [its_token, worker.pk, settings.PIPELINE_LEASE_SECONDS, worker.pk, str(worker), its_token]
    ((stopped, first, attempt_id, *taken),) = claim_rows(STATEMENT, [known, plain, known, *taking])
    if attempt_id is None:
        return Answer.NOT_FOR_ME if stopped or first else Answer.NOTHING_DUE
    (run,) = run_from(taken)
    return run, Lease(run.pk, token, attempt_id)


@cache
def _types(known: tuple[tuple[str, int], ...]) -> tuple[str, list[str]]:
    """The versions of the types' code here, as JSON, and the types whose runs move no clock when they are taken."""
    return json.dumps(dict(known)), [one.name for one in all_types() if not set(one.datasets) - one.own_clocks]
