"""pipeline_status tells people and monitors whether the pipeline is healthy."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from pipeline import api
from pipeline.engine.queue.claim import claim
from pipeline.engine.workers.inline import work_off
from pipeline.engine.workers.processes import register_worker
from pipeline.models import Pause, Run, SourceState
from tests.factories import make_brand, make_orphan

pytestmark = pytest.mark.django_db(transaction=True)


def status(capsys, *arguments):
    try:
        call_command("pipeline_status", *arguments)
        code: Any = 0
    except SystemExit as end:
        code = end.code
    return code, capsys.readouterr().out


def test_a_site_with_a_worker_and_nothing_to_do_is_healthy(capsys):
    register_worker()
    code, out = status(capsys)
    assert (code, out.splitlines()[0]) == (0, "Healthy.")


def test_no_worker_is_unhealthy(capsys):
    """F21: to a monitor too."""
    code, out = status(capsys)
    assert code == 1
    assert "No worker has ever reported" in out


def test_work_that_waits_over_a_minute_is_unhealthy_and_named(capsys):
    register_worker()
    run = api.queue_one_time_job(None, "toy").run
    Run.objects.filter(pk=run.pk).update(due_at=timezone.now() - timedelta(minutes=5))
    code, out = status(capsys)
    assert code == 1
    assert f"Run {run.pk} has been due for 5 min" in out


def test_an_upstream_that_is_down_is_unhealthy_and_so_is_one_that_may_be_at_work_for_a_run_that_is_over(capsys):
    register_worker()
    closed = SourceState.objects.create(source="apify", blocked_until=timezone.now(), blocked_reason="Apify is down: HTTP 500.")
    code, out = status(capsys)
    assert (code, "Unhealthy. Apify is down: HTTP 500. Next check at" in out) == (1, True)
    closed.delete()
    run = make_orphan()
    code, out = status(capsys)
    assert (code, f"Run {run.pk} has ended, but its Apify run may still cost money" in out) == (1, True)
    run.upstream_runs.update(status="intent", upstream_id=None)
    code, out = status(capsys)
    assert (code, f"It is not known what run {run.pk} started at Apify" in out) == (1, True)


def test_work_that_is_kept_back_for_a_reason_is_healthy_and_hides_no_other(capsys):
    register_worker()
    api.queue_one_time_job(None, "toy", {"name": "paused"})
    Run.objects.update(due_at=timezone.now() - timedelta(minutes=9))
    Pause.objects.create(job_type="toy")
    code, out = status(capsys)
    assert code == 0
    assert "Paused by the system" in out
    other = api.queue_one_time_job(None, "toy", {"name": "other"}).run
    Run.objects.filter(pk=other.pk).update(job_type="marble", due_at=timezone.now() - timedelta(minutes=5))
    code, out = status(capsys)
    assert code == 1
    assert f"Run {other.pk} has been due for 5 min" in out


def test_a_run_whose_code_is_not_deployed_is_unhealthy_and_named(capsys):
    register_worker()
    run = api.queue_one_time_job(None, "toy").run
    for state in ("pending", "waiting"):
        Run.objects.update(status=state, job_type="vanished", due_at=timezone.now() - timedelta(minutes=5))
        code, out = status(capsys)
        assert code == 1
        assert f"Run {run.pk} has been due for 5 min. Nothing here has code for the job type 'vanished'" in out


def test_the_workers_are_named_by_pid_with_what_they_work_on(capsys):
    """What a person needs who is about to end one of them."""
    busy, idle = register_worker(), register_worker()
    run = api.queue_one_time_job(None, "toy").run
    claim(busy)
    _, out = status(capsys)
    assert f"Worker {busy.pid} on {busy.host}: at work on run {run.pk}" in out
    assert f"Worker {idle.pid} on {idle.host}: idle" in out
    _, out = status(capsys, "--json")
    assert {one["run"] for one in json.loads(out)["worker_processes"]} == {run.pk, None}


def test_json_has_the_figures(capsys):
    api.queue_one_time_job(None, "toy", {"ends": "permanent"})
    work_off()
    code, out = status(capsys, "--json")
    figures = json.loads(out)
    assert (code, figures["healthy"], figures["failed_24h"], figures["workers"]) == (0, True, 1, 1)


def test_a_pipeline_with_a_worker_is_healthy_and_lists_its_work(capsys):
    brand = make_brand("Acme")
    api.queue_one_time_job(brand.pk, "toy", {"ends": "permanent"})
    work_off()
    run = api.queue_one_time_job(brand.pk, "toy").run
    code, words = status(capsys)
    assert code == 0
    assert words.startswith(
        "Healthy.\nWorkers: 1. Runs: 0 running, 0 being fetched, 1 queued, 0 scheduled for later. Oldest due: "
    )
    assert f"Run {run.pk}, Queued: Next in the queue." in words
    assert "Never: Toys of all (Acme). Never refreshed." in words
    assert "1 failed in 24 h. Spent and reserved today: $0.00 of $50.00." in words
