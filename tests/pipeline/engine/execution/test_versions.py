"""A rolling deploy: old and new code work side by side, and neither misreads what the other recorded."""

from datetime import timedelta

import pytest
from django.utils import timezone

from pipeline import api
from pipeline.contract import get_type
from pipeline.engine.queue.claim import claim, claimable
from pipeline.engine.workers.inline import work_one
from pipeline.engine.workers.processes import register_worker
from pipeline.models import Run, RunLog
from pipeline.queries import explain
from pipeline.states import RunStatus
from tests.factories import make_brand

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def code(monkeypatch):
    """code(2): from now on this process has that version of the type's code."""
    return lambda version: monkeypatch.setattr(get_type("toy"), "version", version)


@pytest.fixture
def run():
    return api.queue_one_time_job(make_brand().pk, "toy", {"sleeps": 60}).run


def due(run):
    Run.objects.filter(pk=run.pk).update(due_at=timezone.now() - timedelta(seconds=1))
    run.refresh_from_db()
    return run


def test_a_run_that_nobody_began_is_for_old_and_new_workers(run, code):
    assert run.code_version == 0
    code(2)
    assert claimable()
    code(1)
    assert claimable()


@pytest.mark.parametrize("status", ["waiting", "pending"])
def test_an_old_worker_leaves_a_run_alone_that_newer_code_began(run, code, status):
    code(2)
    assert work_one().status == RunStatus.WAITING
    Run.objects.update(status=status)  # pending: as after a failed try, or handed back
    due(run)
    assert run.code_version == 2
    code(1)
    assert claim(register_worker()) is None
    assert not claimable(), "or the supervisor would replace a cluster that is right to wait"
    assert explain(run, timezone.now()).startswith("Newer code began this run (version 2, here it is 1).")
    code(2)
    assert claim(register_worker())[0] == run


def test_an_old_worker_ends_a_cancelled_run_of_newer_code_only_when_no_deploy_can_be_under_way(run, code):
    code(2)
    work_one()
    api.cancel(run, None)
    code(1)
    assert claim(register_worker()) is None
    run.refresh_from_db()
    assert explain(run, timezone.now()) == "Nothing here has its code, so the cancel takes up to 10 min."
    Run.objects.update(cancel_requested_at=timezone.now() - timedelta(minutes=11))
    assert work_one().status == RunStatus.CANCELLED


def test_new_code_repeats_a_step_that_old_code_recorded_and_says_so(run, code):
    code(1)
    work_one()
    run.steps.filter(name="unpack").update(result="of another shape")
    code(2)
    work_one() if due(run) else None
    assert run.steps.get(name="unpack").result == {"name": "bear"}
    assert run.steps.get(name="unpack").version == 2
    assert RunLog.objects.filter(run=run, message__contains="Step 'unpack' was repeated").exists()


def test_code_of_the_same_version_reads_the_step_that_is_recorded(run, code):
    work_one()
    run.steps.filter(name="unpack").update(result="kept")
    work_one() if due(run) else None
    assert run.steps.get(name="unpack").result == "kept"


def test_a_sleep_goes_on_across_versions(run, code):
    """It is the engine's own checkpoint: a deploy does not begin it anew."""
    work_one()
    ends = run.steps.get(name="sleep 1").result
    code(2)
    work_one() if due(run) else None
    assert run.steps.get(name="sleep 1").result == ends
