"""For tests of job types: work off what is due in this process, without a cluster."""

from collections.abc import Callable

from . import claims, executor
from .engine.lifecycle.lease import Lease
from .heartbeat import register_worker
from .models import Run, Worker


def work_one(worker: Worker | None = None, *, stopping: Callable[[], bool] = lambda: False) -> Run | None:
    """Claim the next due run and execute it here; the run afterwards, None where nothing was due."""
    claimed = claims.claim(worker or register_worker())
    if claimed is None:
        return None
    run, attempt = claimed
    executor.execute(run, Lease(run.pk, attempt.lease_token, attempt.pk), stopping=stopping)
    return Run.objects.get(pk=run.pk)


def work_off(at_most: int = 100) -> list[Run]:
    """Work until nothing is due."""
    worker = register_worker()
    done: list[Run] = []
    while len(done) < at_most and (run := work_one(worker)):
        done.append(run)
    return done
