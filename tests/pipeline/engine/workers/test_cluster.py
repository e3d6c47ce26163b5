"""The overridden parts of django-q2 are those that were read; and how a worker begins."""

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

READ = {  # of django-q2 1.11.1
    "Cluster": (cluster.Cluster, "d097de7769292737"),
    "Sentinel": (cluster.Sentinel, "c0b74dbb593ec17f"),
    "worker": (worker.worker, "b30d59f639b088ea"),
}


def digest(thing):
    return hashlib.sha256(inspect.getsource(thing).encode()).hexdigest()[:16]


@pytest.mark.parametrize("name", READ)
def test_what_we_override_is_what_we_read(name):
    thing, known = READ[name]
    assert digest(thing) == known, (
        f"django-q2 {version('django-q2')} has another {name} than the one that pipeline/cluster.py was written"
        " against. Read it again"
        " (stop, spawn_*, reincarnate, guard; what the worker loop does with get() and the timer), adapt, then put"
        " the new digest here."
    )


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_stopped_before_it_has_begun_ends_without_an_error():
    queue = ClaimQueue(uuid.uuid4())

    def work():
        queue._terminate(0, None)  # as by a SIGTERM just before its row
        sys.exit(0 if queue.get() == "STOP" else 1)

    connections.close_all()  # nothing open may be shared through the fork
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    queue.put("STOP")
    process.join(30)
    assert process.exitcode == 0
    assert not Worker.objects.exists()
