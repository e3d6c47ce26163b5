"""The worst upstreams, while workers have other work to do."""

import contextlib
import socket
import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from pipeline import api
from pipeline.models import Run, SourceState, UpstreamRun
from pipeline.states import Outcome, RunStatus
from tests.factories import make_orphan
from tests.processes import cluster, reached, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults, pytest.mark.alone]


@contextlib.contextmanager
def silent():
    """A server that accepts every connection and never answers. Yields its address and the accepted connections."""
    listening, taken = socket.create_server(("127.0.0.1", 0)), []

    def accept():
        with contextlib.suppress(OSError):
            while True:
                taken.append(listening.accept()[0])

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", taken
    finally:
        for connection in [listening, *taken]:
            connection.close()


def test_an_upstream_that_never_answers_takes_nobodys_lease(brand, tmp_path):
    """F13: an upstream that never answers costs no run its lease, neither the waiting run nor any other."""
    waiting = make_orphan()
    later = timezone.now() + timedelta(hours=1)
    Run.objects.filter(pk=waiting.pk).update(status="waiting", completed_at=None, due_at=later)
    UpstreamRun.objects.update(deadline=later)
    SourceState.objects.create(source="apify", next_poll_at=timezone.now())
    with silent() as (url, taken), cluster(tmp_path / "log", PIPELINE_LEASE_SECONDS="3", APIFY_API_URL=url, APIFY_TOKEN="t"):
        until(lambda: len(taken) >= 2, "both workers to wait for an answer")
        run = api.queue_one_time_job(brand.pk, "toy", {"works": 10}).run
        until(reached(run, RunStatus.RUNNING), "other work to begin")
        lapses = run.lease_expires_at
        until(lambda: Run.objects.get(pk=run.pk).lease_expires_at > lapses, "its lease to be renewed meanwhile", 5)
        until(reached(run, RunStatus.COMPLETED), "the end of other work", 30)
    assert [attempt.outcome for attempt in run.attempts.all()] == [Outcome.COMPLETED]
    waiting.refresh_from_db()
    assert waiting.status == RunStatus.WAITING
