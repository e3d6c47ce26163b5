"""Models whose rows are subjects of a job type. The primary key is the subject's key.

Each `job.py` names its model here once. Deleting a row then also archives its schedules and deletes its freshness, and the
admin refuses while a run is live for it.
"""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.db.models.signals import pre_delete

from pipeline import queries
from pipeline.api import forget_subject
from pipeline.models import Brand, Run

_job_types: dict[type[Model], list[str]] = {}


def scraped_by(job_type: str, model: type[Model]) -> None:
    """Every row of `model` is a subject of `job_type`."""
    known = _job_types.setdefault(model, [])
    if job_type not in known:
        known.append(job_type)
    pre_delete.connect(_forget, sender=model, dispatch_uid="forget_subject_row")


def clean_row_id(pk: UUID, rows: QuerySet[Any], what: str, brand: Brand | None) -> UUID:
    """For the clean method of a job type's parameter: the id, if it is that of one of the brand's rows."""
    if rows.filter(pk=pk).exists():
        return pk
    whose = f"of {brand}" if brand else "without a brand"
    raise ValidationError(f"There is no {what} {pk} {whose}. It may have been removed.")


def live_runs(rows: Iterable[Model]) -> Iterator[tuple[Model, Run]]:
    """The rows that a run is queued for, scraping or waiting for, each with that run. Rows of other models are passed over."""
    keys: dict[tuple[str, str], Model] = {
        (job_type, str(row.pk)): row for row in rows for job_type in _job_types.get(type(row), [])
    }
    for job_type in {job_type for job_type, _ in keys}:
        subjects = [subject for of, subject in keys if of == job_type]
        for subject, run in queries.live_runs(job_type, subjects).items():
            yield keys[job_type, subject], run


def _forget(sender: type[Model], instance: Model, **_: Any) -> None:
    """For every deletion: by a page, by the admin or by cascade."""
    for job_type in _job_types[sender]:
        forget_subject(job_type, str(instance.pk))
