"""Work in this process instead of on a worker: the pages' legacy mode, and `run_job --direct`.

The run is inserted already running, with a lease and a heartbeat like any other. It works in its own thread, so a closed
tab stops nothing. If the process dies, the lease expires and a worker resumes the run.
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
from .enqueue import Queued, take_at_once, take_queued

LONGEST_WAIT = timedelta(hours=2)  # waiting upstream is part of the attempt here
_stopping = threading.Event()
_guard = threading.Lock()
_heartbeat: Heartbeat | None = None
_threads: set[threading.Thread] = set()


def start_here(
    brand_id: UUID | str | None,
    job_type: str,
    parameters: dict[str, Any] | None,
    *,
    mode: str,
    created_by: Any = None,
    reuse: bool = False,
    pay: bool = True,
) -> Queued:
    """Start the work in its own thread and return at once. `created` is False if a live run already had the key.

    If the web server already does as much as it can, the run is queued for the workers: its mode is then WORKER.
    `reuse` and `pay` as in queue_one_time_job.
    """
    heartbeat = _beating(Worker.Kind.WEB if mode == Run.Mode.LEGACY else Worker.Kind.COMMAND)
    options: dict[str, Any] = {"mode": mode, "created_by": created_by, "reuse": reuse, "pay": pay}
    queued, lease = take_at_once(brand_id, job_type, parameters, worker=heartbeat.worker, **options)
    if lease:
        _in_thread(queued.run.pk, lease, heartbeat)
    return queued


def work_here(job_type: str) -> int:
    """Do the queued runs of this type that are due, one after another. Returns how many these were."""
    heartbeat, done = _beating(Worker.Kind.COMMAND), 0
    while lease := take_queued(job_type, heartbeat.worker):
        _in_thread(lease.run_id, lease, heartbeat).join()
        done += 1
    return done


def _in_thread(run_id: int, lease: Lease, heartbeat: Heartbeat) -> threading.Thread:
    thread = threading.Thread(target=_work, args=(run_id, lease, heartbeat), name=f"run {run_id}", daemon=True)
    _threads.add(thread)
    thread.start()
    return thread


def hand_back_all(seconds: float = 10) -> None:
    """Give the runs of this process back to the workers and stop its heartbeat. The next start_here() starts a new one."""
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
