"""When a worker counts as dead, and what happens to a run that cannot be claimed."""

import os
import socket
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from pipeline import api
from pipeline.engine.lifecycle import by_death, by_queue
from pipeline.engine.queue.claim import claim
from pipeline.engine.queue.waiter import Waiter
from pipeline.engine.workers.claim_queue import ClaimQueue
from pipeline.engine.workers.cluster import Sentinel
from pipeline.engine.workers.heartbeat import Heartbeat
from pipeline.engine.workers.housekeeping import Housekeeping
from pipeline.engine.workers.inline import work_one
from pipeline.engine.workers.processes import register_worker
from pipeline.engine.workers.supervisor import _could_work
from pipeline.models import Brand, ConcurrencyLimit, Pause, Run, Worker
from pipeline.states import Outcome, RunStatus

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def brand():
    return Brand.objects.create(name="Acme", slug="acme")


def lapsed(brand):
    """A run whose lease has expired."""
    api.queue_one_time_job(brand.pk, "toy")
    run, _ = claim(register_worker())
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    return run


def test_right_after_an_outage_no_worker_counts_as_dead(brand):
    run = lapsed(brand)
    worker = register_worker()
    assert claim(worker, may_take_over=lambda: False) is None
    assert claim(worker, may_take_over=lambda: True)[0] == run


def test_a_worker_asks_its_heartbeat_before_it_takes_a_run_over(brand, settings):
    settings.PIPELINE_LEASE_SECONDS = 30
    run = lapsed(brand)
    queue = ClaimQueue(uuid.uuid4())
    queue.worker = register_worker()
    queue.heartbeat = Heartbeat(queue.worker)
    queue.heartbeat.start()
    queue.heartbeat.lost_database()

    class FoundNothing(Waiter):
        def wait(self):
            queue.put("STOP")

    queue.waiter = FoundNothing(queue.read_end)
    try:
        assert queue.get() == "STOP"
    finally:
        queue.heartbeat.stop()
        os.close(queue.read_end)
    assert Run.objects.get(pk=run.pk).lease_token == run.lease_token


def test_leases_are_taken_over_from_one_period_after_the_database_is_back(brand, settings):
    settings.PIPELINE_LEASE_SECONDS = 30
    heart = Heartbeat(register_worker())
    assert heart.may_take_over()
    heart.lost_database()
    assert not heart.may_take_over()
    heart.work()
    assert not heart.may_take_over(), "the other workers get a period to renew their leases"
    heart._regained -= 10
    assert heart.may_take_over()
    heart._beaten -= 21
    assert not heart.may_take_over(), "two periods without a heartbeat are an outage, noticed or not"


def test_a_worker_that_cannot_start_its_housekeeping_does_not_start(brand, monkeypatch):
    """The error reaches the worker, which ends: a worker without a heartbeat must not claim."""

    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Housekeeping, "start", start)
    with pytest.raises(RuntimeError):
        Heartbeat(register_worker()).start()


def test_a_limit_holds_for_a_run_that_is_taken_over_too(brand):
    run = lapsed(brand)
    ConcurrencyLimit.objects.create(job_type="toy", max_running=0)
    assert claim(register_worker()) is None
    run.refresh_from_db()
    assert (run.status, run.attempts.get().outcome) == (RunStatus.PENDING, Outcome.LOST)


def test_a_run_that_has_begun_can_finish_during_a_pause(brand):
    api.queue_one_time_job(brand.pk, "toy", {"works": 5})
    run = work_one(stopping=iter([False, True]).__next__)
    Pause.objects.create()
    api.pause(run.job, None)
    assert claim(register_worker())[0] == run


@pytest.mark.parametrize(("broken", "is_lapsed"), [("record_death", True), ("log", True), ("claim_key", False)])
def test_a_run_that_cannot_be_claimed_is_set_aside_and_others_continue(brand, monkeypatch, broken, is_lapsed):
    def bug(*_):
        raise RuntimeError("a bug")

    monkeypatch.setattr(by_death if is_lapsed else by_queue, broken, bug)
    if is_lapsed:
        run = lapsed(brand)
    else:
        run = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *").runs.get()
        api.run_now(run, None)
        Run.objects.filter(pk=run.pk).update(priority=Run.WOKEN)
    other = api.queue_one_time_job(brand.pk, "toy", {"name": "other"}).run
    assert claim(register_worker())[0] == other
    monkeypatch.undo()
    Run.objects.filter(pk=run.pk, status="running").update(lease_expires_at=timezone.now())
    Run.objects.filter(pk=run.pk, status="pending").update(due_at=timezone.now())
    assert claim(register_worker())[0] == run


def test_a_dead_process_is_not_confused_with_one_in_another_container(brand):
    """F17: the other container may have the same host name and pids."""
    theirs = register_worker(cluster=uuid.uuid4())
    assert (theirs.host, theirs.pid) == (socket.gethostname(), os.getpid())
    api.queue_one_time_job(brand.pk, "toy")
    run, _ = claim(theirs)

    class Dead:
        pid, exitcode = os.getpid(), -9

        def join(self, seconds):
            pass

    ours = Sentinel.__new__(Sentinel)
    ours.cluster_id = uuid.uuid4()
    ours._hand_back(Dead())
    run.refresh_from_db()
    assert run.status == RunStatus.RUNNING


@pytest.fixture
def half_busy(brand):
    """A cluster of two workers, one of them busy, and one more run in the queue."""
    cluster_id = uuid.uuid4()
    busy, idle = (register_worker(cluster=cluster_id) for _ in range(2))
    for name in ("1", "2"):
        api.queue_one_time_job(brand.pk, "toy", {"name": name})
    claim(busy)
    return cluster_id, idle


def test_a_cluster_with_an_idle_worker_that_claims_nothing_is_stuck(half_busy):
    assert _could_work(half_busy[0], timedelta(0))


def test_a_cluster_that_claimed_a_run_just_now_is_not_stuck(half_busy):
    """Between two short runs each worker seems idle."""
    assert not _could_work(half_busy[0], timedelta(seconds=10))


def test_a_worker_without_a_recent_heartbeat_is_not_idle(half_busy):
    """Its row may still be open, because the database was away when it died."""
    cluster_id, idle = half_busy
    Worker.objects.filter(pk=idle.pk).update(last_seen_at=timezone.now() - timedelta(minutes=10))
    assert not _could_work(cluster_id, timedelta(0))
