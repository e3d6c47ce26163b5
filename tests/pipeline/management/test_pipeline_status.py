"""pipeline_status tells people and monitors whether the pipeline is healthy."""

import json
from io import StringIO

import pytest
from django.core.management import call_command

from pipeline import api
from pipeline.engine.workers.inline import work_off
from tests.factories import make_brand

pytestmark = pytest.mark.django_db(transaction=True)


def status(*arguments):
    out = StringIO()
    try:
        call_command("pipeline_status", *arguments, stdout=out)
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


def test_a_pipeline_with_a_worker_is_healthy_and_lists_its_work():
    brand = make_brand("Acme")
    api.queue_one_time_job(brand.pk, "toy", {"ends": "permanent"})
    work_off()
    run = api.queue_one_time_job(brand.pk, "toy").run
    code, words = status()
    assert code == 0
    assert words.startswith(
        "Healthy.\nWorkers: 1. Runs: 0 running, 0 at a data source, 1 queued, 0 scheduled for later. Oldest due: "
    )
    assert f"Run {run.pk}, Queued: Next in the queue." in words
    assert "Never: Toys of all (Acme). Never fetched." in words
    assert "1 failed in 24 h. Spent and reserved today: $0.00 of $50.00." in words


def test_a_pipeline_without_a_worker_is_unhealthy():
    code, words = status()
    assert code == 1
    assert words.startswith("Unhealthy. No worker has ever reported.")
    code, words = status("--json")
    seen = json.loads(words)
    assert (code, seen["healthy"], seen["workers"], seen["oldest_due_seconds"]) == (1, False, 0, 0.0)
