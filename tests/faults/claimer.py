"""Claims and executes until nothing is left; prints each run with how many were running right after its claim."""

import time

import django

from pipeline import claims
from pipeline.engine.lifecycle.lease import Lease

django.setup()

from pipeline import executor  # noqa: E402
from pipeline.heartbeat import register_worker  # noqa: E402
from pipeline.models import Run  # noqa: E402
from pipeline.states import RunStatus  # noqa: E402

worker = register_worker()
while Run.objects.live().exists():
    claimed = claims.claim(worker)
    if claimed is None:
        time.sleep(0.005)  # all slots are taken: their holders need the processor
        continue
    run, attempt = claimed
    print(run.pk, Run.objects.filter(status=RunStatus.RUNNING).count(), flush=True)
    executor.execute(run, Lease(run.pk, attempt.lease_token, attempt.pk), stopping=lambda: False)
