"""Keeps a cluster alive: replaces it when its parent or sentinel died, or when it is up but claims nothing.

The cluster has its own process group, so that it can be killed as a whole. If the supervisor is killed, the kernel kills the
cluster too, process by process (PDEATHSIG), and systemd or compose starts the supervisor again.
"""

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
import time
import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection, connections

from ...models import Attempt, Run, Worker
from ...states import RunStatus
from ..database import now
from ..lifecycle import by_death
from ..queue.claim import claimable
from .cluster import run_cluster
from .processes import die_with_parent

logger = logging.getLogger(__name__)
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
WATCH_SECONDS = 0.25
STUCK_SECONDS = 10.0  # a run is ready and a worker is idle, but nothing was claimed for this long
QUICK_DEATH_SECONDS = 5.0
MAX_RESTART_PAUSE_SECONDS = 30.0


def supervise() -> None:
    """Run until SIGTERM or SIGINT. A second signal ends everything at once."""
    stop = threading.Event()

    def on_signal(signum: int, frame: Any) -> None:
        if stop.is_set():
            current.kill()
            os._exit(128 + signum)
        stop.set()
        current.ask_to_stop()

    prepare_statements()
    current = Group()
    for number in STOP_SIGNALS:
        signal.signal(number, on_signal)
    quick_deaths = 0
    while not stop.is_set():
        began = time.monotonic()
        current.start()
        why = _watch(current, stop)
        if stop.is_set():
            current.ask_to_stop()  # again: the signal may have come while the cluster was starting
        current.end(settings.PIPELINE_GRACE_SECONDS + 10 if stop.is_set() else 0)
        if stop.is_set():
            return
        quick_deaths = quick_deaths + 1 if time.monotonic() - began < QUICK_DEATH_SECONDS else 0
        pause = min(2.0**quick_deaths - 1, MAX_RESTART_PAUSE_SECONDS)
        logger.error("%s A new cluster starts%s.", why, f" in {pause:g} s" if pause else "")
        stop.wait(pause)


def prepare_statements() -> None:
    """From now on PostgreSQL plans this process's statements once per connection: a worker repeats a few of them.

    Not for web processes: a prepared statement takes at most 65,535 values, and deleting a brand in the admin can need more.
    """
    if connection.vendor == "postgresql":
        connection.close()
        connection.settings_dict["OPTIONS"] |= {"server_side_binding": True, "prepare_threshold": 3}


class Group:
    """One cluster, in its own process group."""

    def __init__(self) -> None:
        self.process: Any = None
        self.id = uuid.uuid4()

    def start(self) -> None:
        self.id = uuid.uuid4()
        connections.close_all()  # nothing open may be shared through the fork
        self.process = multiprocessing.get_context("fork").Process(
            target=_be_cluster, args=(os.getpid(), self.id), name="cluster"
        )
        # Signals wait until the child has replaced our handlers, which would do nothing there.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        self.process.start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def alive(self) -> bool:
        return self.process is not None and self.process.is_alive()

    def ask_to_stop(self) -> None:
        if self.alive():
            os.kill(self.process.pid, signal.SIGTERM)

    def end(self, seconds: float) -> None:
        """Wait for that long, then kill what is left of the group and hand back its workers' runs."""
        self.process.join(seconds)
        self.kill()
        self.process.join()
        try:
            for worker in Worker.objects.filter(cluster=self.id, stopped_at=None):
                by_death.lose_worker(worker, signal.SIGKILL)
        except Exception as error:  # noqa: BLE001  the new cluster must start all the same
            logger.warning("The dead cluster's runs could not be handed back; other workers pick them up later: %r", error)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)


def _be_cluster(supervisor: int, cluster_id: uuid.UUID) -> None:
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    os.setpgid(0, 0)
    die_with_parent(supervisor)
    run_cluster(cluster_id)


def _watch(group: Group, stop: threading.Event) -> str:
    """Returns when the cluster has to be ended, with the reason; '' when it was asked to stop."""
    stuck_since: float | None = None
    checked = time.monotonic()
    while not stop.wait(WATCH_SECONDS):
        if not group.alive():
            return f"The cluster died (exit code {group.process.exitcode})."
        if time.monotonic() - checked < STUCK_SECONDS / 5:
            continue
        checked = time.monotonic()
        if not _could_work(group.id, timedelta(seconds=checked - stuck_since if stuck_since else 0)):
            stuck_since = None
        elif stuck_since is None:
            stuck_since = checked
        elif checked - stuck_since > STUCK_SECONDS:
            return f"A run was ready and a worker idle, but for {STUCK_SECONDS:g} s no run was started."
    return ""


def _could_work(cluster_id: uuid.UUID, lately: timedelta) -> bool:
    """Whether a run is claimable, a worker of this cluster is idle, and none of its workers claimed one within `lately`.

    Without the last condition, workers would seem idle between two short runs.
    """
    try:
        at = now()
        if not claimable() or Attempt.objects.filter(worker__cluster=cluster_id, started_at__gt=at - lately).exists():
            return False
        alive = Worker.objects.alive(at).filter(cluster=cluster_id)
        return alive.count() > Run.objects.filter(status=RunStatus.RUNNING, worker__cluster=cluster_id).count()
    except DatabaseError:
        with contextlib.suppress(DatabaseError):
            connection.close()
        return False  # the database is away: no cluster could do better
