"""Which run comes next, and under which limits."""

import os
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import api
from pipeline.contract.job_type import Subject
from pipeline.engine.database import now
from pipeline.engine.queue import claim as claims
from pipeline.engine.queue.claim import take_lease
from pipeline.engine.queue.limits import KEEPS_BACK, Stage
from pipeline.engine.queue.next_run.candidates import DEPLOYED_WITHIN
from pipeline.engine.queue.waiter import IDLE_SECONDS, Waiter, next_event
from pipeline.engine.scheduling.place import build_run, order_at_for
from pipeline.engine.upstreams import health
from pipeline.engine.workers.inline import work_off, work_one
from pipeline.engine.workers.processes import register_worker
from pipeline.models import Brand, ConcurrencyLimit, Job, Pause, Run, SourceState
from pipeline.queries.explain import explain
from tests.factories import make_person

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def brands():
    return [Brand.objects.create(name=name, slug=name) for name in ("a", "b")]


def queue(brand, name="bear"):
    return api.queue_one_time_job(brand.pk, "toy", {"name": name}).run


def claim():
    claimed = claims.claim(register_worker())
    return claimed and claimed[0]


def test_first_come_first_served_within_a_brand(brands):
    first, second = queue(brands[0], "1"), queue(brands[0], "2")
    assert [claim(), claim(), claim()] == [first, second, None]


def flood(brand, count=1000):
    """Queued in one go; so many that anything that stood behind them would wait for a long time."""
    api.queue_many(brand.pk, "toy", [{"name": str(number)} for number in range(count)])


def minutes_pass(minutes):
    """Whatever is queued by now was queued so long ago."""
    ago = timedelta(minutes=minutes)
    Run.objects.update(due_at=F("due_at") - ago, order_at=F("order_at") - ago, created_at=F("created_at") - ago)


@pytest.mark.slow
@pytest.mark.parametrize("minutes", [0, 30])
def test_a_flood_of_one_brand_does_not_hold_up_another(brands, minutes):
    """Also where little of it was done since it came: its next ones have not become older than the click by waiting."""
    flood(brands[0])
    minutes_pass(minutes)
    late = queue(brands[1])
    assert late in [claim(), claim(), claim()]


@pytest.mark.slow
def test_a_flood_of_one_type_does_not_hold_up_another_of_the_same_brand(brands):
    """F14: a long job never delays others' first start."""
    flood(brands[0])
    minutes_pass(30)
    late = build_run(
        Job.objects.create(brand=brands[0], job_type="marble"),
        due_at=timezone.now(),
        order_at=order_at_for("marble", brands[0].pk, timezone.now()),
        at=timezone.now(),
        subject=Subject(),
    )
    late.save()
    assert late in [claim(), claim(), claim()]


def test_a_flood_of_retries_does_not_hold_up_a_click(brands):
    for number in range(6):
        api.queue_one_time_job(brands[0].pk, "toy", {"name": str(number), "ends": "transient"})
    work_off()
    minutes_pass(10)
    late = queue(brands[1])
    assert late in [claim(), claim()]


def test_a_retry_stands_behind_nobody_who_is_not_of_its_own_line(brands):
    api.queue_one_time_job(brands[0].pk, "toy", {"ends": "transient"})
    failed = work_one()
    minutes_pass(10)
    flood(brands[1], 50)
    assert failed in [claim(), claim()]


def test_each_run_in_the_queue_tells_its_place(brands):
    register_worker()
    runs = [queue(brands[0], str(number)) for number in range(3)]
    words = [explain(run, timezone.now()).partition(".")[0] for run in runs]
    assert words == ["Next in the queue", "Number 2 in the queue", "Number 3 in the queue"]


def test_a_stopped_type_holds_no_other_up(brands):
    for number in range(3):
        queue(brands[0], str(number))
    other = queue(brands[0], "other")
    Run.objects.filter(pk=other.pk).update(job_type="marble")
    ConcurrencyLimit.objects.create(job_type="toy", max_running=0)
    assert [claim(), claim()] == [other, None]


def test_the_state_of_a_source_whose_code_is_gone_holds_nobody_up(brands):
    later = timezone.now() + timedelta(minutes=5)
    SourceState.objects.create(source="gone", next_poll_at=later, blocked_until=timezone.now(), slow_until=later)
    run = queue(brands[0])
    health.probe(timezone.now())
    assert claim() == run


def test_what_is_not_due_is_not_claimed(brands):
    run = queue(brands[0])
    Run.objects.filter(pk=run.pk).update(due_at=timezone.now() + timedelta(minutes=1))
    assert claim() is None


def test_a_woken_run_comes_before_a_new_one(brands):
    waited = queue(brands[0], "waited")
    Run.objects.filter(pk=waited.pk).update(status="waiting", due_at=timezone.now() - timedelta(seconds=1))
    queue(brands[0], "new")
    assert claim() == waited


@pytest.mark.parametrize("scope", [{}, {"job_type": "toy"}, {"brand": 0}, {"job_type": "toy", "brand": 0}])
def test_a_limit_is_never_exceeded(brands, scope):
    scope = {**scope, **({"brand": brands[0]} if "brand" in scope else {})}
    ConcurrencyLimit.objects.create(**scope, max_running=2)
    for number in range(4):
        queue(brands[0], str(number))
    assert [bool(claim()) for _ in range(4)] == [True, True, False, False]


def test_a_saturated_brand_does_not_block_the_line(brands):
    ConcurrencyLimit.objects.create(brand=brands[0], max_running=0)
    queue(brands[0])
    free = queue(brands[1])
    assert claim() == free


def test_a_pause_keeps_back_what_has_not_begun(brands):
    Pause.objects.create(job_type="toy")
    run = queue(brands[0])
    assert claim() is None
    Run.objects.filter(pk=run.pk).update(status="waiting")
    assert claim() == run


@pytest.mark.parametrize(("stop", "fields"), [(ConcurrencyLimit, {"max_running": 0}), (Pause, {})])
def test_a_cancel_does_not_wait_for_a_stop_to_be_lifted(brands, stop, fields):
    """It starts nothing: what it has upstream is to be ended."""
    run = queue(brands[0])
    stop.objects.create(**fields)
    Run.objects.filter(pk=run.pk).update(status="waiting", due_at=timezone.now(), cancel_requested_at=timezone.now())
    assert claim() == run


def test_a_cancel_waits_for_a_free_slot(brands):
    ConcurrencyLimit.objects.create(max_running=1)
    run, _ = queue(brands[0]), queue(brands[1])
    Run.objects.filter(pk=run.pk).update(status="waiting", due_at=timezone.now() + timedelta(minutes=1))
    assert claim() != run
    Run.objects.filter(pk=run.pk).update(due_at=timezone.now(), cancel_requested_at=timezone.now())
    assert claim() is None


def test_a_paused_job_is_passed_over_and_says_who_paused_it(brands):
    """Also where it is to run once only."""
    run, other = queue(brands[0], "held"), queue(brands[0], "free")
    register_worker()
    api.pause(run.job, make_person("anna", "manager"))
    assert [claim(), claim()] == [other, None]
    assert explain(Run.objects.get(pk=run.pk), timezone.now()).startswith("Paused by anna since ")
    api.resume(Job.objects.get(pk=run.job_id), None)
    assert claim() == run


@pytest.mark.parametrize(("stop", "fields"), [(ConcurrencyLimit, {"max_running": 0}), (Pause, {})])
def test_a_stop_that_is_lifted_wakes_idle_workers_at_once(brands, stop, fields):
    queue(brands[0])
    stopped = stop.objects.create(**fields)
    read_end, write_end = os.pipe()
    waiter = Waiter(read_end)
    try:
        waiter.wait()  # begins to listen
        with ThreadPoolExecutor() as pool:
            woken = pool.submit(lambda: (stopped.delete(), connection.close()))
            began = time.monotonic()
            waiter.wait()
            woken.result()
        assert time.monotonic() - began < IDLE_SECONDS
        assert claim()
    finally:
        waiter.close()
        os.close(read_end)
        os.close(write_end)


@pytest.mark.parametrize("limits", [[100], []])
def test_eight_claimers_share_the_runs_without_taking_one_twice(brands, limits):
    for most in limits:
        ConcurrencyLimit.objects.create(max_running=most)
    kinds = ["toy", "marble", "marble", "marble"]
    queued = {api.queue_one_time_job(brands[n % 2].pk, kinds[n % 4], {"name": str(n)}).run.pk for n in range(80)}
    taken, failures = [], []

    def work():
        try:
            worker = register_worker()
            while claimed := claims.claim(worker):
                taken.append(claimed[0].pk)
        except Exception as error:  # noqa: BLE001  shown below
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    assert sorted(taken) == sorted(queued)


def test_an_idle_waiter_is_woken_by_a_click(brands):
    read_end, write_end = os.pipe()
    waiter = Waiter(read_end)
    waiter.wait()  # the first one only begins to listen
    waited = []

    def wait():
        began = time.monotonic()
        waiter.wait()
        waited.append(time.monotonic() - began)
        waiter.close()
        connection.close()

    waiter.close()
    waiter.listening, waiter.version = None, -1
    thread = threading.Thread(target=lambda: (waiter.wait(), wait()))
    thread.start()
    deadline = time.monotonic() + 5
    while thread.is_alive() and time.monotonic() < deadline:
        queue(brands[0], str(time.monotonic()))
        thread.join(0.2)
    assert waited
    assert waited[0] < IDLE_SECONDS
    os.close(read_end)
    os.close(write_end)


def test_an_idle_worker_wakes_for_the_row_that_falls_due_first(brands):
    at = now()
    assert next_event(at) is None
    runs = [queue(brands[0], str(number)).pk for number in range(4)]
    due = [at + timedelta(seconds=after) for after in (-1, 60, 50, 40)]
    for run, moment, status in zip(runs, due, ("pending", "pending", "pending", "waiting"), strict=True):
        Run.objects.filter(pk=run).update(due_at=moment, status=status)
    assert next_event(at) == due[3]
    Run.objects.filter(pk=runs[3]).update(due_at=at + timedelta(seconds=70))
    assert next_event(at) == due[2]
    lease = {"lease_token": uuid.uuid4(), "lease_expires_at": at - timedelta(seconds=5)}
    Run.objects.filter(pk=runs[3]).update(status="running", **lease)
    assert next_event(at) == lease["lease_expires_at"], "a lease that has lapsed as well"


def test_whoever_is_further_on_waits_for_no_more_than_whoever_is_not():
    """The claim's query relies on it."""
    for stages in KEEPS_BACK.values():
        assert stages in ({Stage.NEW}, {Stage.NEW, Stage.BEGUN}, {Stage.NEW, Stage.BEGUN, Stage.CANCELLED})


SCOPES = st.tuples(st.sampled_from(["", "toy", "amazon_review_scrape"]), st.sampled_from([None, 0, 1]))


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limits=st.dictionaries(SCOPES, st.integers(0, 1), max_size=3),
    pauses=st.sets(SCOPES, max_size=2),
    kind=st.sampled_from(["toy", "amazon_review_scrape", "vanished"]),
    status=st.sampled_from(["pending", "waiting"]),
    due_in=st.sampled_from([-1, 0, 240]),
    flags=st.sets(
        st.sampled_from(
            [
                "another runs",
                "another brand's runs",
                "cancelled",
                "cancelled long ago",
                "paused schedule",
                "upstream down",
                "newer code",
            ]
        )
    ),
)
def test_no_reason_is_given_exactly_when_the_run_is_claimable(brands, limits, pauses, kind, status, due_in, flags):
    with transaction.atomic():
        register_worker()
        for (job_type, brand), most in limits.items():
            ConcurrencyLimit.objects.create(job_type=job_type, brand=brand if brand is None else brands[brand], max_running=most)
        for job_type, brand in pauses:
            Pause.objects.create(job_type=job_type, brand=brand if brand is None else brands[brand])
        for number, flag in enumerate(["another runs", "another brand's runs"]):
            if flag in flags:
                running = queue(brands[number], flag)
                take_lease(running.pk, register_worker(), now())
        if "upstream down" in flags:
            SourceState.objects.create(
                source="apify", next_poll_at=timezone.now(), blocked_until=timezone.now() + timedelta(seconds=30)
            )
        if "paused schedule" in flags:
            run = api.ensure_recurring_job(brands[0].pk, "toy", "0 3 * * *").runs.get()
            api.pause(run.job, None)
        else:
            run = queue(brands[0])
        due_at = timezone.now() + timedelta(seconds=due_in)
        cancelled = timezone.now() if "cancelled" in flags else None
        if "cancelled long ago" in flags:
            cancelled = timezone.now() - 2 * DEPLOYED_WITHIN
        Run.objects.filter(pk=run.pk).update(code_version=2 if "newer code" in flags else 0)
        Run.objects.filter(pk=run.pk).update(job_type=kind, status=status, due_at=due_at, cancel_requested_at=cancelled)
        words = explain(Run.objects.get(pk=run.pk), timezone.now())
        assert words
        goes = words.startswith(("Next in the queue", "Continues", "Being cancelled"))
        assert goes == (claim() == run), words
        transaction.set_rollback(True)


def test_a_stand_still_is_said(brands):
    """F21: our own silence is visible."""
    assert explain(queue(brands[0]), timezone.now()).startswith("No worker has ever reported")


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("Apify cannot be asked: HTTP 502. Asked again later.", "Apify cannot be asked: HTTP 502. Asked again later."),
        ("asking Apify whether the start took", "Asking Apify whether the start took."),
    ],
)
def test_what_a_waiting_run_waits_for_is_said_as_it_is_written(brands, reason, words):
    run = queue(brands[0])
    Run.objects.update(status="waiting", blocked_reason=reason, due_at=timezone.now() + timedelta(minutes=1))
    run.refresh_from_db()
    assert explain(run, timezone.now()).startswith(words)


def test_a_tick_of_a_paused_schedule_does_not_only_say_when_it_is_due(brands):
    job = api.ensure_recurring_job(brands[0].pk, "toy", "0 3 * * *")
    assert "paused" not in explain(job.runs.get(), timezone.now())
    api.pause(job, make_person("anna", "manager"))
    words = explain(job.runs.get(), timezone.now())
    assert words.startswith("Due in ")
    assert " Schedule paused by anna since " in words


def test_a_retry_says_which_try_comes_when_and_why(brands):
    api.queue_one_time_job(brands[0].pk, "toy", {"ends": "transient"})
    run = work_one()
    words = explain(run, timezone.now())
    assert words == "Try 2 of 4 in 4 min. Last error: The toy shop was closed."
