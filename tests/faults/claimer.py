"""Claims and executes runs until none is left. Prints each run and the number of running runs after its claim."""

import time

import django

django.setup()

from pipeline.engine.execution import executor  # noqa: E402
from pipeline.engine.queue.claim import claim  # noqa: E402
from pipeline.engine.workers.processes import register_worker  # noqa: E402
from pipeline.models import Run  # noqa: E402
from pipeline.states import RunStatus  # noqa: E402

worker = register_worker()
while Run.objects.live().exists():
    claimed = claim(worker)
    if claimed is None:
        time.sleep(0.005)  # all slots are in use: leave the processor to them
        continue
    run, lease = claimed
    print(run.pk, Run.objects.filter(status=RunStatus.RUNNING).count(), flush=True)
    executor.execute(run, lease, stopping=lambda: False)
