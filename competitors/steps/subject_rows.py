"""Models whose rows are subjects of a job type. The primary key is the subject's key, or a column that the job type names.

Each `job.py` names its model here once. Deleting a row then also archives its schedules and deletes its freshness, the
admin refuses while a run is live for it, and archiving its competitor ends what is scheduled and runs for it.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Model, QuerySet
from django.db.models.signals import pre_delete
from django.utils import timezone

from competitors.models import Competitor
from pipeline import queries
from pipeline.api import forget_subject, record_change, stop_subject
from pipeline.contract.errors import NotAllowed
from pipeline.models import Brand, Run
from pipeline.models.fields import KeyText
from pipeline.people import require

ARCHIVE = "competitors.delete_competitor"
_job_types: dict[type[Model], list[str]] = {}
_keys: dict[type[Model], str] = {}  # of those whose key is not the primary key
_settings: dict[type[Model], Sequence[str]] = {}  # the columns that people set


def scraped_by(job_type: str, model: type[Model], *, key: str = "", settings: Sequence[str] = ()) -> None:
    """Every row of `model` is a subject of `job_type`. `settings`: its columns that people set.

    `key`: the column with the subject's key, '' for the primary key. Rows of other brands may have the same one; the rows
    then have a `brand_id`.
    """
    if key:
        _keys[model] = key
    if settings:
        _settings[model] = settings
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


def watched(model: Any, brands: Iterable[Brand | None] | None = None) -> QuerySet[Any]:
    """The rows of these brands' competitors that are not archived, each with its competitor and brand, in one query."""
    rows = model.objects.filter(competitor__archived_at=None).select_related("competitor__brand")
    return rows if brands is None else rows.filter(competitor__brand__in=brands)


def countable(rows: QuerySet[Any], brand: str, key: str = "") -> QuerySet[Any]:
    """As a job type's `subject_rows` answers them. `brand`: the path of the brand's id. `key`: as for scraped_by()."""
    return rows.annotate(of_brand=F(brand), subject_key=F(key) if key else KeyText("pk"))


def live_runs(rows: Iterable[Model]) -> Iterator[tuple[Model, Run]]:
    """The rows that a run is queued for, scraping or waiting for, each with that run. Rows of other models are passed over."""
    keys: dict[tuple[str, str], Model] = {}
    for row in rows:
        for job_type in _job_types.get(type(row), []):
            if type(row) not in _keys:
                keys[job_type, str(row.pk)] = row
            elif run := queries.live_run(job_type, *_brand_and_key(row)):
                yield row, run
    for job_type in {job_type for job_type, _ in keys}:
        subjects = [subject for of, subject in keys if of == job_type]
        for subject, run in queries.live_runs(job_type, subjects).items():
            yield keys[job_type, subject], run


def rows_of(competitor: Competitor) -> Iterator[Model]:
    """Everything of the competitor that is scraped; itself for what has no row of its own."""
    if Competitor in _job_types:
        yield competitor
    for relation in Competitor._meta.related_objects:
        if relation.related_model in _job_types:
            yield from relation.related_model._default_manager.filter(**{relation.field.name: competitor})


def settings_of(model: type[Model]) -> Sequence[str]:
    return _settings.get(model, ())


def subjects_of_row(row: Any) -> Iterator[tuple[str, UUID, str]]:
    """Type, brand and key of each subject that the row's settings are about: of a competitor, everything of it."""
    rows: Iterable[Any] = rows_of(row) if isinstance(row, Competitor) else [row]
    for one in rows:
        brand_id = getattr(one, "brand_id", None) or one.competitor.brand_id
        for job_type in _job_types.get(type(one), []):
            yield job_type, brand_id, str(getattr(one, _keys.get(type(one), "pk")))


def archive(competitor: Competitor, by: Any) -> None:
    """Nothing of it is scraped until it is restored: archive its schedules, cancel its live runs. All else stays."""
    require(by, ARCHIVE, competitor.brand_id)
    with transaction.atomic():
        if not Competitor.objects.filter(pk=competitor.pk, archived_at=None).update(archived_at=timezone.now()):
            raise NotAllowed("This competitor is archived already.")
        for row in rows_of(competitor):
            for job_type in _job_types[type(row)]:
                stop_subject(job_type, str(row.pk), by)
        words = f"Competitor “{competitor}” of {competitor.brand} was archived by {by}."
        record_change("archive_competitor", words, by, subjects=subjects_of_row(competitor))


def restore(competitor: Competitor, by: Any) -> None:
    """It may be scraped again. Its schedules stay archived."""
    require(by, ARCHIVE, competitor.brand_id)
    with transaction.atomic():
        if not Competitor.objects.filter(pk=competitor.pk, archived_at__isnull=False).update(archived_at=None):
            raise NotAllowed("This competitor is not archived.")
        words = f"Competitor “{competitor}” of {competitor.brand} was restored by {by}."
        record_change("restore_competitor", words, by, subjects=subjects_of_row(competitor))


def _forget(sender: type[Model], instance: Model, **_: Any) -> None:
    """For every deletion: by a page, by the admin or by cascade."""
    for job_type in _job_types[sender]:
        if sender in _keys:
            brand_id, key = _brand_and_key(instance)
            forget_subject(job_type, key, brand_id=brand_id)
        else:
            forget_subject(job_type, str(instance.pk))


def _brand_and_key(row: Any) -> tuple[UUID, str]:
    return row.brand_id, getattr(row, _keys[type(row)])
