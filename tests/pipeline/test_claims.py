"""Which run comes next, and under which limits."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from pipeline import api, claims
from pipeline.explain import explain
from pipeline.heartbeat import register_worker
from pipeline.models import Brand, ConcurrencyLimit, Pause, Run
from pipeline.testing import work_one

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


def test_a_flood_of_one_brand_does_not_hold_up_another(brands):
    for number in range(30):
        queue(brands[0], str(number))
    late = queue(brands[1])
    assert late in [claim(), claim(), claim()]


def test_each_run_in_line_tells_its_place(brands):
    register_worker()
    runs = [queue(brands[0], str(number)) for number in range(3)]
    words = [explain(run, timezone.now()).partition(".")[0] for run in runs]
    assert words == ["Next in line", "In line, number 2", "In line, number 3"]


def test_a_stopped_type_holds_no_other_up(brands):
    for number in range(3):
        queue(brands[0], str(number))
    other = queue(brands[0], "other")
    Run.objects.filter(pk=other.pk).update(job_type="marble")
    ConcurrencyLimit.objects.create(job_type="toy", max_running=0)
    assert [claim(), claim()] == [other, None]


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


def test_a_pause_holds_back_what_has_not_begun(brands):
    Pause.objects.create(job_type="toy")
    run = queue(brands[0])
    assert claim() is None
    Run.objects.filter(pk=run.pk).update(status="waiting")
    assert claim() == run


def test_eight_claimers_share_the_runs_without_taking_one_twice(brands):
    ConcurrencyLimit.objects.create(max_running=100)
    queued = {queue(brands[0], str(number)).pk for number in range(40)}
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
    import os

    read_end, write_end = os.pipe()
    waiter = claims.Waiter(read_end)
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
    assert waited[0] < claims.IDLE_SECONDS
    os.close(read_end)
    os.close(write_end)


@pytest.mark.parametrize("arrange", ["due", "future", "limit", "pause", "paused schedule"])
def test_no_reason_is_given_exactly_when_the_run_is_claimable(brands, arrange):
    register_worker()
    run = queue(brands[0])
    if arrange == "future":
        Run.objects.filter(pk=run.pk).update(due_at=timezone.now() + timedelta(minutes=4))
    elif arrange == "limit":
        ConcurrencyLimit.objects.create(job_type="toy", max_running=0)
    elif arrange == "pause":
        Pause.objects.create()
    elif arrange == "paused schedule":
        api.cancel(run, None)
        job = api.ensure_recurring_job(brands[0].pk, "toy", "0 3 * * *")
        run = job.runs.get()
        api.run_now(run, None)
        api.pause(job, None)
    run.refresh_from_db()
    words = explain(run, timezone.now())
    assert words
    assert words.startswith("Next in line") == (claim() is not None)


def test_a_stand_still_is_said(brands):
    """F21: our own silence is visible."""
    assert explain(queue(brands[0]), timezone.now()).startswith("No worker has ever reported")


def test_a_retry_says_which_try_comes_when_and_why(brands):
    api.queue_one_time_job(brands[0].pk, "toy", {"ends": "transient"})
    run = work_one()
    words = explain(run, timezone.now())
    assert words == "Try 2 of 4, next in 4 min: The toy shop was closed."
