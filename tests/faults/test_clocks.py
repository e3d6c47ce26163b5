"""A host's clock jumps while its workers work."""

import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from pipeline import api
from pipeline.models import Run
from pipeline.states import RunStatus
from tests.machine import faketime
from tests.processes import cluster, reached, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]
HOUR = 3600


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_a_clock_that_jumps_by_an_hour_loses_and_repeats_nothing(brand, tmp_path, jump):
    """PostgreSQL does not notice: leases and due times use the database's clock. SQLite has only the host's clock."""
    clock = tmp_path / "clock"
    clock.write_text("+0")
    environment = {
        "LD_PRELOAD": str(faketime()),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "PYTHONPATH": str(Path(__file__).parent / "jumping_clock"),
    }

    def clock_seen(run):
        """How far the clock that the handler logged was ahead of ours."""
        line = run.logs.filter(message__startswith="By this host's clock").last()
        return float(line.message.split()[-1].rstrip(".")) - time.time()

    with cluster(tmp_path / "log", **environment) as workers:
        before = {worker.pid for worker in workers.workers()}
        at_work = api.queue_one_time_job(brand.pk, "toy", {"name": "at work", "works": 3, "tells": True}).run
        until(reached(at_work, RunStatus.RUNNING), "the run to begin")
        clock.write_text(f"{jump:+}")
        until(reached(at_work, RunStatus.COMPLETED), "its end", 20)
        assert abs(clock_seen(at_work) - jump) < 60, "the jump did not reach the worker"
        for name in ("next", "after next"):
            run = api.queue_one_time_job(brand.pk, "toy", {"name": name, "works": 0.1}).run
            if connection.vendor == "sqlite":  # clicked on the host whose clock jumped
                Run.objects.filter(pk=run.pk).update(due_at=timezone.now() + timedelta(seconds=jump))
            until(reached(run, RunStatus.COMPLETED), "the run after the jump", 20)
        assert {worker.pid for worker in workers.workers()} == before
        assert workers.stop() == 0
    assert at_work.logs.filter(message__startswith="Completed").count() == 1
    assert at_work.steps.count() == 1
    if connection.vendor == "postgresql":
        assert at_work.attempts.count() == 1
