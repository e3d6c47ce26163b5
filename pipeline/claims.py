"""The claim: which due run a worker gets next, and how an idle worker waits for one.

At least once: a run may be handed out again after its worker's death, so everything in it is a checkpoint or an upsert.
Claims are serialised (an advisory lock on PostgreSQL, an IMMEDIATE transaction on SQLite), so limits, held keys and order
are plain reads. A wake-up is only a hint; the row is the truth.
"""

import logging
import select
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from . import limits, upstream_health
from .engine.database import CHANNEL, CLAIM_LOCK, by_index, lock, now, rows
from .engine.lifecycle import by_death, by_queue, freshness
from .engine.lifecycle.lease import RUN_COLUMNS
from .models import Attempt, ConcurrencyLimit, Job, Pause, Run, SourceState, Worker
from .states import RunStatus

logger = logging.getLogger(__name__)
IDLE_SECONDS = 5.0  # the longest an idle worker goes without a look of its own
LAPSE_SEEN = 0.25  # seconds between looks at a lease that has lapsed
SQLITE_LOOK_SECONDS = 0.02  # 10 ms would double the idle cost for 6 ms of pick-up


def claim(worker: Worker, *, may_take_over: Callable[[], bool] = lambda: True) -> tuple[Run, Attempt] | None:
    """The best due run, now running under a new lease of this worker; None where nothing can be claimed.

    `may_take_over`: whether, by the time the lock is had, a lapsed lease counts as a death.
    """
    if connection.vendor == "sqlite" and not claimable():
        return None  # a look without the write lock: every heartbeat and log line wakes the idle here
    raced = 0
    while True:
        with transaction.atomic():
            at = lock(CLAIM_LOCK)
            found = _candidate(*_look(), at, lapsed=may_take_over())
            if found is None:
                return None
            if found.lapsed or found.needs_key:
                run = Run.objects.select_related("job", "brand").get(pk=found.pk)
                try:
                    with transaction.atomic():
                        if found.lapsed:  # pending now, and in line where limits hold for it as for all
                            by_death.record_death(run, at)
                            continue
                        if not by_queue.claim_key(run, at):
                            continue
                except IntegrityError:  # somebody clicked just now and has the key: the next look sees it
                    if raced == run.pk:
                        by_queue.set_aside(run, at, "It could not take its key.")
                    raced = run.pk
                    continue
                except DatabaseError:
                    raise
                except Exception as error:  # in what its type does: the others in line are not to wait for that
                    logger.exception("Run %s could not be taken up; it is set aside for a while.", run.pk)
                    by_queue.set_aside(run, at, f"It could not be taken up ({type(error).__name__}: {error}).")
                    continue
            return take(found.pk, worker, at)


def claimable() -> bool:
    """Whether a claim would find something now."""
    return _candidate(*_look(), now()) is not None


def take(run_id: int, worker: Worker, at: datetime) -> tuple[Run, Attempt]:
    """Make the run this worker's: lease, attempt and freshness in the caller's transaction."""
    until = at + timedelta(seconds=settings.PIPELINE_LEASE_SECONDS)
    attempt = Attempt(run_id=run_id, worker=worker, worker_label=str(worker), lease_token=uuid.uuid4(), started_at=at)
    moment, lapses, token, worker_id = (
        field.get_db_prep_value(value, connection)
        for field, value in (
            (Run._meta.get_field("started_at"), at),
            (Run._meta.get_field("started_at"), until),
            (Run._meta.get_field("lease_token"), attempt.lease_token),
            (Worker._meta.pk, worker.pk),
        )
    )
    # One statement instead of a read and two writes, where the database can: this stands in every pick-up's way.
    mine = (
        f"UPDATE {Run._meta.db_table} SET status = 'running', lease_token = %s, lease_expires_at = %s, worker_id = %s,"
        f" started_at = COALESCE(started_at, %s), blocked_reason = '' WHERE id = %s RETURNING {RUN_COLUMNS}"
    )
    values = [token, lapses, worker_id, moment, run_id]
    if connection.vendor == "postgresql":
        tries = Attempt._meta.db_table
        tried = (
            f"INSERT INTO {tries} (run_id, number, worker_id, worker_label, lease_token, started_at, outcome, error, traceback)"
            f" SELECT id, (SELECT count(*) + 1 FROM {tries} WHERE run_id = mine.id), %s, %s, %s, %s, '', '', '' FROM mine"
            " RETURNING id, number"
        )
        values += [worker_id, attempt.worker_label, token, moment]
        both = f"WITH mine AS ({mine}), tried AS ({tried}) SELECT mine.*, tried.id AS try_id, tried.number FROM mine, tried"
        (run,) = Run.objects.raw(both, values)
        attempt.pk, attempt.number = run.try_id, run.number  # type: ignore[attr-defined]
    else:
        (run,) = Run.objects.raw(mine, values)
        attempt.number = 1 if run.started_at == at else Attempt.objects.filter(run=run).count() + 1
        attempt.save(force_insert=True)
    freshness.mark_running(run, at)
    return run, attempt


def blocking(job_type: str, brand_id: uuid.UUID | None) -> list[limits.Limit]:
    """The limits and pauses that keep such a run from starting now."""
    return [limit for limit in excluded() if limit.covers(job_type, brand_id)]


def excluded() -> list[limits.Limit]:
    """What must not start now: the limits without a free slot, and the pauses."""
    return _look()[0]


def _look() -> tuple[list[limits.Limit], list[str]]:
    """What must not start now, and the job types that have pending runs."""
    # One plain query for four tables: this stands in every claim's way, and nearly always finds nothing but a type or two.
    # The types by one step through the index each.
    least = f"SELECT min(job_type) FROM {Run._meta.db_table} {by_index('run_claim_pending')} WHERE status = 'pending'"
    found = rows(
        f"WITH RECURSIVE types(name) AS ({least} UNION ALL"
        f" SELECT ({least} AND job_type > types.name) FROM types WHERE types.name IS NOT NULL)"
        f" SELECT 0, name, NULL, NULL FROM types WHERE name IS NOT NULL"
        f" UNION ALL SELECT 1, job_type, brand_id, max_running FROM {ConcurrencyLimit._meta.db_table} WHERE source = ''"
        f" UNION ALL SELECT 2, job_type, brand_id, NULL FROM {Pause._meta.db_table}"
        f" UNION ALL SELECT 3, source, NULL, NULL FROM {SourceState._meta.db_table}"
        " WHERE slow_until IS NOT NULL OR blocked_until IS NOT NULL"
        f" UNION ALL SELECT 3, source, NULL, NULL FROM {ConcurrencyLimit._meta.db_table} WHERE source <> ''"
    )
    types = [name for kind, name, *_ in found if kind == 0]
    if len(types) == len(found):
        return [], types
    limited, pauses = (
        [limits.Limit(name, brand and uuid.UUID(str(brand)), most) for k, name, brand, most in found if k == kind]
        for kind in (1, 2)
    )
    if any(kind == 3 for kind, *_ in found):
        pauses += upstream_health.stops(timezone.now())
    if not limited:
        return pauses, types
    running_now = f"SELECT job_type, brand_id FROM {Run._meta.db_table} {by_index('run_claim_expired')} WHERE status = 'running'"
    at_work = rows(running_now) if any(limit.max_running for limit in limited) else []  # 0 is full whatever runs
    running = Counter((name, brand and uuid.UUID(str(brand))) for name, brand in at_work)
    return limits.saturated(limited, running) + pauses, types


@dataclass(frozen=True)
class Candidate:
    """A run that may be claimed; `lapsed`: its last worker is dead; `needs_key`: a schedule's tick that holds no key yet."""

    pk: int
    lapsed: bool
    needs_key: bool


def _candidate(excluded: list[limits.Limit], pending_types: list[str], at: datetime, *, lapsed: bool = True) -> Candidate | None:
    """The next run in line: lapsed leases first, then cancels and woken waits, then the pending by priority and order."""
    table, jobs = Run._meta.db_table, Job._meta.db_table
    skip = "FOR UPDATE OF r SKIP LOCKED" if connection.vendor == "postgresql" and connection.in_atomic_block else ""
    moment = connection.ops.adapt_datetimefield_value(at) if connection.vendor == "sqlite" else at
    dead = (
        f"SELECT r.id FROM {table} r WHERE r.status = 'running' AND r.lease_expires_at < %s"
        f" ORDER BY r.lease_expires_at LIMIT 1 {skip}"
    )
    busy, busy_values = _none_of(limit for limit in excluded if limit.holds_back(begun=True, cancelled=True))
    cancelled = (
        f"SELECT r.id FROM {table} r WHERE r.status IN ('pending', 'waiting') AND r.cancel_requested_at IS NOT NULL"
        f" AND r.due_at <= %s{busy} ORDER BY r.due_at LIMIT 1 {skip}"
    )
    slots, pauses = [one for one in excluded if one.max_running is not None], [one for one in excluded if one.max_running is None]
    full, full_values = _none_of(slots)
    woken = f"SELECT r.id FROM {table} r WHERE r.status = 'waiting' AND r.due_at <= %s{full} ORDER BY r.due_at LIMIT 1 {skip}"
    # Type by type, each by its own index: all the runs of one that is stopped may stand before the first that may start.
    # A pause keeps back what has not begun; what is to be brought to its end is woken.
    stopped, paused = ({one.job_type for one in some if not one.brand_id} for some in (slots, pauses))
    types = [] if "" in stopped else [name for name in pending_types if name not in stopped]
    free, free_values = _none_of(pauses)
    begun = f"r.priority = {Run.WOKEN}"
    new = f"1 = 1{free} AND (SELECT j.status FROM {jobs} j WHERE j.id = r.job_id) <> 'paused'"
    pending_values: list[Any] = []
    parts = []
    for number, name in enumerate(types):
        all_paused = "" in paused or name in paused
        parts.append(
            f"SELECT * FROM (SELECT r.id, r.priority, r.order_at FROM {table} r {by_index('run_claim_pending')}"
            f" WHERE r.job_type = %s AND r.status = 'pending' AND r.due_at <= %s{full}"
            f" AND {begun if all_paused else f'({begun} OR ({new}))'}"
            f" ORDER BY r.priority, r.order_at, r.id LIMIT 1 {skip}) AS t{number}"
        )
        pending_values += [name, moment, *full_values, *([] if all_paused else free_values)]
    pending = (
        f"SELECT id FROM ({' UNION ALL '.join(parts)}) AS firsts ORDER BY priority, order_at, id LIMIT 1" if types else "NULL"
    )
    query = (
        f"SELECT id, status = 'running', scheduled_for IS NOT NULL AND dedupe_key IS NULL FROM {table}"
        f" WHERE id = COALESCE(({dead if lapsed else 'NULL'}), ({cancelled}), ({woken}), ({pending}))"
    )
    values = [*([moment] if lapsed else []), moment, *busy_values, moment, *full_values, *pending_values]
    (row,) = rows(query, values) or [None]
    return Candidate(row[0], bool(row[1]), bool(row[2])) if row else None


def _none_of(these: Iterable[limits.Limit]) -> tuple[str, list[Any]]:
    """SQL's AND … for a run that none of these covers, and its values."""
    clauses = ""
    values: list[Any] = []
    for limit in these:
        terms: list[str] = []
        if limit.job_type:
            terms.append("r.job_type = %s")
            values.append(limit.job_type)
        if limit.brand_id:
            terms.append("r.brand_id = %s")
            values.append(Run._meta.get_field("brand").get_db_prep_value(limit.brand_id, connection))
        clauses += f" AND NOT COALESCE({' AND '.join(terms) or '1 = 1'}, FALSE)"
    return clauses, values


def next_event(after: datetime) -> datetime | None:
    """When the next row falls due or the next lease lapses, if nothing else happens."""
    times = [
        Run.objects.filter(status=RunStatus.PENDING, due_at__gt=after)
        .order_by("due_at")
        .values_list("due_at", flat=True)
        .first(),
        Run.objects.filter(status=RunStatus.WAITING, due_at__gt=after)
        .order_by("due_at")
        .values_list("due_at", flat=True)
        .first(),
        Run.objects.filter(status=RunStatus.RUNNING)
        .order_by("lease_expires_at")
        .values_list("lease_expires_at", flat=True)
        .first(),
    ]
    return min((time for time in times if time), default=None)


class Waiter:
    """How one idle worker waits: until a change is heard, the next row falls due, or IDLE_SECONDS. Never raises.

    `stop_fd` becomes readable when the worker shall stop. Belongs to one process and one thread.
    """

    def __init__(self, stop_fd: int):
        self.stop_fd = stop_fd
        self.listening: psycopg.Connection[Any] | None = None
        self.version = -1
        self.trouble = 0

    def wait(self) -> None:
        try:
            seconds = self._seconds()
            if connection.vendor == "postgresql":
                self._wait_for_notify(seconds)
            else:
                self._wait_for_change(seconds)
            self.trouble = 0
        except (DatabaseError, psycopg.Error, OSError) as error:
            self.recover(error)

    def recover(self, error: Exception) -> None:
        """The database is away: say so once, drop what is broken, back off."""
        if not self.trouble:
            logger.warning("The database does not answer (%s). This worker waits and tries again.", str(error).strip())
        self.trouble = min(self.trouble + 1, 6)
        self.close()
        try:
            connection.close()
        except DatabaseError:
            connection.connection = None
        select.select([self.stop_fd], [], [], min(0.1 * 2**self.trouble, IDLE_SECONDS))

    def close(self) -> None:
        if self.listening is not None:
            self.listening.close()
            self.listening = None

    def _seconds(self) -> float:
        at = now()
        event = next_event(at)
        if event is None:
            return IDLE_SECONDS
        left = (event - at).total_seconds()  # in the past: a lapsed lease that is not to be taken over just now
        return min(IDLE_SECONDS, max(left, 0.01)) if left > -LAPSE_SEEN else LAPSE_SEEN

    def _wait_for_notify(self, seconds: float) -> None:
        if self.listening is None:
            params = {k: v for k, v in connection.get_connection_params().items() if k not in ("cursor_factory", "context")}
            self.listening = psycopg.connect(**params, autocommit=True)
            self.listening.execute(f"LISTEN {CHANNEL}")
            return  # look once more: a NOTIFY may have passed before LISTEN
        readable = select.select([self.listening.fileno(), self.stop_fd], [], [], seconds)[0]
        if self.listening.fileno() in readable:
            for _ in self.listening.notifies(timeout=0):
                pass

    def _wait_for_change(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            version = self._data_version()
            if version != self.version:
                self.version = version
                return
            if select.select([self.stop_fd], [], [], SQLITE_LOOK_SECONDS)[0]:
                return

    def _data_version(self) -> int:
        connection.ensure_connection()
        with connection.wrap_database_errors:  # past Django's cursors, which cost ten times the question
            return int(connection.connection.execute("PRAGMA data_version").fetchone()[0])
