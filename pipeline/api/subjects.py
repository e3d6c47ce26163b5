"""Deletes what is stored about a subject when it is removed or becomes another one."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from ..contract.job_type import Done
from ..contract.registry import get_type
from ..contract.tally import rows_met
from ..engine.journal import log
from ..engine.lifecycle import by_person, freshness
from ..models import DatasetStatus, Run, RunLog
from .schedules import end_schedules_of


def forget_subject(job_type: str, subject: str) -> None:
    """The subject is being removed: archive its schedules, cancel its live runs, delete its freshness. Ended runs stay.

    Call this before deleting the subject's own row, in the same transaction. The end of a run locks run, freshness and
    that row in this order; deleting in the other order could deadlock.
    """
    with transaction.atomic():
        end_schedules_of(job_type, subject)
        for run in Run.objects.live().filter(job_type=job_type, subject=subject):
            if by_person.request_cancel(run, None):
                log(run.pk, "What it scrapes was removed. What its upstream still does for it is stopped.", RunLog.Level.WARNING)
        DatasetStatus.objects.filter(dataset_key__in=list(get_type(job_type).datasets), subject=subject).delete()


def forget_freshness(job_type: str, brand_id: Any, subjects: Sequence[str]) -> None:
    """Show these subjects as never refreshed. Their schedules stay."""
    keys = list(get_type(job_type).datasets)
    DatasetStatus.objects.filter(brand_id=brand_id, dataset_key__in=keys, subject__in=subjects).delete()


def restore_freshness(run: Run) -> None:
    """The subject is again what this accepted run was about: its data is as fresh as that run left it."""
    fetched_at = freshness.as_of(run, run.completed_at or run.created_at)
    freshness.mark_completed(run, Done(records=rows_met(run.counts)), fetched_at)
    get_type(run.job_type).on_completed(run, fetched_at)
