"""The end of a run as one statement: it writes what `by_worker.complete` writes, or nothing."""

import os
import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pipeline import api
from pipeline.contract.job_type import Done, JobType, Subject
from pipeline.engine.database import CLAIM_LOCK, lock
from pipeline.engine.execution import executor
from pipeline.engine.lifecycle import by_worker
from pipeline.engine.lifecycle.ends import plain_end
from pipeline.engine.queue.claim import ClaimWithEnd, claim
from pipeline.engine.queue.next_run.quick_claim import Answer, QuickClaim
from pipeline.engine.workers import claim_queue
from pipeline.engine.workers.claim_queue import ClaimQueue
from pipeline.engine.workers.heartbeat import Heartbeat
from pipeline.engine.workers.processes import register_worker
from pipeline.models import Attempt, Brand, ConcurrencyLimit, DatasetStatus, FailedRun, Incident, Job, Run, RunLog
from tests.toy.job import Marble, Toy

pytestmark = pytest.mark.django_db(transaction=True)
DONE = Done({"new": 2}, summary="2 marbles.")


@pytest.fixture
def taken(queue):
    queue()
    return claim(register_worker())


def row(instance, *leave_out):
    fields = {field.attname: getattr(instance, field.attname) for field in instance._meta.concrete_fields}
    return {name: value for name, value in fields.items() if name not in leave_out}


def all_rows(run):
    """All that an end writes, without ids and times."""
    times = [
        field.attname for model in (Run, Job, Attempt) for field in model._meta.concrete_fields if field.attname[-3:] == "_at"
    ]
    mine = [
        "id",
        "job_id",
        "run_id",
        "at",
        "subject",
        "subject_label",
        "parameters",
        "dedupe_key",
        "name",
        "lease_token",
        "worker_id",
    ]
    mine += times
    log = [row(line, *mine) for line in RunLog.objects.filter(run=run)]
    return [row(Run.objects.get(pk=run.pk), *mine), row(Attempt.objects.get(run=run), *mine), log, row(run.job, *mine)]


@pytest.mark.parametrize("trigger", [Job.Trigger.MANUAL, Job.Trigger.API])
def test_it_writes_what_the_end_of_any_run_writes(brand, trigger):
    ended = []
    for name in ("slow", "quick"):
        api.queue_one_time_job(brand.pk, "marble", {"name": name}, trigger_source=trigger)
        run, lease = claim(register_worker())
        with transaction.atomic():
            RunLog.objects.create(run=run, seq=1, at=timezone.now(), message="It rolls.")
        if name == "slow":
            by_worker.complete(lease, DONE)
        else:
            assert plain_end.complete(run, lease, DONE)
        assert Run.objects.get(pk=run.pk).completed_at == Attempt.objects.get(run=run).ended_at
        ended.append(all_rows(run))
    assert ended[0] == ended[1]


def test_a_run_whose_type_does_not_look_at_its_brand_does_not_read_it(taken):
    with CaptureQueriesContext(connection) as asked:
        executor.execute(*taken, stopping=lambda: False)
    assert Run.objects.get().status == "completed"
    assert not [query["sql"] for query in asked if Brand._meta.db_table in query["sql"]]


def lost(run, lease):
    Run.objects.filter(pk=run.pk).update(lease_token="0b7d8f0e-3c0a-4b0e-9d57-6a3c3a1c0d11")


def data_under_way(run, lease):
    DatasetStatus.objects.create(brand=run.brand, dataset_key="toys", last_status="running", last_run_id=run.pk)


def failed_before(run, lease):
    at = timezone.now() - timedelta(hours=1)
    incident = Incident.objects.create(
        job_type="marble", source="", kind="x", cause="x", message="x", first_seen=at, last_seen=at, count=1
    )
    FailedRun.objects.create(
        incident=incident, run=run, job_type="marble", brand=run.brand, subject=run.subject, failed_at=at, held=False
    )


def log_is_full(run, lease):
    RunLog.objects.create(run=run, seq=9_999, at=timezone.now(), message="Line after line.")


@pytest.mark.parametrize("hangs", [lost, data_under_way, failed_before, log_is_full], ids=lambda hangs: hangs.__name__)
def test_it_leaves_an_end_on_which_more_hangs_to_the_long_way(taken, hangs):
    run, lease = taken
    hangs(run, lease)
    before = all_rows(run)
    assert plain_end.complete(run, lease, DONE) is False
    assert all_rows(run) == before


@pytest.mark.parametrize(
    "done", [Done(verdict="partial", reason="Half."), Done(reason="A remark.")], ids="doubted remark".split()
)
def test_it_leaves_a_result_that_says_more_to_the_long_way(taken, done):
    run, lease = taken
    assert plain_end.complete(run, lease, done) is False


def test_it_leaves_types_with_data_to_the_long_way(brand, monkeypatch):
    monkeypatch.setattr(Toy, "on_completed", JobType.on_completed)
    api.queue_one_time_job(brand.pk, "toy")
    run, lease = claim(register_worker())
    assert plain_end.complete(run, lease, DONE) is False


def test_it_leaves_types_with_a_hook_to_the_long_way(taken, monkeypatch):
    monkeypatch.setattr(Marble, "on_completed", lambda self, run, fetched_at: None)
    run, lease = taken
    assert plain_end.complete(run, lease, DONE) is False


def test_it_leaves_a_schedules_run_to_the_long_way(brand):
    api.run_now(api.ensure_recurring_job(brand.pk, "marble", "0 3 * * *").runs.get(), None)
    run, lease = claim(register_worker())
    assert plain_end.complete(run, lease, DONE) is False


def test_it_leaves_a_run_whose_name_came_with_the_work_to_the_long_way(taken, monkeypatch):
    monkeypatch.setattr(Marble, "subject", lambda self, brand, params: Subject("bear", "a green marble"))
    run, lease = taken
    assert plain_end.complete(run, lease, DONE) is False


@pytest.mark.only_on("postgresql")
def test_a_line_that_is_logged_at_the_same_moment_costs_neither_the_line_nor_the_end(taken):
    run, lease = taken
    written, ended = threading.Event(), []

    def end():
        written.wait(10)
        ended.append(plain_end.complete(run, lease, DONE))
        connection.close()

    other = threading.Thread(target=end)
    with transaction.atomic():
        RunLog.objects.create(run=run, seq=1, at=timezone.now(), message="A person was here.")
        other.start()
        written.set()
        until_a_lock_is_waited_for()
    other.join(10)
    assert ended == [False]
    by_worker.complete(lease, DONE)
    assert [line.message for line in run.logs.all()] == ["A person was here.", "Completed: 2 marbles."]


@pytest.mark.only_on("postgresql")
class TestTheNextClaimIsMadeTogetherWithTheEnd:
    @pytest.fixture
    def quick(self):
        return QuickClaim(register_worker())

    @pytest.fixture
    def taken(self, queue, quick):
        queue(name="1"), queue(name="2")
        return quick.take()

    def test_in_one_transaction(self, taken, quick):
        run, lease = taken
        assert plain_end.complete(run, lease, DONE, quick)
        following, its_lease = quick.handed_over()
        assert (following.subject, following.status, following.lease_token) == ("2", "running", its_lease.token)
        assert Run.objects.get(pk=run.pk).status == "completed"
        assert quick.handed_over() is None

    @pytest.mark.parametrize("hangs", [lost, data_under_way, failed_before, log_is_full], ids=lambda hangs: hangs.__name__)
    def test_but_not_without_the_end(self, taken, quick, hangs):
        """The long way ends the run; a second one would wait for that under a lease of a worker that is not at it."""
        run, lease = taken
        hangs(run, lease)
        assert plain_end.complete(run, lease, DONE, quick) is False
        assert quick.handed_over() is None
        assert Run.objects.filter(status="running").get() == run

    def test_and_counts_the_slot_that_the_end_makes_free(self, taken, quick):
        ConcurrencyLimit.objects.create(max_running=1)
        assert quick.take() is Answer.NOTHING_DUE
        assert quick.limited
        run, lease = taken
        assert plain_end.complete(run, lease, DONE, quick)
        assert quick.handed_over()[0].subject == "2"

    def test_and_has_locked_no_run_while_it_waits_for_the_claims_lock(self, taken, quick):
        """Whoever needs both takes that lock first: otherwise two of them could wait for each other."""
        quick.limited = True
        run, lease = taken
        ended = []
        other = threading.Thread(target=lambda: (ended.append(plain_end.complete(run, lease, DONE, quick)), connection.close()))
        with transaction.atomic():
            lock(CLAIM_LOCK)
            other.start()
            until_a_lock_is_waited_for()
            assert Run.objects.select_for_update(nowait=True).get(pk=run.pk)
        other.join(10)
        assert ended == [True]

    def test_but_not_by_a_worker_that_is_to_stop(self, taken, quick, monkeypatch):
        asked_to_stop = []
        monkeypatch.setattr(Marble, "run", lambda self, ctx, params: asked_to_stop.append("now") or DONE)
        executor.execute(*taken, stopping=lambda: bool(asked_to_stop), then=quick)
        assert Run.objects.get(pk=taken[0].pk).status == "completed"
        assert quick.handed_over() is None
        assert Run.objects.filter(status="running").count() == 0

    def test_until_django_q2_is_to_look_whether_the_process_is_replaced(self, queue, monkeypatch):
        monkeypatch.setattr(claim_queue, "RUNS_IN_A_ROW", 3)
        for number in range(5):
            queue(name=str(number))
        worker = ClaimQueue(uuid4())
        worker.worker, worker.pid = register_worker(), os.getpid()
        worker.quick, worker.heartbeat = ClaimWithEnd(worker.worker), Heartbeat(worker.worker)
        try:
            worker.execute(*worker.get()["args"])
            assert list(Run.objects.order_by("pk").values_list("status", flat=True)) == ["completed"] * 3 + ["pending"] * 2
        finally:
            os.close(worker.read_end)
            worker.put("STOP")


def until_a_lock_is_waited_for():
    with connection.cursor() as cursor:
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        for _ in range(500):
            cursor.execute("SELECT pg_stat_clear_snapshot(), pg_sleep(0.01)")
            cursor.execute(waits)
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waited for a lock")
