"""The overridden parts of django-q2 are those that were read."""

import hashlib
import inspect
from importlib.metadata import version

import pytest
from django_q import cluster, worker

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
