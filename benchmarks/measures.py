"""The measurements of each system. Each starts with an empty system and leaves no process behind."""

import contextlib
import os
import signal
import time
from argparse import Namespace
from collections.abc import Callable, Iterator

from django.db import connection

from benchmarks import rows
from benchmarks.marks import seen
from benchmarks.rows import MoreThan, Row
from benchmarks.scratch import cpu_seconds, percentile, percentiles, tree
from benchmarks.system import Lacks, System

Figures = dict[Row, float]
IDLE_PATIENCE = 10  # seconds to wait for the next job after all idle workers were killed


def pickup(system: System, options: Namespace) -> Figures:
    system.empty()
    began = time.perf_counter()
    for number in range(options.samples):
        system.put(f"put-{number}")
    enqueue = (time.perf_counter() - began) / options.samples * 1000
    system.empty()
    late, took = picked_up(system, options.samples)
    latencies = dict(zip((rows.P50, rows.P95, rows.LONGEST), percentiles(late), strict=True))
    # A single click takes longer than one of many, because the web process's caches are cold.
    clicks = {rows.CLICK_P50: percentile(took, 0.5), rows.CLICK_P95: percentile(took, 0.95)}
    return latencies | {rows.ENQUEUE: enqueue} | clicks


def drain(system: System, options: Namespace) -> Figures:
    system.empty()
    speed, bulk = drained(system, options.runs)
    return {rows.DRAIN: speed} | ({rows.BULK: bulk} if system.bulk else {})


def backlog(system: System, options: Namespace) -> Figures:
    system.empty()
    system.backlog(options.backlog)
    return {rows.BACKLOG: drained(system, options.runs)[0]}


def saturated(system: System, options: Namespace) -> Figures:
    system.empty()
    system.saturated(options.backlog)
    return {rows.SATURATED: drained(system, options.runs)[0]}


def history(system: System, options: Namespace) -> Figures:
    """With a history of completed jobs, then also with an open reader; only the reader if a system has no history."""
    system.empty()
    figures: Figures = {}
    with contextlib.suppress(Lacks):
        system.history(options.history)
        figures[rows.HISTORY] = drained(system, options.runs)[0]
        figures[rows.HISTORY_P99] = percentile(picked_up(system, options.samples)[0], 0.99)
    if connection.vendor == "postgresql":
        with open_reader():
            figures[rows.READER] = drained(system, options.runs)[0]
            figures[rows.READER_P99] = percentile(picked_up(system, options.samples)[0], 0.99)
    return figures


def idle(system: System, options: Namespace) -> Figures:
    system.empty()
    with system.idle_workers() as roots:
        time.sleep(3)  # let the start finish
        pids = [pid for root in roots for pid in tree(root)]
        began, commits, spent = time.monotonic(), committed(), cpu_seconds(pids)
        time.sleep(options.idle)
        minutes = (time.monotonic() - began) / 60
        figures = {rows.IDLE_CPU: (cpu_seconds(pids) - spent) / minutes}
        if connection.vendor == "postgresql":
            figures[rows.IDLE_TRANSACTIONS] = (committed() - commits) / minutes
        return figures


def busy(system: System, options: Namespace) -> Figures:
    system.empty()
    with system.idle_workers():
        seen.forget()
        system.doze("busy", 3)
        return {rows.BUSY_KILLED: since_kill([seen.wait_for(1)[0].pid], 2, options.patience)}


def killed(system: System, options: Namespace) -> Figures:
    system.empty()
    with system.idle_workers() as roots:
        seen.forget()
        pids = system.worker_pids(roots)
        return {rows.IDLE_KILLED: since_kill(pids, 1, min(options.patience, IDLE_PATIENCE), lambda: system.put("next"))}


def host(system: System, options: Namespace) -> Figures:
    """A second cluster stands for another host: only the lease tells it that the first one is dead."""
    if not system.leases:
        raise Lacks
    system.empty()
    seen.forget()
    with system.workers(PIPELINE_LEASE_SECONDS="5") as roots, contextlib.ExitStack() as other:
        system.doze("lost", 3)
        seen.wait_for(1)
        everything = [pid for root in roots for pid in tree(root)]  # top down, so that nobody can hand the job back

        def start_another() -> None:
            other.enter_context(system.workers(PIPELINE_LEASE_SECONDS="5"))

        return {rows.HOST_DEAD: since_kill(everything, 2, 30, start_another)}


def sleeps(system: System, options: Namespace) -> Figures:
    """Seconds from before the first is queued until the last goes on."""
    if not system.waits_without_worker:
        raise Lacks
    system.empty()
    with system.idle_workers():
        seen.forget()
        began = time.time_ns()
        system.sleep_many([f"sleep-{number}" for number in range(1000)], 20)
        return {rows.SLEEPS: (max(mark.at for mark in seen.wait_for(1000, 120)) - began) / 1e9}


# ---- shared ------------------------------------------------------------------------------------------------------------
def picked_up(system: System, samples: int) -> tuple[list[float], list[float]]:
    """For single jobs and idle workers, in ms: from the commit to the handler's first line, and the time of each put."""
    committed, took = {}, []
    with system.idle_workers():
        warm = len(seen.wait_for(1))
        for number in range(samples):
            began = time.time_ns()
            system.put(f"pick-{number}")
            committed[f"pick-{number}"] = time.time_ns()
            took.append((committed[f"pick-{number}"] - began) / 1e6)
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
        at = [mark.at for mark in seen.wait_for(runs, 300)]
    return (len(at) - 1) / ((max(at) - min(at)) / 1e9), runs / took


def since_kill(pids: list[int], marks: int, patience: float, then: Callable[[], object] = lambda: None) -> float:
    """Seconds from the kill to mark number `marks`."""
    began = time.time_ns()
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    then()
    try:
        return (seen.wait_for(marks, patience)[marks - 1].at - began) / 1e9
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
