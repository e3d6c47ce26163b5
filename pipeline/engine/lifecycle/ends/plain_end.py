"""The usual end of a run on which nothing else hangs, as one statement: run, attempt, log line and job.

`by_worker.complete` does the same for every run, in a transaction of some ten statements. For a run of milliseconds these, and
the ORM's composing of them, were three quarters of the time.
"""

from django.conf import settings
from django.db import connection
from django.utils import timezone

from ....contract.job_type import Done, JobType
from ....contract.registry import find_type
from ....models import Attempt, DatasetStatus, FailedRun, Job, Run, RunLog
from ....states import JobStatus, Outcome, RunStatus, Verdict
from ..lease import Lease
from ..state import subject_now
from .ending import completed_words
from .one_go import NextClaim, saved, write

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
    f" WHERE id = %s AND lease_token = %s AND NOT ({ELSEWHERE}) RETURNING completed_at AS at"
)
ATTEMPT = f"UPDATE {TRY} SET outcome = '{Outcome.COMPLETED}', ended_at = mine.at FROM mine WHERE {TRY}.id = %s"
LINE = (
    f"INSERT INTO {LOG} (run_id, seq, at, level, message) SELECT %s, COALESCE((SELECT max(seq) FROM {LOG} WHERE run_id = %s), 0)"
    f" + 1, mine.at, '{RunLog.Level.INFO}', %s FROM mine"
)
OF_JOB = f"UPDATE {JOB} SET runs_completed = runs_completed + 1, last_error = '', status = %s FROM mine WHERE {JOB}.id = %s"


def complete(run: Run, lease: Lease, done: Done, then: NextClaim | None = None) -> bool:
    """Complete the run as `by_worker.complete` would. False, with nothing written, if that has to do it."""
    handler = find_type(run.job_type)
    if handler is None or not _nothing_hangs_on(run, handler, done):
        return False
    at = None if connection.vendor == "postgresql" else timezone.now()
    brand = "IS NULL" if run.brand_id is None else "= %s"
    ended = RUN.format(now="clock_timestamp()" if at is None else "%s", brand=brand)
    values = [
        *([saved(Run, "completed_at", at)] if at else []),
        *(saved(Run, name, value) for name, value in (("counts", done.counts), ("summary", done.summary), ("progress", {}))),
        run.pk,
        saved(Run, "lease_token", lease.token),
        run.pk,
        run.job_type,
        *([saved(Run, "brand", run.brand_id)] if run.brand_id else []),
        run.subject,
        run.pk,
        settings.PIPELINE_LOG_LINES - 1,
    ]
    line = [run.pk, run.pk, saved(RunLog, "message", completed_words(done.summary))]
    job = [JobStatus.ARCHIVED if run.trigger_source == Job.Trigger.MANUAL else JobStatus.COMPLETED, run.job_id]
    return write(run, (ended, values), [(ATTEMPT, [lease.attempt_id]), (LINE, line), (OF_JOB, job)], then)


def _nothing_hangs_on(run: Run, handler: JobType, done: Done) -> bool:
    """As far as the type, the answer and the run itself tell."""
    if handler.source or handler.datasets or type(handler).on_completed is not JobType.on_completed:
        return False
    if run.scheduled_for or run.about or done.verdict != Verdict.OK or done.reason:
        return False
    named = subject_now(run)
    return named is None or named.label == run.subject_label
