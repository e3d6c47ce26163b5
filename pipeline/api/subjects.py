"""What becomes of the work of a subject or brand that is archived, removed or made another one; how old its data may be."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from ..contract.errors import InvalidRequest, NotAllowed
from ..contract.job_type import Done
from ..contract.registry import all_types, get_type
from ..contract.tally import rows_met
from ..engine.database import now
from ..engine.journal import log, record_event
from ..engine.lifecycle import by_person, freshness
from ..engine.scheduling.saving import end_schedules
from ..models import Brand, DatasetStatus, Job, MaxAge, Run, RunLog, ScheduleRule
from ..models.datasets import LEAST_AGE, MOST_AGE
from ..models.runs import of_subject
from ..people import require
from ..words import days
from .enqueue import find_brand
from .schedules import end_schedules_of

ARCHIVE = "pipeline.delete_brand"


def forget_subject(job_type: str, subject: str, *, brand_id: UUID | None = None) -> None:
    """The subject is being removed: archive its schedules, cancel its live runs, delete its freshness. Ended runs stay.

    `brand_id`: of this brand only, where other brands may have a subject with the same key.
    Call this before deleting the subject's own row, in the same transaction. The end of a run locks run, freshness and
    that row in this order; deleting in the other order could deadlock.
    """
    with transaction.atomic():
        ours = of_subject(subject) & Q(brand_id=brand_id) if brand_id else of_subject(subject)
        end_schedules_of(job_type, subject, brand_id=brand_id)
        for run in Run.objects.live().filter(ours, job_type=job_type):
            if by_person.request_cancel(run, None):
                log(run.pk, "What it scrapes was removed. What its upstream still does for it is stopped.", RunLog.Level.WARNING)
        DatasetStatus.objects.filter(ours, dataset_key__in=list(get_type(job_type).datasets)).delete()


def stop_subject(job_type: str, subject: str, by: Any) -> None:
    """The subject is being archived: archive its schedules, cancel its live runs. Freshness and ended runs stay.

    Call this in the transaction that archives the subject's own row.
    """
    with transaction.atomic():
        end_schedules(Job.objects.filter(of_subject(subject), job_type=job_type), f"What it scrapes was archived by {by}.")
        _cancel(Run.objects.live().filter(of_subject(subject), job_type=job_type), by)


def archive_brand(brand_id: Any, by: Any) -> None:
    """Nothing runs for the brand until it is restored: archive its schedules, cancel its live runs. All else stays."""
    require(by, ARCHIVE, brand_id)
    with transaction.atomic():
        if not Brand.objects.filter(pk=brand_id, archived_at=None).update(archived_at=now()):
            raise NotAllowed("This brand is archived already.")
        brand = Brand.objects.get(pk=brand_id)
        ScheduleRule.objects.filter(brand=brand).update(enabled=False)
        end_schedules(Job.objects.filter(brand=brand), f"The brand was archived by {by}.")
        _cancel(Run.objects.live().filter(brand=brand), by)
        record_event("archive_brand", f"Brand “{brand}” was archived by {by}.", brand_id=brand_id, by=by)


def restore_brand(brand_id: Any, by: Any) -> None:
    """Work may start for the brand again. Its schedules stay archived."""
    require(by, ARCHIVE, brand_id)
    with transaction.atomic():
        if not Brand.objects.filter(pk=brand_id, archived_at__isnull=False).update(archived_at=None):
            raise NotAllowed("This brand is not archived.")
        words = f"Brand “{Brand.objects.get(pk=brand_id)}” was restored by {by}."
        record_event("restore_brand", words, brand_id=brand_id, by=by)


def _cancel(runs: QuerySet[Run], by: Any) -> None:
    for run in runs:
        if by_person.request_cancel(run, by):
            log(run.pk, "What it scrapes was archived. What its upstream still does for it is stopped.", RunLog.Level.WARNING)


def forget_freshness(job_type: str, brand_id: Any, subjects: Sequence[str]) -> None:
    """Show these subjects as never refreshed. Their schedules stay."""
    keys = list(get_type(job_type).datasets)
    DatasetStatus.objects.filter(brand_id=brand_id, dataset_key__in=keys, subject__in=subjects).delete()


def worked_on(dataset_key: str, brand_id: Any, subject: str = "", *, records: int) -> None:
    """Data that people make themselves is up to date as of now. In the transaction of their work."""
    freshness.mark_worked_on(dataset_key, brand_id, subject, now(), records)


def set_max_age(dataset_key: str, brand_id: UUID | None, max_age: timedelta | None, by: Any, *, seen: timedelta | None) -> None:
    """How old this data of the brand (None: the platform) may be and still count as fresh. None: as its job type says.

    `seen`: what it was when the person decided. NotAllowed if somebody has changed it since.
    """
    require(by, "pipeline.change_maxage", brand_id)
    label = next((one.datasets[dataset_key] for one in all_types() if dataset_key in one.datasets), None)
    if label is None:
        raise InvalidRequest(f"There is no dataset {dataset_key!r}.")
    if max_age is not None and not LEAST_AGE <= max_age <= MOST_AGE:
        raise InvalidRequest("Choose an age between one hour and one year.")
    brand, words = find_brand(brand_id), f"every {days(max_age)}" if max_age else "as often as its job type says"
    new = {"max_age": max_age, "before": seen, "at": now(), "by": by}
    with transaction.atomic():
        changed = bool(MaxAge.objects.filter(Q(brand=brand), dataset_key=dataset_key, max_age=seen).update(**new))
        if not changed and seen is None:
            _, changed = MaxAge.objects.get_or_create(brand=brand, dataset_key=dataset_key, defaults=new)
        if not changed:
            raise NotAllowed("Somebody changed this meanwhile. Look at it, then save again.")
        was = f"every {days(seen)}" if seen else "as often as its job type says"
        text = f"{label} of {brand or 'the platform'}: expected {words}, before {was}, set by {by or 'another program'}."
        record_event("max_age", text, brand_id=brand_id, by=by)


def restore_freshness(run: Run) -> None:
    """The subject is again what this accepted run was about: its data is as fresh as that run left it."""
    fetched_at = freshness.as_of(run, run.completed_at or run.created_at)
    freshness.mark_completed(run, Done(records=rows_met(run.counts)), fetched_at)
    get_type(run.job_type).on_completed(run, fetched_at)
