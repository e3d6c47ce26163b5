"""The measurements. Each is of several systems and rounds, starts with empty systems and leaves no process behind.

Systems take turns in each round, so that compared figures are close in time. What takes long to fill is filled once for all
rounds.
"""

import contextlib
import os
import signal
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from django.db import connection

from benchmarks import rows
from benchmarks.marks import seen
from benchmarks.rows import MoreThan, Row
from benchmarks.scratch import cpu_seconds, percentile, percentiles, tree
from benchmarks.system import Lacks, System

Found = dict[Row, float]
Measured = Iterator[tuple[System, Found]]
IDLE_PATIENCE = 5  # seconds to wait for the next job after all idle workers were killed


def workers(systems: Sequence[System], options: Namespace) -> Measured:
    """Only ours is idle in every round: the others' seconds are for comparison."""
    for number, system in turns(systems, options.rounds):
        system.empty()
        began = time.perf_counter()
        for one in range(options.samples):
            system.put(f"put-{one}")
        took = (time.perf_counter() - began) / options.samples * 1000
        yield from tried(system, lambda took=took: {rows.ENQUEUE: took})
        system.empty()
        yield from tried(system, partial(_waiting_workers, system, options, first=not number))


def _waiting_workers(system: System, options: Namespace, first: bool) -> Found:
    with system.idle_workers() as roots:
        late, clicks = picked_up(system, options.samples)
        found = dict(zip((rows.P50, rows.P95, rows.LONGEST), percentiles(late), strict=True))
        # A single click takes longer than one of many, because the web process's caches are cold.
        found |= {rows.CLICK_P50: percentile(clicks, 0.5), rows.CLICK_P95: percentile(clicks, 0.95)}
        if first or system.label == rows.OURS:
            found |= _idle(roots, options.idle if system.label == rows.OURS else options.idle / 2)
        if first:
            pids = system.worker_pids(roots)
            seen.forget()
            killed = kill(pids)
            system.put("next")
            found[rows.IDLE_KILLED] = since(killed, "next", 1, IDLE_PATIENCE)
        return found


def _idle(roots: list[int], seconds: float) -> Found:
    pids = [pid for root in roots for pid in tree(root)]
    # Let what the pick-ups began finish. PostgreSQL counts a session's transactions up to 10 s later.
    time.sleep(11 if connection.vendor == "postgresql" else 2)
    began, commits, spent = time.monotonic(), committed(), cpu_seconds(pids)
    time.sleep(seconds)
    minutes = (time.monotonic() - began) / 60
    found = {rows.IDLE_CPU: (cpu_seconds(pids) - spent) / minutes}
    if connection.vendor == "postgresql":
        found[rows.IDLE_TRANSACTIONS] = (committed() - commits) / minutes
    return found


def drain(systems: Sequence[System], options: Namespace) -> Measured:
    for _, system in turns(systems, options.rounds):
        system.empty()
        yield from tried(system, partial(_drain, system, options, rows.DRAIN, bulk=system.bulk))


def backlog(systems: Sequence[System], options: Namespace) -> Measured:
    with filled(systems, lambda system: system.backlog(options.backlog)) as able:
        for _, system in turns(able, options.rounds):
            yield from tried(system, partial(_drain, system, options, rows.BACKLOG))


def stops(systems: Sequence[System], options: Namespace) -> Measured:
    for system in systems:
        system.empty()
        with contextlib.suppress(Lacks):
            for row in system.stopped(options.backlog):
                for _ in range(options.rounds):
                    yield from tried(system, partial(_drain, system, options, row))
        system.empty()


def history(systems: Sequence[System], options: Namespace) -> Measured:
    """Pick-ups in one round: they take as long as all the rest."""
    with filled(systems, lambda system: system.history(options.history)) as able:
        yield from _beside(able, options, rows.HISTORY, rows.HISTORY_P99)
        if connection.vendor == "postgresql":
            with open_reader():
                yield from _beside([one for one in able if one.label == rows.OURS], options, rows.READER, rows.READER_P99)


def _beside(systems: Sequence[System], options: Namespace, drained: Row, p99: Row) -> Measured:
    for _, system in turns(systems, options.rounds):
        yield from tried(system, partial(_drain, system, options, drained))
    for system in systems:
        yield from tried(system, lambda system=system: {p99: _p99(system, options.samples)})


def _p99(system: System, samples: int) -> float:
    with system.idle_workers():
        return percentile(picked_up(system, samples)[0], 0.99)


def growth(systems: Sequence[System], options: Namespace) -> Measured:
    for row, pending in ((rows.CLAIM, 1000), (rows.CLAIM_OF_MANY, options.pending)):
        with filled(systems, lambda system, pending=pending: system.pending(pending)) as able:
            for _, system in turns(able, options.rounds):
                yield from tried(system, lambda row=row, system=system: {row: system.claim_cost()})


def busy(systems: Sequence[System], options: Namespace) -> Measured:
    """Once, and all at the same time: some get the job back after a minute, or never."""
    with contextlib.ExitStack() as stack:
        for system in systems:
            system.empty()
            stack.enter_context(system.idle_workers())
        seen.forget()
        names = {system: f"busy-{number}" for number, system in enumerate(systems)}
        for system, name in names.items():
            system.doze(name, 10)
        killed = {system: kill([seen.named(name, 1, 30)[0].pid]) for system, name in names.items()}
        for system, name in names.items():
            waited = (time.time_ns() - killed[system]) / 1e9
            again = partial(since, killed[system], name, 2, options.patience, most=options.patience - waited)
            yield from tried(system, lambda again=again: {rows.BUSY_KILLED: again()})


def host(systems: Sequence[System], options: Namespace) -> Measured:
    """Once. A second cluster stands for another host: only the lease tells it that the first one is dead."""
    for system in systems:
        if system.leases:
            yield from tried(system, partial(_host, system))


def _host(system: System) -> Found:
    system.empty()
    seen.forget()
    with system.workers(PIPELINE_LEASE_SECONDS="5") as roots:
        system.doze("lost", 3)
        seen.wait_for(1)
        killed = kill([pid for root in roots for pid in tree(root)])  # top down, so that nobody can hand the job back
        with system.workers(PIPELINE_LEASE_SECONDS="5"):
            return {rows.HOST_DEAD: since(killed, "lost", 2, 30)}


def sleeps(systems: Sequence[System], options: Namespace) -> Measured:
    """Once: seconds from before the first is queued until the last goes on."""
    for system in systems:
        if system.waits_without_worker:
            yield from tried(system, partial(_sleeps, system))


def _sleeps(system: System) -> Found:
    system.empty()
    with system.idle_workers():
        seen.forget()
        began = time.time_ns()
        system.sleep_many([f"sleep-{number}" for number in range(1000)], 20)
        return {rows.SLEEPS: (max(mark.at for mark in seen.wait_for(1000, 120)) - began) / 1e9}


# ---- shared ------------------------------------------------------------------------------------------------------------
def turns(systems: Iterable[System], rounds: int) -> Iterator[tuple[int, System]]:
    for number in range(rounds):
        for system in systems:
            yield number, system


def tried(system: System, measure: Callable[[], Found]) -> Measured:
    """What it finds. A failure is told, and ends only this measurement."""
    try:
        yield system, measure()
    except AssertionError as error:
        print(f"{system.label}: {error}\n{system.log.read_text()[-1500:]}", file=sys.stderr)
        yield system, {}


@contextlib.contextmanager
def filled(systems: Sequence[System], fill: Callable[[System], None]) -> Iterator[list[System]]:
    """The systems that have such rows."""
    able = []
    for system in systems:
        system.empty()
        with contextlib.suppress(Lacks):
            fill(system)
            able.append(system)
    yield able
    for system in able:
        system.empty()


def _drain(system: System, options: Namespace, row: Row, bulk: bool = False) -> Found:
    speed, put = drained(system, int(options.runs * system.share))
    return {row: speed} | ({rows.BULK: put} if bulk else {})


def picked_up(system: System, samples: int) -> tuple[list[float], list[float]]:
    """For single jobs and idle workers, in ms: from the commit to the handler's first line, and the time of each put."""
    committed, took = {}, []
    warm = len(seen.wait_for(1))
    for number in range(samples):
        name = f"pick-{number}"
        began, committed[name] = system.put_timed(name)
        took.append((committed[name] - began) / 1e6)
        time.sleep(0.05 + number % 7 / 100)  # never in step with anybody's polling
    at = {mark.name: mark.at for mark in seen.wait_for(warm + samples)}
    return [(at[name] - moment) / 1e6 for name, moment in committed.items()], took


def drained(system: System, runs: int) -> tuple[float, float]:
    """Runs per second, from the first handler's start to the last one's, and puts per second before that."""
    seen.forget()
    began = time.perf_counter()
    system.put_many([f"drain-{number}" for number in range(runs)])
    took = time.perf_counter() - began
    with system.workers():
        at = [mark.at for mark in seen.wait_for(runs, 120)]
    return (len(at) - 1) / ((max(at) - min(at)) / 1e9), runs / took


def kill(pids: list[int]) -> int:
    """Returns when it began, in ns since the epoch."""
    began = time.time_ns()
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return began


def since(killed: int, name: str, times: int, patience: float, most: float | None = None) -> float:
    """Seconds from the kill until the job had begun so many times. `most`: how long to wait for that from now on."""
    try:
        return (seen.named(name, times, patience if most is None else max(most, 0))[times - 1].at - killed) / 1e9
    except AssertionError:
        return MoreThan(patience)


@contextlib.contextmanager
def open_reader() -> Iterator[None]:
    """Keep a transaction open: its snapshot prevents the removal of dead rows."""
    reader = connection.copy()
    try:
        with reader.cursor() as cursor:
            cursor.execute("SET idle_in_transaction_session_timeout = 0")  # the product's setting would end it after a lease
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SELECT count(*) FROM django_migrations")
            yield
            cursor.execute("SELECT 1")  # fails if the transaction did not stay open
    finally:
        reader.close()


def committed() -> int:
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]
