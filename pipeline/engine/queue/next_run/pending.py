"""The query for the first pending run that may start. Runs that are stopped are jumped over, however many they are."""

from typing import Any
from uuid import UUID

from django.db import connection

from ....models import Job, Run
from ...database import by_index
from ..limits import KEEPS_BACK, Kind, Stage, Stop

ANY = 32767  # no priority is higher
# The condition of the two indexes: they leave out runs that wait for their paused job.
READY = f"r.status = 'pending' AND (NOT r.job_paused OR r.priority = {Run.WOKEN})"
# job_paused only makes it quick; the job's row decides.
ITS_JOB = f"(SELECT j.status FROM {Job._meta.db_table} j WHERE j.id = r.job_id)"
JOB_GOES = f"(r.priority = {Run.WOKEN} OR {ITS_JOB} <> 'paused')" if Stage.NEW in KEEPS_BACK[Kind.JOB_PAUSE] else "TRUE"


def pending_types(index: str = "") -> str:
    """The recursive query of a CTE types(name): the job types with such runs, then NULL. One index step for each type."""
    least = f"SELECT r.job_type FROM {Run._meta.db_table} r {index} WHERE {READY}"
    first = "ORDER BY r.job_type LIMIT 1"  # for min() PostgreSQL may read all pending runs
    return (
        f"SELECT * FROM ({least} {first}) AS first UNION ALL"
        f" SELECT ({least} AND r.job_type > types.name {first}) FROM types WHERE types.name IS NOT NULL"
    )


def first_pending(stops: list[Stop], known: dict[str, int], types: list[str], moment: Any, skip: str) -> tuple[str, list[Any]]:
    """The query and its values. `known`: the version of each type's code here. `types`: those that have pending runs."""
    parts: list[str] = []
    values: list[Any] = []
    for name in types:
        if name not in known or (up_to := _up_to(stops, name, None)) is None:
            continue
        due = [moment, known[name]]
        brands = {one.brand_id for one in stops if one.brand_id and one.covers(name, one.brand_id)}
        differ = {brand: _up_to(stops, name, brand) for brand in brands}
        differ = {brand: most for brand, most in differ.items() if most != up_to}
        query, its = _by_brand(name, up_to, differ, due, skip) if differ else _of_type(name, up_to, due, skip)
        parts.append(f"SELECT * FROM ({query}) AS t{len(parts)}")
        values += its
    if not parts:
        return "NULL", []
    return f"SELECT id FROM ({' UNION ALL '.join(parts)}) AS firsts ORDER BY priority, order_at, id LIMIT 1", values


def _up_to(stops: list[Stop], job_type: str, brand_id: UUID | None) -> int | None:
    """Up to which priority runs of that type and brand may start; None if none may."""
    covering = [stop for stop in stops if stop.covers(job_type, brand_id)]
    if any(stop.keeps_back(Stage.BEGUN) for stop in covering):
        return None
    return Run.WOKEN if any(stop.keeps_back(Stage.NEW) for stop in covering) else ANY


def _of_type(name: str, up_to: int, due: list[Any], skip: str) -> tuple[str, list[Any]]:
    return _first("run_claim_pending", f"r.id > 0 AND r.priority <= {up_to}", skip), [name, *due]


def _by_brand(name: str, up_to: int, differ: dict[UUID, int | None], due: list[Any], skip: str) -> tuple[str, list[Any]]:
    """The first run of the type, where stops of brands differ: brand by brand, since one of them may have 100,000 in front."""
    closed = [_value(brand) for brand, most in differ.items() if most is None]
    begun = [_value(brand) for brand, most in differ.items() if most == Run.WOKEN]
    table, own = Run._meta.db_table, by_index("run_own_line")
    next_brand = f"SELECT r.brand_id FROM {table} r {own} WHERE r.job_type = %s AND {READY} AND r.brand_id"
    first = "ORDER BY r.brand_id, r.priority LIMIT 1"  # only one index has this order
    limit = f"CASE WHEN brands.id IN ({_marks(begun)}) THEN {Run.WOKEN} ELSE {up_to} END" if begun else str(up_to)
    of_brand = _first("run_own_line", f"r.brand_id = brands.id AND r.priority <= {limit}", skip, "r.id")
    of_none = _first("run_own_line", f"r.brand_id IS NULL AND r.priority <= {up_to}", skip, "r.id")
    its = f"(SELECT p.{{}} FROM {table} p WHERE p.id = firsts.id)"  # a join might read the whole table
    query = (
        f"WITH RECURSIVE brands(id) AS (SELECT ({next_brand} IS NOT NULL {first}) UNION ALL"
        f" SELECT ({next_brand} > brands.id {first}) FROM brands WHERE brands.id IS NOT NULL),"
        f" firsts(id) AS MATERIALIZED (SELECT ({of_brand}) FROM brands"
        f" WHERE brands.id IS NOT NULL{f' AND brands.id NOT IN ({_marks(closed)})' if closed else ''}"
        f" UNION ALL SELECT ({of_none})) SELECT id, {its.format('priority')} AS priority, {its.format('order_at')} AS order_at"
        " FROM firsts WHERE id IS NOT NULL ORDER BY priority, order_at, id LIMIT 1"
    )
    return query, [name, name, name, *due, *begun, *closed, name, *due]


def _first(index: str, condition: str, skip: str, columns: str = "r.id, r.priority, r.order_at") -> str:
    """Its values: the type, the time, and the version of the type's code here."""
    return (
        f"SELECT {columns} FROM {Run._meta.db_table} r {by_index(index)}"
        f" WHERE r.job_type = %s AND {READY} AND r.due_at <= %s AND r.code_version <= %s AND {condition} AND {JOB_GOES}"
        f" ORDER BY {'r.brand_id, ' if index == 'run_own_line' else ''}r.priority, r.order_at, r.id LIMIT 1 {skip}"
    )


def _value(brand_id: UUID) -> Any:
    return Run._meta.get_field("brand").get_db_prep_value(brand_id, connection)


def _marks(values: list[Any]) -> str:
    return ", ".join(["%s"] * len(values))
