"""Keeps a cluster alive: replaces it when its parent or sentinel died, or when it is up but deaf.

The cluster has a process group of its own, so that it can be ended whole. If the supervisor itself is killed, the kernel
ends the cluster with it, link by link (PDEATHSIG), and systemd or compose starts the supervisor again.
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
STOPS = (signal.SIGTERM, signal.SIGINT)
LOOK_SECONDS = 0.25
DEAF_SECONDS = 10.0  # a run could be claimed, a worker is idle, and for so long none did
QUICK_DEATH_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 30.0


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
    for number in STOPS:
        signal.signal(number, on_signal)
    quick_deaths = 0
    while not stop.is_set():
        began = time.monotonic()
        current.start()
        why = _watch(current, stop)
        if stop.is_set():
            current.ask_to_stop()  # again: the signal may have come while it was being started
        current.end(settings.PIPELINE_GRACE_SECONDS + 10 if stop.is_set() else 0)
        if stop.is_set():
            return
        quick_deaths = quick_deaths + 1 if time.monotonic() - began < QUICK_DEATH_SECONDS else 0
        pause = min(2.0**quick_deaths - 1, LONGEST_PAUSE_SECONDS)
        logger.error("%s A new cluster starts%s.", why, f" in {pause:g} s" if pause else "")
        stop.wait(pause)


def prepare_statements() -> None:
    """From now on PostgreSQL plans this process's statements once per connection: a worker's are few and come again and again.

    Not for web processes: a statement may then have 65,535 values at most, which deleting a brand in the admin can exceed.
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
        # A signal meanwhile waits until the child no longer has our handlers, which would take it and stop nothing there.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        self.process.start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)

    def alive(self) -> bool:
        return self.process is not None and self.process.is_alive()

    def ask_to_stop(self) -> None:
        if self.alive():
            os.kill(self.process.pid, signal.SIGTERM)

    def end(self, seconds: float) -> None:
        """Give it that long, then kill what is left of the group, and hand back what its workers held."""
        self.process.join(seconds)
        self.kill()
        self.process.join()
        try:
            for worker in Worker.objects.filter(cluster=self.id, stopped_at=None):
                by_death.lose_worker(worker, signal.SIGKILL)
        except Exception as error:  # noqa: BLE001  of one run: a new cluster is to start
            logger.warning("The dead cluster's runs could not be handed back, their leases will lapse: %r", error)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)


def _be_cluster(supervisor: int, cluster_id: uuid.UUID) -> None:
    for number in STOPS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    os.setpgid(0, 0)
    die_with_parent(supervisor)
    run_cluster(cluster_id)


def _watch(group: Group, stop: threading.Event) -> str:
    """Returns when the cluster has to be ended, with the reason."""
    deaf_since: float | None = None
    looked = time.monotonic()
    while not stop.wait(LOOK_SECONDS):
        if not group.alive():
            return f"The cluster died (exit code {group.process.exitcode})."
        if time.monotonic() - looked < DEAF_SECONDS / 5:
            continue
        looked = time.monotonic()
        if not _could_work(group.id, timedelta(seconds=looked - deaf_since if deaf_since else 0)):
            deaf_since = None
        elif deaf_since is None:
            deaf_since = looked
        elif looked - deaf_since > DEAF_SECONDS:
            return f"For {DEAF_SECONDS:g} s a run could be claimed and an idle worker did not."
    return ""


def _could_work(cluster_id: uuid.UUID, lately: timedelta) -> bool:
    """By the claim's own predicate: something is claimable, and a worker of this cluster has nothing to do.

    Nor took any of them something lately: between two short runs each looks as if it had nothing to do.
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
