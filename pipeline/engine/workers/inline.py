"""For tests of job types: executes due runs in this process, without a cluster."""

from collections.abc import Callable

from ...models import Run, Worker
from ..execution import executor
from ..queue.claim import claim
from .processes import register_worker


def work_one(worker: Worker | None = None, *, stopping: Callable[[], bool] = lambda: False) -> Run | None:
    """Claim the next due run and execute it here. Returns the run afterwards, None if nothing was due."""
    claimed = claim(worker or register_worker())
    if claimed is None:
        return None
    run, lease = claimed
    executor.execute(run, lease, stopping=stopping)
    return Run.objects.get(pk=run.pk)


def work_off(at_most: int = 100) -> list[Run]:
    """Execute runs until nothing is due."""
    worker = register_worker()
    done: list[Run] = []
    while len(done) < at_most and (run := work_one(worker)):
        done.append(run)
    return done
