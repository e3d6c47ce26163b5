"""The freshness clock of each (brand, dataset, subject). Only a run's state changes move it."""

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max, Q, QuerySet

from ...contract.job_type import Done
from ...contract.registry import find_type
from ...models import DatasetStatus, Run, UpstreamRun
from ...states import Verdict

MAX_SAVE_DELAY = timedelta(hours=1)  # data saved later than this is only as fresh as the end of its upstream run


def as_of(run: Run, at: datetime) -> datetime:
    """From when data saved at `at` counts as fresh.

    That is `at`, or the end of its upstream run if that was over an hour earlier (a late Retry).
    """
    handler = find_type(run.job_type)
    if handler and not handler.source:
        return at
    good = UpstreamRun.objects.filter(run=run, status=UpstreamRun.Status.SUCCEEDED)
    ended: datetime | None = good.aggregate(last=Max("finished_at"))["last"]
    return ended if ended and at - ended > MAX_SAVE_DELAY else at


def mark_running(run: Run, at: datetime) -> None:
    """A worker has taken the run. The time of the last success stays."""
    _mark(run, last_status=DatasetStatus.Last.RUNNING, last_attempt_at=at, last_run_id=run.pk)


def mark_completed(run: Run, done: Done, fetched_at: datetime) -> None:
    """Only a plausible result moves the clock. A partial or suspicious one leaves it and stores the reason."""
    if done.verdict == Verdict.OK:
        # This data may be old, and only now accepted or retried: a later run may have fetched newer data.
        known = list(_rows(run).values_list("last_success_at", "last_attempt_at", "last_run_id")) if _keys(run) else []
        if any(success and success > fetched_at for success, _, _ in known):
            _rows(run).filter(last_run=run, last_status=DatasetStatus.Last.RUNNING).update(
                last_status=DatasetStatus.Last.COMPLETED
            )
            return
        success = {"last_success_at": fetched_at, "records_affected": done.records}
        if any(tried and tried > fetched_at and by != run.pk for _, tried, by in known):  # keep the outcome of that later run
            _mark(run, **success)
        else:
            _mark(run, **success, last_status=DatasetStatus.Last.COMPLETED, last_run_id=run.pk, error_message="")
    else:
        _mark(run, last_status=DatasetStatus.Last.UNKNOWN, last_run_id=run.pk, error_message=done.reason)


def mark_failed(run: Run, error: str) -> None:
    """The run ended without a result, or waits for its next try."""
    _mark(run, last_status=DatasetStatus.Last.FAILED, last_run_id=run.pk, error_message=error)


def mark_stopped(run: Run) -> None:
    """A cancel says nothing about the data: only rows that this run was the last to change become unknown."""
    _rows(run).filter(last_run=run).update(last_status=DatasetStatus.Last.UNKNOWN)


def _keys(run: Run) -> list[str]:
    handler = find_type(run.job_type)
    return list(handler.datasets) if handler else []


def _rows(run: Run) -> QuerySet[DatasetStatus]:
    return DatasetStatus.objects.filter(Q(brand_id=run.brand_id), dataset_key__in=_keys(run), subject=run.subject)


def _mark(run: Run, **fields: Any) -> None:
    for key in _keys(run):
        row = {"brand_id": run.brand_id, "dataset_key": key, "subject": run.subject}
        if not DatasetStatus.objects.filter(**row).update(**fields):
            try:
                with transaction.atomic():
                    DatasetStatus.objects.create(**row, **fields)
            except IntegrityError:  # another run of this subject made it in between
                DatasetStatus.objects.filter(**row).update(**fields)
