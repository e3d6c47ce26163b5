"""The claim as one statement, for PostgreSQL: of a plain run, whose taking changes only the run and its attempt.

Two workers that choose the same run at the same moment get different ones by SKIP LOCKED. Limits have to be counted before a run
is taken, so where there are any, the claim's lock is taken first, in the same round trip. Where it finds a run and cannot take
it, `claim` goes on with its own queries: a worker that went to sleep would leave that run to nobody.
"""

import json
import uuid
from enum import Enum, auto
from functools import cache
from typing import Any

from django.conf import settings

from ....contract.registry import all_types, internal_names, versions
from ....models import Attempt, ConcurrencyLimit, Run, Worker
from ....states import RunStatus
from ...database import Statement, begin_claim, rows, together
from ...lifecycle.lease import RUN_COLUMNS, Lease, run_from
from .open_lines import CLOSED, LINES, NOW, READABLE, RUN, STOPS, covers, first_of

TRY = Attempt._meta.db_table
PLAIN, LOCKED, ENDED, TOKEN, WORKER, LABEL, SECONDS = (
    f"${number}::{kind}"
    for number, kind in enumerate(["text[]", "boolean", "bigint", "uuid", "uuid", "text", "double precision"], start=3)
)
LIMITED = f"EXISTS (SELECT 1 FROM {ConcurrencyLimit._meta.db_table} WHERE source = '')"
# A run whose wait is over, unless a stop keeps it back.
WOKEN = (
    f"FROM {RUN} r WHERE r.status = '{RunStatus.WAITING}' AND r.due_at <= {NOW} AND {READABLE}"
    f" AND NOT EXISTS (SELECT 1 FROM stops s WHERE s.up_to = {CLOSED} AND {covers('s', 'r.job_type', 'r.brand_id')})"
)
# What the statement leaves to the claim. `ENDED`: the run that the worker ends in the same transaction, unless it could not.
LEFT = (
    f"{LIMITED} AND NOT {LOCKED}"
    f" OR EXISTS (SELECT 1 FROM {RUN} WHERE status = '{RunStatus.RUNNING}' AND lease_expires_at < {NOW})"
    f" OR EXISTS (SELECT 1 FROM {RUN} WHERE status IN ('{RunStatus.PENDING}', '{RunStatus.WAITING}')"
    f" AND cancel_requested_at IS NOT NULL AND due_at <= {NOW})"
    f" OR EXISTS (SELECT 1 {WOKEN} AND r.job_type <> ALL({PLAIN}))"
    f" OR EXISTS (SELECT 1 FROM {RUN} WHERE id = {ENDED} AND status = '{RunStatus.RUNNING}' AND worker_id = {WORKER})"
)
# `first` locks nothing: it is of any line. `next` is the first of its line that nobody is taking just now.
FIRST = first_of(lambda column: f"l.{column}")
NEXT = first_of(
    lambda column: f"(SELECT {column} FROM first{f' WHERE job_type = ANY({PLAIN})' if column == 'job_type' else ''})",
    "FOR UPDATE OF r SKIP LOCKED",
)
TAKEN = (
    f"UPDATE {RUN} SET status = '{RunStatus.RUNNING}', lease_token = {TOKEN}, worker_id = {WORKER}, blocked_reason = '',"
    f" lease_expires_at = {NOW} + {SECONDS} * interval '1 second', started_at = COALESCE(started_at, {NOW})"
    f" WHERE id = COALESCE((SELECT id FROM woken), (SELECT id FROM next ORDER BY priority, order_at, id LIMIT 1))"
    " AND (scheduled_for IS NULL OR dedupe_key IS NOT NULL) AND cancel_requested_at IS NULL"
    f" RETURNING {RUN_COLUMNS}"
)
TRIED = (
    f"INSERT INTO {TRY} (run_id, number, worker_id, worker_label, lease_token, started_at, outcome, error, traceback) SELECT id,"
    f" (SELECT count(*) + 1 FROM {TRY} WHERE run_id = taken.id), {WORKER}, {LABEL}, {TOKEN}, {NOW}, '', '', '' FROM taken"
    " RETURNING id"
)
STATEMENT = (
    f"WITH RECURSIVE {STOPS}, leaves AS MATERIALIZED (SELECT {LEFT} AS it), {LINES},"
    f" woken AS MATERIALIZED (SELECT r.id {WOKEN} AND NOT (SELECT it FROM leaves) ORDER BY r.due_at LIMIT 1"
    " FOR UPDATE OF r SKIP LOCKED),"
    " first AS MATERIALIZED (SELECT l.*, r.id FROM lines l CROSS JOIN LATERAL"
    f" ({FIRST}) AS r WHERE NOT (SELECT it FROM leaves) ORDER BY r.priority, r.order_at, r.id LIMIT 1),"
    f" next AS MATERIALIZED ({NEXT}),"
    f" taken AS ({TAKEN}), tried AS ({TRIED})"
    f" SELECT {LIMITED}, tried.id IS NULL AND (leaves.it OR EXISTS (SELECT 1 FROM first) OR EXISTS (SELECT 1 {WOKEN})),"
    " tried.id, taken.* FROM leaves LEFT JOIN taken ON true LEFT JOIN tried ON true"
)

ASKED = (
    f"SELECT (SELECT id FROM {TRY} WHERE run_id = {RUN}.id AND lease_token = {RUN}.lease_token), {RUN_COLUMNS} FROM {RUN}"
    f" WHERE status = '{RunStatus.RUNNING}' AND lease_token = %s AND lease_expires_at > {NOW}"
)


class Answer(Enum):
    NOTHING_DUE = auto()
    NOT_FOR_ME = auto()  # something stands in the way, or the next run needs more


class QuickClaim:
    """The quick claims of one worker. It remembers whether there are limits: then the next claim takes the lock first.

    It also remembers a claim whose answer did not come: it may have taken a run, which would be nobody's until its lease lapses.
    """

    def __init__(self, worker: Worker):
        self.worker, self.limited = worker, False
        self._claimed: tuple[Run, Lease] | None = None
        self._asked: uuid.UUID | None = None  # the token of the claim that was sent

    @property
    def unanswered(self) -> bool:
        return self._asked is not None

    def take(self) -> tuple[Run, Lease] | Answer:
        """The next run under a new lease of this worker, or why there is none."""
        if (token := self._asked) and (found := rows(ASKED, [token])):
            self._asked = None
            return _leased(token, *found[0])
        locked = self.limited
        answer = self.read(together(self.statements())[-1])
        return self.take() if self.limited and not locked else answer

    def statements(self, ended: int | None = None) -> tuple[Statement, Statement]:
        """What begins the transaction, and the claim. `ended`: the run that is ended between the two; if it was not, nothing is
        taken.
        """
        self._asked = uuid.uuid4()
        known, internal, plain = _types(tuple(versions().items()))
        lease = [self._asked, self.worker.pk, str(self.worker), settings.PIPELINE_LEASE_SECONDS]
        return begin_claim(locked=self.limited), (STATEMENT, [known, internal, plain, self.limited, ended, *lease])

    def hand_over(self, found: list[Any]) -> None:
        """The claim was sent together with the end of a run: keep what it found."""
        answer = self.read(found)
        self.keep(None if isinstance(answer, Answer) else answer)

    def keep(self, claimed: tuple[Run, Lease] | None) -> None:
        self._claimed = claimed

    def handed_over(self) -> tuple[Run, Lease] | None:
        claimed, self._claimed = self._claimed, None
        return claimed

    def read(self, found: list[Any]) -> tuple[Run, Lease] | Answer:
        ((self.limited, left, attempt_id, *taken),) = found
        token, self._asked = self._asked, None
        if token is None or attempt_id is None:
            return Answer.NOT_FOR_ME if left else Answer.NOTHING_DUE
        return _leased(token, attempt_id, *taken)


def _leased(token: uuid.UUID, attempt_id: int, *taken: Any) -> tuple[Run, Lease]:
    (run,) = run_from(taken)
    return run, Lease(run.pk, token, attempt_id)


@cache
def _types(known: tuple[tuple[str, int], ...]) -> tuple[str, list[str], list[str]]:
    """The versions of the types' code here, as JSON; the internal types; those whose runs move no clock and use no source."""
    plain = [one.name for one in all_types() if not (set(one.datasets) - one.own_clocks or one.source)]
    return json.dumps(dict(known)), internal_names(), plain
