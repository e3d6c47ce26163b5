"""Saves one-time jobs and their runs, or none of both if a live run has the key. On PostgreSQL one of each is one statement.

The ORM composes its statements anew each time, with a value for each of seventy columns. That took longer than saving the rows.
"""

import json
from collections.abc import Sequence
from datetime import UTC
from functools import cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models, transaction
from django.db.models.base import ModelState
from django.utils import timezone
from psycopg.types.json import Jsonb

from ...models import Job, Run
from ...states import RunStatus
from ..database import CHANNEL, by_index, rows
from ..scheduling.place import PLACE_GAP

Row = TypeVar("Row", bound=models.Model)
JOB, RUN = Job._meta.db_table, Run._meta.db_table
MOMENTS = ("due_at", "created_at", "asked_at")  # of a run: when it is queued
# What new one-time work may have a value for. The statements have the default of every other column.
GIVEN: dict[type[models.Model], tuple[str, ...]] = {
    Job: ("brand", "job_type", "subject", "name", "parameters", "trigger_source", "max_retries", "created_by", "created_at"),
    Run: (
        *("job", "brand", "job_type", "parameters", "subject", "about", "subject_label", "subject_url", "mode", "order_at"),
        *("priority", "dedupe_key", "trigger_source", "created_by", "reuse", "cost_estimate", *MOMENTS),
    ),
}
# place.order_at_for() says why. Its values: the brand, unless there is none, the type and the priority.
LAST = (
    f"SELECT r.order_at FROM {RUN} r {{index}} WHERE r.brand_id {{brand}} AND r.job_type = %s AND r.priority = %s"
    f" AND r.status = '{RunStatus.PENDING}' AND NOT r.job_paused AND r.order_at > {{since}} AND r.due_at <= {{at}}"
    " ORDER BY r.order_at DESC LIMIT 1"
)


def insert(job: Job, run: Run) -> bool:
    """Save both, with their ids, times and place in the queue, and wake the workers. False, with nothing saved, if a live run
    has the key.
    """
    saved = _as_one(job, run) if connection.vendor == "postgresql" else _one_by_one(job, run)
    for row in (job, run) if saved else ():
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    return saved


def _as_one(job: Job, run: Run) -> bool:
    of_run = _values(run, "job", "order_at", *MOMENTS)
    found = rows(_statement(run.brand_id is None), [*_scope(run), *of_run, *_values(job, "created_at")])
    if found:
        ((run.pk, job.pk, at, run.order_at),) = found
        run.job, run.due_at, run.created_at, run.asked_at, job.created_at = job, at, at, at, at
    return bool(found)


@cache
def _statement(of_platform: bool) -> str:
    gap = f"interval '{PLACE_GAP.total_seconds():.0f} seconds'"
    last = LAST.format(index="", brand="IS NULL" if of_platform else "= %s", since=f"moment.at - {gap}", at="moment.at")
    run = _columns(Run, job="place.job_id", order_at="place.order_at", **dict.fromkeys(MOMENTS, "place.at"))
    job = {"id": "place.job_id"} | _columns(Job, created_at="place.at")
    return (
        "WITH moment AS MATERIALIZED (SELECT clock_timestamp() AS at),"
        f" place AS MATERIALIZED (SELECT moment.at, nextval(pg_get_serial_sequence('{JOB}', 'id')) AS job_id,"
        f" GREATEST(moment.at, ({last}) + {gap}) AS order_at FROM moment),"
        f" new AS (INSERT INTO {RUN} ({', '.join(run)}) SELECT {', '.join(run.values())} FROM place"
        " ON CONFLICT DO NOTHING RETURNING id),"
        f" its_job AS (INSERT INTO {JOB} ({', '.join(job)}) SELECT {', '.join(job.values())} FROM new, place),"
        f" woken AS MATERIALIZED (SELECT pg_notify('{CHANNEL}', '') FROM new)"
        " SELECT new.id, place.job_id, place.at, place.order_at FROM new, place, woken"
    )


class _KeyIsTaken(Exception):
    pass


def _one_by_one(job: Job, run: Run) -> bool:
    """SQLite has one writer at a time, and no worker to wake: idle ones see that the file has changed."""
    brand = "IS NULL" if run.brand_id is None else "= %s"
    last = LAST.format(index=by_index("run_own_line"), brand=brand, since="%s", at="%s")
    try:
        with transaction.atomic():
            run.due_at = run.order_at = run.created_at = run.asked_at = job.created_at = at = timezone.now()
            moments = [connection.ops.adapt_datetimefield_value(moment) for moment in (at - PLACE_GAP, at)]
            for (place,) in rows(last, [*_scope(run), *moments]):
                run.order_at = max(at, place.replace(tzinfo=UTC) + PLACE_GAP)
            ((job.pk,),) = rows(_insert(Job), _values(job))
            run.job = job
            found = rows(_insert(Run), _values(run))
            if not found:
                raise _KeyIsTaken
            ((run.pk,),) = found
    except _KeyIsTaken:
        return False
    return True


def copied(row: Row) -> Row:
    """As copy.copy(), which goes through all that pickling needs. To make one from its values takes Django even longer."""
    other = type(row).__new__(type(row))
    state = ModelState()
    state.fields_cache = dict(row._state.fields_cache)
    vars(other).update(vars(row), _state=state)
    return other


def insert_many(jobs: Sequence[Job], runs: Sequence[Run]) -> None:
    """Save them, each run with its job. IntegrityError, with nothing saved, if a live run has one of the keys."""
    with transaction.atomic():
        for job, run in zip(jobs, runs, strict=True):
            job.created_at = run.created_at
        _insert_alike(jobs)
        for job, run in zip(jobs, runs, strict=True):
            run.job = job
        # By key: otherwise two calls with the same work in different orders could deadlock.
        by_key: list[Run] = sorted(runs, key=lambda run: str(run.dedupe_key))
        _insert_alike(by_key)


def _insert_alike(instances: Sequence[models.Model]) -> None:
    """Insert rows of one model that differ in few columns: only these are sent row by row, as one JSON value."""
    model = type(instances[0])
    db = connections[DEFAULT_DB_ALIAS]
    sent: list[list[Any]] = []  # a column each
    constants: list[Any] = []
    expressions: dict[str, str] = {}
    for field in _given(model):
        values = [getattr(row, field.attname) for row in instances]
        if values.count(values[0]) == len(values):
            constants.append(field.get_db_prep_save(values[0], db))
        else:
            expressions[field.name] = _element(field, len(sent))
            sent.append([field.get_db_prep_save(value, db) for value in values])
    columns = _columns(model, **expressions)
    each = "jsonb_array_elements(%s)" if db.vendor == "postgresql" else "json_each(%s)"
    given = json.dumps([*zip(*sent, strict=True)] or [()] * len(instances), default=_plain)
    target = f"{model._meta.db_table} ({', '.join(columns)})"
    ids = rows(f"INSERT INTO {target} SELECT {', '.join(columns.values())} FROM {each} AS e RETURNING id", [*constants, given])
    for one, (pk,) in zip(instances, ids, strict=True):
        one.pk = pk
        one._state.adding, one._state.db = False, DEFAULT_DB_ALIAS


def _element(field: Any, number: int) -> str:
    if connection.vendor != "postgresql":
        return f"json_extract(e.value, '$[{number}]')"
    if isinstance(field, models.JSONField):
        return f"e.value->{number}"
    return f"CAST(e.value->>{number} AS {field.db_type(connection)})"


def _plain(value: Any) -> Any:
    """What PostgreSQL takes as it is, in JSON."""
    return value.obj if isinstance(value, Jsonb) else str(value)


@cache
def _insert(model: type[models.Model]) -> str:
    columns = _columns(model)
    return (
        f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) VALUES ({', '.join(columns.values())})"
        " ON CONFLICT DO NOTHING RETURNING id"
    )


def _columns(model: type[models.Model], **expressions: str) -> dict[str, str]:
    """Each column but the id, with its expression: a mark for its value, or its default."""
    given = {field.column: expressions.get(field.name, _mark(field)) for field in _given(model)}
    return given | _defaults(model)


@cache
def _given(model: type[models.Model]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if field.name in GIVEN[model]]


@cache
def _defaults(model: type[models.Model]) -> dict[str, str]:
    editor = connection.schema_editor()
    others: list[Any] = [
        field for field in model._meta.concrete_fields if not field.primary_key and field.name not in GIVEN[model]
    ]
    return {field.column: str(editor.quote_value(editor.effective_default(field))) for field in others}


def _mark(field: Any) -> str:
    """PostgreSQL has to be told the type of a NULL. SQLite would make a number of a date."""
    return f"CAST(%s AS {field.db_type(connection)})" if connection.vendor == "postgresql" else "%s"


def _values(row: models.Model, *leave_out: str) -> list[Any]:
    db = connections[DEFAULT_DB_ALIAS]
    fields = [field for field in _given(type(row)) if field.name not in leave_out]
    return [field.get_db_prep_save(getattr(row, field.attname), db) for field in fields]


def _scope(run: Run) -> list[Any]:
    """The values of LAST."""
    brand = [] if run.brand_id is None else [Run._meta.get_field("brand").get_db_prep_save(run.brand_id, connection)]
    return [*brand, run.job_type, run.priority]
