"""The django-q2 code that we override has not changed; and how a worker begins."""

import hashlib
import inspect
import multiprocessing
import sys
import uuid
from importlib.metadata import version

import pytest
from django.db import connections
from django_q import cluster, worker

from pipeline.engine.workers.claim_queue import ClaimQueue
from pipeline.models import Worker

DIGESTS = {  # of django-q2 1.11.1
    "Cluster": (cluster.Cluster, "d097de7769292737"),
    "Sentinel": (cluster.Sentinel, "c0b74dbb593ec17f"),
    "worker": (worker.worker, "b30d59f639b088ea"),
}


def digest(thing):
    return hashlib.sha256(inspect.getsource(thing).encode()).hexdigest()[:16]


@pytest.mark.parametrize("name", DIGESTS)
def test_the_code_that_we_override_has_not_changed(name):
    thing, known = DIGESTS[name]
    assert digest(thing) == known, (
        f"django-q2 {version('django-q2')} has another {name} than the one that pipeline/engine/workers/cluster.py was"
        " written for. Read it again (stop, spawn_*, reincarnate, guard; what the worker loop does with get() and the"
        " timer), adapt cluster.py, then put the new digest here."
    )


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_stopped_before_it_has_begun_ends_without_an_error():
    queue = ClaimQueue(uuid.uuid4())

    def work():
        queue._terminate(0, None)  # like a SIGTERM before it has registered
        sys.exit(0 if queue.get() == "STOP" else 1)

    connections.close_all()  # nothing open may be shared through the fork
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    queue.put("STOP")
    process.join(30)
    assert process.exitcode == 0
    assert not Worker.objects.exists()
