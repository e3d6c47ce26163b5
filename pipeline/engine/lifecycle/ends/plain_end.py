"""The usual end of a run on which nothing else hangs, as one statement: run, attempt, log line and job.

`by_worker.complete` does the same for every run, in a transaction of some ten statements. For a run of milliseconds these, and
the ORM's composing of them, were three quarters of the time.
"""

from contextlib import nullcontext
from typing import Any, Protocol

from django.conf import settings
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from ....contract.job_type import Done, JobType
from ....contract.registry import find_type
from ....models import Attempt, DatasetStatus, FailedRun, Job, Run, RunLog
from ....states import JobStatus, Outcome, RunStatus, Verdict
from ...database import Statement, rows, together
from ..lease import Lease
from ..state import subject_now
from .ending import completed_words

JOB, LOG, TRY = Job._meta.db_table, RunLog._meta.db_table, Attempt._meta.db_table
# What makes it another end: the run has data, failed runs of its subject are over with it, or its log is full.
ELSEWHERE = (
    f"EXISTS (SELECT 1 FROM {DatasetStatus._meta.db_table} WHERE last_run_id = %s AND last_status IN ('running', 'waiting'))"
    f" OR EXISTS (SELECT 1 FROM {FailedRun._meta.db_table} WHERE job_type = %s AND brand_id {{brand}} AND subject = %s"
    " AND over_at IS NULL)"
    f" OR EXISTS (SELECT 1 FROM {LOG} WHERE run_id = %s AND seq >= %s)"
)
RUN = (
    f"UPDATE {Run._meta.db_table} SET status = '{RunStatus.COMPLETED}', verdict = '{Verdict.OK}', completed_at = {{now}},"
    " counts = %s, summary = %s, progress = %s, error_message = '', blocked_since = NULL, cost_actual = NULL,"
    " lease_token = NULL, lease_expires_at = NULL, worker_id = NULL"
    f" WHERE id = %s AND lease_token = %s AND NOT ({ELSEWHERE}) RETURNING completed_at"
)
ATTEMPT = f"UPDATE {TRY} SET outcome = '{Outcome.COMPLETED}', ended_at = ended.completed_at FROM ended WHERE {TRY}.id = %s"
LINE = (
    f"INSERT INTO {LOG} (run_id, seq, at, level, message) SELECT %s, COALESCE((SELECT max(seq) FROM {LOG} WHERE run_id = %s), 0)"
    f" + 1, ended.completed_at, '{RunLog.Level.INFO}', %s FROM ended"
)
OF_JOB = f"UPDATE {JOB} SET runs_completed = runs_completed + 1, last_error = '', status = %s FROM ended WHERE {JOB}.id = %s"


class NextClaim(Protocol):
    """The claim of the worker's next run, sent together with the end of this one: half the round trips and commits."""

    def statements(self, ended: int) -> tuple[Statement, Statement]:
        """What comes before the end, and the claim, which takes nothing if the run does not end."""

    def hand_over(self, found: list[Any]) -> None: ...


def complete(run: Run, lease: Lease, done: Done, then: NextClaim | None = None) -> bool:
    """Complete the run as `by_worker.complete` would. False, with nothing written, if that has to do it."""
    handler = find_type(run.job_type)
    if handler is None or not _nothing_hangs_on(run, handler, done):
        return False
    at = None if connection.vendor == "postgresql" else timezone.now()
    brand = "IS NULL" if run.brand_id is None else "= %s"
    ended = RUN.format(now="clock_timestamp()" if at is None else "%s", brand=brand)
    values = [
        *([_saved(Run, "completed_at", at)] if at else []),
        *(_saved(Run, name, value) for name, value in (("counts", done.counts), ("summary", done.summary), ("progress", {}))),
        run.pk,
        _saved(Run, "lease_token", lease.token),
        run.pk,
        run.job_type,
        *([_saved(Run, "brand", run.brand_id)] if run.brand_id else []),
        run.subject,
        run.pk,
        settings.PIPELINE_LOG_LINES - 1,
    ]
    line = [run.pk, run.pk, _saved(RunLog, "message", completed_words(done.summary))]
    job = [JobStatus.ARCHIVED if run.trigger_source == Job.Trigger.MANUAL else JobStatus.COMPLETED, run.job_id]
    rest = [(ATTEMPT, [lease.attempt_id]), (LINE, line), (OF_JOB, job)]
    try:
        with transaction.atomic() if at or connection.in_atomic_block else nullcontext():
            return _as_one(ended, values, rest, run, then) if at is None else _one_by_one(ended, values, rest)
    except IntegrityError:  # a line was logged at the same moment and has the number
        return False


def _nothing_hangs_on(run: Run, handler: JobType, done: Done) -> bool:
    """As far as the type, the answer and the run itself tell."""
    if handler.source or handler.datasets or type(handler).on_completed is not JobType.on_completed:
        return False
    if run.scheduled_for or run.about or done.verdict != Verdict.OK or done.reason:
        return False
    named = subject_now(run)
    return named is None or named.label == run.subject_label


def _as_one(ended: str, values: list[Any], rest: list[tuple[str, list[Any]]], run: Run, then: NextClaim | None) -> bool:
    parts = ", ".join(f"part{number} AS ({statement})" for number, (statement, _) in enumerate(rest))
    query = f"WITH ended AS ({ended}), {parts} SELECT completed_at FROM ended"
    end = query, [*values, *(value for _, its in rest for value in its)]
    if then is None:
        return bool(rows(*end))
    before, claim = then.statements(run.pk)
    _, found, claimed = together([before, end, claim])
    then.hand_over(claimed)
    return bool(found)


def _one_by_one(ended: str, values: list[Any], rest: list[tuple[str, list[Any]]]) -> bool:
    """SQLite writes nothing within a SELECT."""
    found = rows(ended, values)
    for statement, its in rest if found else []:
        rows(f"WITH ended AS (SELECT %s AS completed_at) {statement}", [*found[0], *its])
    return bool(found)


def _saved(model: type[models.Model], name: str, value: Any) -> Any:
    return model._meta.get_field(name).get_db_prep_save(value, connection)  # type: ignore[union-attr]
