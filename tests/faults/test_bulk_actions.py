"""A worker is killed at every statement and commit of a bulk action: no run is left out, and none gets it twice."""

import os
import signal
import sys
from uuid import uuid4

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from pipeline import api
from pipeline.engine.queue.asked import bulk_actions
from pipeline.models import Event, Run, RunLog
from tests.factories import make_person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]
NAMES = ["owl", "fox", "bee", "cat", "elk"]


def dying_at(number):
    """A forked process that goes on with bulk actions and kills itself before that event. Returns how it ended."""
    connection.close()
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    left = number

    def counted(original):
        def wrapper(*args, **kwargs):
            nonlocal left
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*args, **kwargs)

        return wrapper

    try:
        BaseDatabaseWrapper._commit = counted(BaseDatabaseWrapper._commit)
        CursorWrapper._execute = counted(CursorWrapper._execute)
        bulk_actions.advance()
    except BaseException:  # noqa: BLE001  the child must not return to the test
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def test_killed_at_every_point_each_run_is_acted_on_once(brand):
    runs = [api.queue_one_time_job(brand.pk, "toy", {"name": name}).run for name in NAMES]
    Run.objects.update(status="failed", completed_at=timezone.now())
    states = {run.pk: "failed" for run in runs}
    wanted = api.Wanted(uuid4(), "retry", "status=failed", "Status: Failed.", states, None, timezone.now())
    action, _ = api.start_bulk_action(wanted, make_person("anna", "operator"))
    deaths = 0
    while (code := dying_at(deaths + 1)) == -signal.SIGKILL:
        deaths += 1
        action.refresh_from_db()
        done = set(action.items.filter(state="done").values_list("number", flat=True))
        assert done == set(Run.objects.live().values_list("pk", flat=True)), f"killed before event {deaths}"
    assert code == 0
    assert deaths > 20
    action.refresh_from_db()
    assert action.finished_at
    assert set(Run.objects.live()) == set(runs)
    retried = RunLog.objects.filter(message__startswith="Retried by anna.")
    assert sorted(retried.values_list("run", flat=True)) == sorted(states)
    assert sorted(Event.objects.filter(kind="bulk_retry").values_list("run", flat=True)) == sorted(states)
