"""A worker's process: it dies with its parent, and has a row of its own."""

import ctypes
import os
import signal
import socket
from uuid import UUID

from django.conf import settings

from ...models import Worker
from .. import database

PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies. Exit if the parent is already dead."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def register_worker(kind: str = Worker.Kind.WORKER, cluster: UUID | None = None) -> Worker:
    """A new row for this process at each start, since pids and host names are reused."""
    at = database.now()
    return Worker.objects.create(
        host=socket.gethostname(),
        pid=os.getpid(),
        release=settings.RELEASE,
        kind=kind,
        cluster=cluster,
        started_at=at,
        last_seen_at=at,
    )
