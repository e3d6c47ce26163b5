"""Work in this process instead of on a worker: the pages' legacy mode, and `run_job --direct`.

The run is inserted already running, with a lease and a heartbeat like any other. The work has a thread of its own, so a
closed tab stops nothing; if the process dies the lease lapses and a worker resumes it.
"""

import atexit
import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from ..contract.registry import longest_work
from ..engine.execution import executor
from ..engine.lifecycle.lease import Lease
from ..engine.workers.heartbeat import Heartbeat
from ..engine.workers.processes import register_worker
from ..models import Run, Worker
from .enqueue import Queued, take_at_once

LONGEST_WAIT = timedelta(hours=2)  # here waiting upstream is part of the attempt
_stopping = threading.Event()
_guard = threading.Lock()
_heartbeat: Heartbeat | None = None
_threads: set[threading.Thread] = set()


def start_here(
    brand_id: UUID | str | None, job_type: str, parameters: dict[str, Any] | None, *, mode: str, created_by: Any = None
) -> Queued:
    """Begin the work in a thread of its own and return at once. `created` False: a live run already held the key."""
    heartbeat = _beating(Worker.Kind.WEB if mode == Run.Mode.LEGACY else Worker.Kind.COMMAND)
    queued, lease = take_at_once(brand_id, job_type, parameters, worker=heartbeat.worker, mode=mode, created_by=created_by)
    if lease:
        thread = threading.Thread(target=_work, args=(queued.run.pk, lease, heartbeat), name=f"run {queued.run.pk}", daemon=True)
        _threads.add(thread)
        thread.start()
    return queued


def hand_back_all(seconds: float = 10) -> None:
    """Hand back what runs here and stop the heartbeat: this process ends, or begins anew with its next start_here()."""
    global _heartbeat
    _stopping.set()  # the threads hand their runs back at their next step
    for thread in list(_threads):
        thread.join(seconds)
    with _guard:
        if _heartbeat is not None:
            _heartbeat.stop()
            _heartbeat.join(seconds)
            _heartbeat = None
    _stopping.clear()


def _beating(kind: str) -> Heartbeat:
    global _heartbeat
    with _guard:
        if _heartbeat is None or not _heartbeat.is_alive():
            _heartbeat = Heartbeat(register_worker(kind))
            _heartbeat.start()
            atexit.unregister(hand_back_all)
            atexit.register(hand_back_all)
        return _heartbeat


def _work(run_id: int, lease: Lease, heartbeat: Heartbeat) -> None:
    try:
        run = Run.objects.select_related("brand", "job").get(pk=run_id)
        heartbeat.hold(lease, longest_work(run.job_type) + LONGEST_WAIT)
        executor.execute(run, lease, stopping=_stopping.is_set, waits_here=True)
    finally:
        heartbeat.release(lease)
        connection.close()
        _threads.discard(threading.current_thread())
