"""The freshness clock of each (brand, dataset, subject). Runs move it as their state changes; people, if they make the data."""

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Expression, F, Max, Min, Q, QuerySet, Value
from django.db.models.functions import Concat, Replace, Right

from ...contract.job_type import Done
from ...contract.registry import find_type
from ...models import DatasetStatus, Reuse, Run, UpstreamRun
from ...models.datasets import MARKS, NUMBER
from ...states import RunStatus, Verdict

Last, End = DatasetStatus.Last, DatasetStatus.End
DOUBTED = "doubted"  # in a row's metadata
MAX_SAVE_DELAY = timedelta(hours=1)  # data saved later than this is only as fresh as the end of its upstream run


def as_of(run: Run, at: datetime) -> datetime:
    """From when data saved at `at` counts as fresh.

    That is `at`, or the end of its upstream run if that was over an hour earlier (a late Retry), or was another run's.
    """
    handler = find_type(run.job_type)
    if handler and not handler.source:
        return at
    used: datetime | None = Reuse.objects.filter(run=run).aggregate(oldest=Min("fetched_at"))["oldest"]
    if used:
        return used
    good = UpstreamRun.objects.filter(run=run, status=UpstreamRun.Status.SUCCEEDED)
    ended: datetime | None = good.aggregate(last=Max("finished_at"))["last"]
    return ended if ended and at - ended > MAX_SAVE_DELAY else at


def mark_running(run: Run, at: datetime) -> None:
    """A worker has taken the run. The time of the last success stays."""
    _mark(run, last_status=Last.RUNNING, last_attempt_at=at, last_run_id=run.pk, error_message="")


def mark_ending(run: Run) -> None:
    """A worker has taken the run to bring its cancel to an end. No row is made: what the run was about may be gone."""
    _under_way(run).update(last_status=Last.RUNNING, error_message="")


def follow(run: Run) -> None:
    """The run's state has changed: the datasets that it was the last to work on say what is true now.

    Called by `set_state`, so that no path can leave data as *running* that nobody works on. A run that no worker has taken
    yet is no dataset's last run, and changes nothing. Needs no code of the run's type.
    """
    under_way = _under_way(run)
    if run.status == RunStatus.COMPLETED:
        no_result = {"last_status": Last.UNKNOWN, "error_message": f"Run {run.pk} ended without a result for it."}
        under_way.filter(dataset_key__in=_own_clocks(run)).update(**no_result, recent_ends=_with_end(run, End.DOUBTED))
    under_way.update(**_said_by(run))


def mark_waiting(run: Run, reason: str) -> None:
    """Nobody works on the run, for this reason."""
    _under_way(run).update(last_status=Last.WAITING, error_message=reason)


def mark_reopened(run: Run, words: str) -> None:
    """The run will try again what it did not bring."""
    missing = DatasetStatus.objects.filter(last_run_id=run.pk).exclude(last_status=Last.COMPLETED)
    missing.update(last_status=Last.WAITING, error_message=words)


def _under_way(run: Run) -> QuerySet[DatasetStatus]:
    """The datasets that the run has begun and not ended. It has ended one with a clock of its own when that has a result."""
    return DatasetStatus.objects.filter(last_run_id=run.pk, last_status__in=[Last.RUNNING, Last.WAITING])


def _said_by(run: Run) -> dict[str, Any]:
    match run.status:
        case RunStatus.COMPLETED if run.verdict == Verdict.OK:
            said, end = {"last_status": Last.COMPLETED, "error_message": ""}, End.COMPLETED
        case RunStatus.COMPLETED:
            said, end = {"last_status": Last.UNKNOWN, "error_message": run.summary}, End.DOUBTED
        case RunStatus.FAILED:
            said, end = {"last_status": Last.FAILED, "error_message": run.error_message}, End.FAILED
        case RunStatus.CANCELLED:  # a cancel says nothing about the data
            said, end = {"last_status": Last.UNKNOWN, "error_message": run.summary}, End.CANCELLED
        case RunStatus.WAITING if UpstreamRun.objects.filter(run=run, status=UpstreamRun.Status.RUNNING).exists():
            return {"last_status": Last.RUNNING, "error_message": ""}  # the upstream is fetching it
        case _:
            return {"last_status": Last.WAITING, "error_message": run.blocked_reason or run.error_message}
    return said | {"recent_ends": _with_end(run, end)}


def _with_end(run: Run, end: str) -> Right:
    """The row's last runs with this one as the newest. A run that is among them, such as a retried one, has a new end."""
    others: Expression | F = F("recent_ends")
    for before in End.values:
        others = Replace(others, Value(_mark_of(run, before)), Value(""))
    return Right(Concat(others, Value(_mark_of(run, end))), MARKS)


def _mark_of(run: Run, end: str) -> str:
    return f"{run.pk:0{NUMBER}}{end}"


def mark_completed(run: Run, done: Done, fetched_at: datetime) -> None:
    """Only a plausible result moves the clock. A partial or suspicious one leaves it and stores the reason."""
    if done.verdict == Verdict.OK:
        # This data may be old, and only now accepted or retried: a later run may have fetched newer data.
        known = list(_rows(run).values_list("last_success_at", "last_attempt_at", "last_run_id")) if _keys(run) else []
        if any(success and success > fetched_at for success, _, _ in known):
            return
        success = {"last_success_at": fetched_at, "records_affected": done.records}
        if any(tried and tried > fetched_at and by != run.pk for _, tried, by in known):  # keep the outcome of that later run
            _mark(run, **success)
        else:
            _mark(run, **success, last_status=Last.COMPLETED, last_run_id=run.pk, error_message="")
    else:
        _mark(run, last_status=Last.UNKNOWN, last_run_id=run.pk, error_message=done.reason)


def begin_part(run: Run, key: str, subject: str, at: datetime) -> None:
    """The run has begun a dataset that has a clock of its own."""
    row = {"brand_id": run.brand_id, "dataset_key": key, "subject": subject}
    _upsert(row, last_status=Last.RUNNING, last_attempt_at=at, last_run_id=run.pk, error_message="", metadata={})


def complete_part(run: Run, key: str, subject: str, fetched_at: datetime, records: int) -> None:
    """The clock moves now, not at the run's end. It never moves back, and a later run that has begun it says what is true now.

    A row that is gone is not made again: its subject was removed meanwhile.
    """
    row = _part(run, key, subject)
    older = Q(last_success_at=None) | Q(last_success_at__lte=fetched_at)
    row.filter(older).update(last_success_at=fetched_at, records_affected=records)
    row.filter(last_run_id=run.pk).update(last_status=Last.COMPLETED, error_message="")
    row.update(recent_ends=_with_end(run, End.COMPLETED))


def fail_part(run: Run, key: str, subject: str, error: str) -> None:
    row = _part(run, key, subject)
    row.filter(last_run_id=run.pk).update(last_status=Last.FAILED, error_message=error)
    row.update(recent_ends=_with_end(run, End.FAILED))


def doubt_part(run: Run, key: str, subject: str, fetched_at: datetime, records: int, reason: str) -> None:
    """A partial or suspicious result. What is needed to accept it later is kept beside the reason."""
    doubted = {DOUBTED: {"fetched_at": fetched_at.isoformat(), "records": records}}
    row = _part(run, key, subject)
    row.filter(last_run_id=run.pk).update(last_status=Last.UNKNOWN, error_message=reason, metadata=doubted)
    row.update(recent_ends=_with_end(run, End.DOUBTED))


def mark_accepted(run: Run) -> None:
    """A person accepts the run's result: it counts as completed among the last runs, whichever ran since."""
    doubted, good = (Value(_mark_of(run, end)) for end in (End.DOUBTED, End.COMPLETED))
    _rows(run).update(recent_ends=Replace(F("recent_ends"), doubted, good))


def accept_parts(run: Run) -> None:
    """A person accepts the run's result, and with it what it brought in doubt."""
    for row in DatasetStatus.objects.filter(last_run_id=run.pk, last_status=Last.UNKNOWN, dataset_key__in=_own_clocks(run)):
        if doubted := row.metadata.get(DOUBTED):
            at = datetime.fromisoformat(doubted["fetched_at"])
            complete_part(run, row.dataset_key, row.subject, at, doubted["records"])


def _part(run: Run, key: str, subject: str) -> QuerySet[DatasetStatus]:
    return DatasetStatus.objects.filter(Q(brand_id=run.brand_id), dataset_key=key, subject=subject)


def mark_worked_on(dataset_key: str, brand_id: Any, subject: str, at: datetime, records: int) -> None:
    """People have brought this data up to date: no run fetches it."""
    row = {"brand_id": brand_id, "dataset_key": dataset_key, "subject": subject}
    _upsert(row, last_success_at=at, last_attempt_at=at, records_affected=records, last_status=Last.COMPLETED, error_message="")


def _keys(run: Run) -> list[str]:
    """The datasets that are as fresh as the run."""
    handler = find_type(run.job_type)
    if not handler or not handler.refreshes(run.parameters):
        return []
    return [key for key in handler.datasets if key not in handler.own_clocks]


def _own_clocks(run: Run) -> frozenset[str]:
    handler = find_type(run.job_type)
    return handler.own_clocks if handler else frozenset()


def _rows(run: Run) -> QuerySet[DatasetStatus]:
    return DatasetStatus.objects.filter(Q(brand_id=run.brand_id), dataset_key__in=_keys(run), subject=run.subject)


def _mark(run: Run, **fields: Any) -> None:
    for key in _keys(run):
        _upsert({"brand_id": run.brand_id, "dataset_key": key, "subject": run.subject}, **fields)


def _upsert(row: dict[str, Any], **fields: Any) -> None:
    if not DatasetStatus.objects.filter(**row).update(**fields):
        try:
            with transaction.atomic():
                DatasetStatus.objects.create(**row, **fields)
        except IntegrityError:  # another run of this subject made it in between
            DatasetStatus.objects.filter(**row).update(**fields)
