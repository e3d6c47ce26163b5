"""Saves a one-time job and its run, or neither if a live run has the key. On PostgreSQL as one statement."""

import json
from collections.abc import Sequence, Set
from datetime import UTC
from functools import cache
from typing import Any

from django.db import connection, models, transaction
from django.utils import timezone

from ...models import Job, Run
from ...states import RunStatus
from ..database import CHANNEL, by_index, rows
from ..scheduling.place import PLACE_GAP

JOB, RUN = Job._meta.db_table, Run._meta.db_table
MOMENTS = ("due_at", "created_at", "asked_at")  # of a run: when it is queued
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
        row._state.adding, row._state.db = False, connection.alias
    return saved


def _as_one(job: Job, run: Run) -> bool:
    of_run = _values(run, {"job", "order_at", *MOMENTS})
    found = rows(_statement(run.brand_id is None), [*_scope(run), *of_run, *_values(job)])
    if found:
        ((run.pk, job.pk, at, run.order_at),) = found
        run.job, run.due_at, run.created_at, run.asked_at = job, at, at, at
    return bool(found)


@cache
def _statement(of_platform: bool) -> str:
    gap = f"interval '{PLACE_GAP.total_seconds():.0f} seconds'"
    last = LAST.format(index="", brand="IS NULL" if of_platform else "= %s", since=f"moment.at - {gap}", at="moment.at")
    run = _columns(Run, job="place.job_id", order_at="place.order_at", **dict.fromkeys(MOMENTS, "place.at"))
    job = {"id": "new.job_id"} | _columns(Job)
    return (
        "WITH moment AS MATERIALIZED (SELECT clock_timestamp() AS at),"
        f" place AS MATERIALIZED (SELECT moment.at, nextval(pg_get_serial_sequence('{JOB}', 'id')) AS job_id,"
        f" GREATEST(moment.at, ({last}) + {gap}) AS order_at FROM moment),"
        f" new AS (INSERT INTO {RUN} ({', '.join(run)}) SELECT {', '.join(run.values())} FROM place"
        " ON CONFLICT DO NOTHING RETURNING id, job_id),"
        f" its_job AS (INSERT INTO {JOB} ({', '.join(job)}) SELECT {', '.join(job.values())} FROM new),"
        f" woken AS MATERIALIZED (SELECT pg_notify('{CHANNEL}', '') FROM new)"
        " SELECT new.id, new.job_id, place.at, place.order_at FROM new, place, woken"
    )


class _KeyIsTaken(Exception):
    pass


def _one_by_one(job: Job, run: Run) -> bool:
    """SQLite has one writer at a time, and no worker to wake: idle ones see that the file has changed."""
    brand = "IS NULL" if run.brand_id is None else "= %s"
    last = LAST.format(index=by_index("run_own_line"), brand=brand, since="%s", at="%s")
    try:
        with transaction.atomic():
            run.due_at = run.order_at = run.created_at = run.asked_at = at = timezone.now()
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


def insert_many(jobs: Sequence[Job], runs: Sequence[Run]) -> None:
    """Save them, each run with its job. IntegrityError, with nothing saved, if a live run has one of the keys."""
    with transaction.atomic():
        _insert_alike(jobs)
        for job, run in zip(jobs, runs, strict=True):
            run.job = job
        # By key: otherwise two calls with the same work in different orders could deadlock.
        by_key: list[Run] = sorted(runs, key=lambda run: str(run.dedupe_key))
        _insert_alike(by_key)


def _insert_alike(instances: Sequence[models.Model]) -> None:
    """Insert rows of one model that differ in few columns: only these are sent row by row, as one array for each column."""
    model, first = type(instances[0]), instances[0]
    fields = _fields(model)
    columns: dict[str, str] = {}  # each with its expression
    constants: list[Any] = []
    arrays: list[list[Any]] = []
    types: list[str] = []
    for field in fields:
        same = field.pre_save(first, True)
        values = [getattr(row, field.attname) for row in instances]
        alike = getattr(field, "auto_now_add", False) or values.count(same) == len(values)
        if alike and field is not fields[-1]:  # at least one array, for as many rows
            columns[field.column] = _mark(field)
            constants.append(field.get_db_prep_save(same, connection))
        else:
            columns[field.column] = f"v.c{len(arrays)}"
            types.append(str(field.db_type(connection)))
            arrays.append([field.get_db_prep_save(same if alike else value, connection) for value in values])
    names = [f"c{number}" for number in range(len(arrays))]
    if connection.vendor == "postgresql":
        source = f"unnest({', '.join(f'CAST(%s AS {kind}[])' for kind in types)}) AS v({', '.join(names)})"
        given: list[Any] = arrays
    else:
        each = ", ".join(f"json_extract(value, '$[{number}]') AS {name}" for number, name in enumerate(names))
        source = f"(SELECT {each} FROM json_each(%s)) AS v"
        given = [json.dumps([*zip(*arrays, strict=True)], default=str)]  # of a Decimal: as SQLite keeps it
    target = f"{model._meta.db_table} ({', '.join(columns)})"
    ids = rows(f"INSERT INTO {target} SELECT {', '.join(columns.values())} FROM {source} RETURNING id", [*constants, *given])
    for one, (pk,) in zip(instances, ids, strict=True):
        one.pk = pk
        one._state.adding, one._state.db = False, connection.alias


@cache
def _insert(model: type[models.Model]) -> str:
    columns = _columns(model)
    return (
        f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})"
        " ON CONFLICT DO NOTHING RETURNING id"
    )


def _columns(model: type[models.Model], **expressions: str) -> dict[str, str]:
    """Each column but the id, with its expression, or a mark for its value."""
    return {field.column: expressions.get(field.name, _mark(field)) for field in _fields(model)}


def _fields(model: type[models.Model]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if not field.primary_key]


def _mark(field: Any) -> str:
    """PostgreSQL has to be told the type of a NULL. SQLite would make a number of a date."""
    return f"CAST(%s AS {field.db_type(connection)})" if connection.vendor == "postgresql" else "%s"


def _values(row: models.Model, leave_out: Set[str] = frozenset()) -> list[Any]:
    return [
        field.get_db_prep_save(field.pre_save(row, True), connection)
        for field in _fields(type(row))
        if field.name not in leave_out
    ]


def _scope(run: Run) -> list[Any]:
    """The values of LAST."""
    brand = [] if run.brand_id is None else [Run._meta.get_field("brand").get_db_prep_save(run.brand_id, connection)]
    return [*brand, run.job_type, run.priority]
