"""The beginning of a sleep as one statement: it writes what `by_worker.park` writes, or nothing."""

from datetime import timedelta

import pytest
from django.utils import timezone

from pipeline.contract.errors import LeaseLost
from pipeline.engine.lifecycle import by_worker
from pipeline.engine.lifecycle.ends.plain_sleep import fall_asleep
from pipeline.engine.queue.claim import claim
from pipeline.engine.queue.next_run.quick_claim import QuickClaim
from pipeline.engine.workers.processes import register_worker
from pipeline.models import Attempt, DatasetStatus, Run, Step

pytestmark = pytest.mark.django_db(transaction=True)
UNTIL = timezone.now() + timedelta(hours=1)
WHY = "It rolls on later."


def rows_of(run):
    """All that a sleep writes, without what differs between two runs."""
    ids = {"id", "run_id", "job_id", "subject", "subject_label", "parameters", "dedupe_key", "worker_id", "lease_token", "at"}
    times = {"created_at", "asked_at", "started_at", "ended_at", "order_at"}
    found = [Run.objects.get(pk=run.pk), Attempt.objects.get(run=run), *Step.objects.filter(run=run)]
    names = [{field.attname for field in one._meta.concrete_fields} - ids - times for one in found]
    return [{name: getattr(one, name) for name in its} for one, its in zip(found, names, strict=True)]


def test_it_writes_what_the_parking_of_any_run_writes(queue):
    asleep = []
    for name in ("slow", "quick"):
        Run.objects.filter(pk=queue(name=name).pk).update(recoveries=2, blocked_since=timezone.now())
        run, lease = claim(register_worker())
        if name == "slow":
            by_worker.park(lease, UNTIL, WHY, step="sleep 1")
        else:
            assert fall_asleep(run, lease, "sleep 1", UNTIL, WHY, None)
        assert abs(Attempt.objects.get(run=run).ended_at - timezone.now()) < timedelta(minutes=1)
        asleep.append(rows_of(run))
    assert asleep[0] == asleep[1]
    assert asleep[0][0]["due_at"] == UNTIL
    assert (asleep[0][0]["recoveries"], asleep[0][0]["blocked_since"]) == (0, None)


def cancelled(run):
    Run.objects.filter(pk=run.pk).update(cancel_requested_at=timezone.now())


def has_begun_data(run):
    DatasetStatus.objects.create(brand=run.brand, dataset_key="toys", last_status="running", last_run_id=run.pk)


def has_that_step(run):
    Step.objects.create(run=run, name="sleep 1", result=1)


def lost(run):
    Run.objects.filter(pk=run.pk).update(lease_token="0b7d8f0e-3c0a-4b0e-9d57-6a3c3a1c0d11")


@pytest.mark.parametrize("more", [cancelled, has_begun_data, has_that_step, lost], ids=lambda more: more.__name__)
def test_it_leaves_what_is_more_to_the_long_way(queue, more):
    queue()
    run, lease = claim(register_worker())
    more(run)
    before = rows_of(run)
    assert fall_asleep(run, lease, "sleep 1", UNTIL, WHY, None) is False
    assert rows_of(run) == before
    if more is lost:
        with pytest.raises(LeaseLost):
            by_worker.park(lease, UNTIL, WHY, step="sleep 1")
        return
    by_worker.park(lease, UNTIL, WHY, step="sleep 1")
    assert Step.objects.get(run=run, name="sleep 1").result == UNTIL.isoformat()
    assert (Run.objects.get(pk=run.pk).due_at == UNTIL) is (more is not cancelled)


@pytest.mark.only_on("postgresql")
def test_the_next_run_is_claimed_together_with_it(queue):
    queue(name="1"), queue(name="2")
    worker = register_worker()
    run, lease = claim(worker)
    quick = QuickClaim(worker)
    assert fall_asleep(run, lease, "sleep 1", UNTIL, WHY, quick)
    assert quick.handed_over()[0].subject == "2"
