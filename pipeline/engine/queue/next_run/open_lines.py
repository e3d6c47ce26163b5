"""Parts of the quick claim's statement: what stops there are, the lines of runs, and how far each line may go.

A line is all runs of a job type. Where a stop is of one brand, it is the runs of a type and brand: such a brand may have 100,000
runs in front.
"""

from collections.abc import Callable

from ....models import ConcurrencyLimit, Pause, Run
from ....states import RunStatus
from ..limits import KEEPS_BACK, Kind, Stage
from .pending import ANY, JOB_GOES, READY, pending_types

NOW = "statement_timestamp()"  # the database's
# The values that its parts share: the versions of the types' code here, and the names of the internal types.
KNOWN, INTERNAL = "$1::jsonb", "$2::text[]"
RUN = Run._meta.db_table
READABLE = f"r.code_version <= COALESCE(({KNOWN} ->> r.job_type)::int, -1)"
CLOSED = Run.WOKEN - 1  # nothing starts
# Up to which priority runs may start that such a stop covers.
UP_TO = {kind: CLOSED if Stage.BEGUN in stages else Run.WOKEN for kind, stages in KEEPS_BACK.items()}


def covers(stop: str, job_type: str, brand_id: str = "") -> str:
    """limits.Stop.covers as a condition. Without a brand: whether it is of all brands."""
    of_type = f"({stop}.job_type = {job_type} OR {stop}.job_type = '' AND {job_type} <> ALL({INTERNAL}))"
    return f"{of_type} AND ({stop}.brand_id IS NULL{f' OR {stop}.brand_id = {brand_id}' if brand_id else ''})"


def up_to(job_type: str, brand_id: str = "") -> str:
    """Up to which priority runs of that type and brand may start."""
    return f"COALESCE((SELECT min(s.up_to) FROM stops s WHERE {covers('s', job_type, brand_id)}), {ANY})"


STOPS = (
    f"running AS MATERIALIZED (SELECT job_type, brand_id, count(*) AS n FROM {RUN} WHERE status = '{RunStatus.RUNNING}'"
    " GROUP BY job_type, brand_id),"
    f" stops AS MATERIALIZED (SELECT job_type, brand_id, {UP_TO[Kind.PAUSE]} AS up_to FROM {Pause._meta.db_table}"
    f" WHERE source = '' AND (until IS NULL OR until > {NOW})"
    f" UNION ALL SELECT l.job_type, l.brand_id, {UP_TO[Kind.FULL]} FROM {ConcurrencyLimit._meta.db_table} l WHERE l.source = ''"
    f" AND l.max_running <= (SELECT COALESCE(sum(n), 0) FROM running r WHERE {covers('l', 'r.job_type', 'r.brand_id')}))"
)
_NEXT_BRAND = (
    f"SELECT r.brand_id FROM {RUN} r WHERE r.job_type = {{type}} AND {READY} AND r.brand_id {{after}}"
    " ORDER BY r.brand_id, r.priority LIMIT 1"
)
# The walk over a type's brands ends with NULL: that is the line of the runs of no brand.
LINES = (
    f"types(name) AS ({pending_types()}),"
    f" scopes AS MATERIALIZED (SELECT t.name, {up_to('t.name')} AS up_to,"
    " EXISTS (SELECT 1 FROM stops s WHERE s.brand_id IS NOT NULL AND s.job_type IN ('', t.name)) AS by_brand"
    " FROM types t WHERE t.name IS NOT NULL),"
    " brands(job_type, id) AS ("
    f"SELECT t.name, ({_NEXT_BRAND.format(type='t.name', after='IS NOT NULL')}) FROM scopes t WHERE t.by_brand UNION ALL"
    f" SELECT b.job_type, ({_NEXT_BRAND.format(type='b.job_type', after='> b.id')}) FROM brands b WHERE b.id IS NOT NULL),"
    " lines AS MATERIALIZED (SELECT name AS job_type, NULL::uuid AS brand_id, by_brand, up_to FROM scopes WHERE NOT by_brand"
    f" UNION ALL SELECT b.job_type, b.id, true, {up_to('b.job_type', 'b.id')} FROM brands b)"
)


def first_of(line: Callable[[str], str], skip: str = "") -> str:
    """The first run of a line that may start. `line` gives the SQL for each of a line's columns."""
    due = (
        f"r.job_type = {line('job_type')} AND {READY} AND r.due_at <= {NOW} AND {READABLE} AND {JOB_GOES}"
        f" AND r.priority <= {line('up_to')}"
    )
    by_brand, brand = line("by_brand"), line("brand_id")
    found = (
        f"NOT {by_brand} AND {due} AND r.id > 0 ORDER BY",  # without r.id > 0 PostgreSQL would not use run_claim_pending
        f"{by_brand} AND r.brand_id = {brand} AND {due} ORDER BY r.brand_id,",
        f"{by_brand} AND {brand} IS NULL AND r.brand_id IS NULL AND {due} ORDER BY r.brand_id,",
    )
    return " UNION ALL ".join(
        f"SELECT * FROM (SELECT r.priority, r.order_at, r.id FROM {RUN} r"
        f" WHERE {where_and_order} r.priority, r.order_at, r.id LIMIT 1 {skip}) AS found{number}"
        for number, where_and_order in enumerate(found)
    )
