"""Whatever is stopped is passed over: rightly, and at no cost."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline import api
from pipeline.contract.job_type import Subject
from pipeline.engine.lifecycle import by_worker
from pipeline.engine.queue import claim as claims
from pipeline.engine.queue.limits import Stage, stage_of
from pipeline.engine.scheduling.place import build_run
from pipeline.engine.workers.housekeeping import healing
from pipeline.engine.workers.inline import work_one
from pipeline.engine.workers.processes import register_worker
from pipeline.models import Brand, ConcurrencyLimit, Job, Pause, Run
from pipeline.queries.explain import QueueView, kept_back
from pipeline.queries.manager.live.waiting import held_back, waiting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def brands():
    return [Brand.objects.create(name=name, slug=name) for name in ("a", "b", "c")]


def claim():
    claimed = claims.claim(register_worker())
    return claimed and claimed[0]


def runs_of(brand, count, **fields):
    """Runs of one job that were queued an hour ago, before all others."""
    at = timezone.now() - timedelta(hours=1)
    job = Job.objects.create(brand=brand, job_type="toy")
    build = {"due_at": at, "order_at": at, "at": at, "subject": Subject()} | fields
    Run.objects.bulk_create(build_run(job, **build) for _ in range(count))
    return job


SCOPES = st.tuples(st.sampled_from(["", "toy", "amazon_review_scrape", "deliver"]), st.sampled_from([None, 0, 1]))
RUNS = st.tuples(
    st.sampled_from(["toy", "amazon_review_scrape", "marble", "deliver"]),
    st.sampled_from([None, 0, 1, 2]),
    st.sampled_from([Run.WOKEN, Run.MANUAL, Run.SCHEDULED]),
    st.sampled_from(["pending", "pending", "waiting"]),
    st.integers(0, 3),
    st.sets(st.sampled_from(["paused", "resumed", "cancelled", "not due"]), max_size=2),
)


def first_of(runs):
    """The one that the claim is to take, by the reasons that pages give."""
    at, view = timezone.now(), QueueView(timezone.now())
    free = [run for run in runs if run.due_at <= at and not kept_back(run, view)]
    places = {
        Stage.CANCELLED: lambda run: (0, run.due_at),
        Stage.BEGUN: lambda run: (1, run.due_at) if run.status == "waiting" else (2, run.priority, run.order_at, run.pk),
        Stage.NEW: lambda run: (2, run.priority, run.order_at, run.pk),
    }
    return min(free, key=lambda run: places[stage_of(run)](run), default=None)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limits=st.dictionaries(SCOPES, st.integers(0, 1), max_size=3),
    pauses=st.sets(SCOPES, max_size=2),
    queued=st.lists(RUNS, min_size=1, max_size=6),
)
@example(limits={("toy", 0): 0}, pauses={("", 1)}, queued=[("toy", n, 10, "pending", n, set()) for n in (0, 1, 2)])
@example(limits={}, pauses={("", 0)}, queued=[("toy", 0, 10, "pending", 0, set()), ("toy", 0, 0, "pending", 1, set())])
@example(limits={}, pauses={("", 0)}, queued=[("toy", 0, 10, "pending", 0, set()), ("toy", None, 20, "pending", 1, set())])
@example(limits={("", None): 0}, pauses=set(), queued=[("deliver", 0, 10, "waiting", 0, set())])
def test_the_claim_takes_the_first_run_that_nothing_keeps_back(brands, limits, pauses, queued):
    with transaction.atomic():
        for (job_type, brand), most in limits.items():
            ConcurrencyLimit.objects.create(job_type=job_type, brand=brand if brand is None else brands[brand], max_running=most)
        for job_type, brand in pauses:
            Pause.objects.create(job_type=job_type, brand=brand if brand is None else brands[brand])
        now = timezone.now()
        for number, (job_type, brand, priority, status, place, flags) in enumerate(queued):
            due_at = now + timedelta(minutes=5) if "not due" in flags else now - timedelta(hours=1, seconds=number)
            job = Job.objects.create(brand=brand if brand is None else brands[brand], job_type=job_type)
            order_at = due_at + timedelta(minutes=place)
            run = build_run(job, due_at=due_at, order_at=order_at, at=now, subject=Subject(), priority=priority, status=status)
            run.cancel_requested_at = now if "cancelled" in flags else None
            run.save()
            if flags & {"paused", "resumed"}:
                api.pause(job, None)
            if "resumed" in flags:
                api.resume(job, None)
        expected = first_of(Run.objects.select_related("job", "brand"))
        assert claim() == expected
        transaction.set_rollback(True)


STOPS_OF_ALL = {
    "pause": lambda brand: Pause.objects.create(),
    "pause of the brand": lambda brand: Pause.objects.create(brand=brand),
    "limit of 0": lambda brand: ConcurrencyLimit.objects.create(max_running=0),
    "full limit": lambda brand: ConcurrencyLimit.objects.create(max_running=1),
}


@pytest.mark.parametrize("stop", STOPS_OF_ALL)
def test_what_stops_every_type_lets_messages_go_on_and_only_what_names_their_type_holds_them(brands, stop):
    """An alarm is sent also while somebody has paused everything."""
    runs_of(brands[0], 2)
    if stop == "full limit":
        claim()
    STOPS_OF_ALL[stop](brands[0])
    at = timezone.now()
    message = build_run(Job.objects.create(brand=brands[0], job_type="deliver"), due_at=at, order_at=at, at=at, subject=Subject())
    message.save()
    around = QueueView(timezone.now())
    toys = Run.objects.filter(job_type="toy", status="pending")
    assert kept_back(toys[0], around)
    assert not kept_back(message, around)
    assert set(Run.objects.filter(held_back(around))) == (set() if stop == "full limit" else set(toys))
    assert waiting(Run.objects.all(), around).free == 1
    with transaction.atomic():
        assert claim() == message
        assert claim() is None
        transaction.set_rollback(True)
    Pause.objects.create(job_type="deliver", reason="Its mails come back.")
    assert kept_back(message, QueueView(timezone.now())).endswith(": Notification. Its mails come back.")
    assert claim() is None


def rows_read():
    """So far in this transaction: rows on PostgreSQL, steps of the virtual machine on SQLite."""
    if connection.vendor == "sqlite":
        return STEPS[0]
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_xact_user_tables")
        return int(cursor.fetchone()[0])


STEPS = [0]
FLOOD = 1000


def count_step():
    STEPS[0] += 1


def cost_of_a_claim():
    """In rows or steps. The run is not taken."""
    with transaction.atomic():
        register_worker()
        if connection.vendor == "sqlite":
            connection.connection.set_progress_handler(count_step, 1)
        before = rows_read()
        claimed = claims.claim(register_worker())
        cost = rows_read() - before
        if connection.vendor == "sqlite":
            connection.connection.set_progress_handler(None, 1)
        transaction.set_rollback(True)
    return cost, claimed and claimed[0]


STOPS = {
    "brand": lambda brand, job: Pause.objects.create(brand=brand),
    "type of the brand": lambda brand, job: Pause.objects.create(brand=brand, job_type="toy"),
    "limit": lambda brand, job: ConcurrencyLimit.objects.create(brand=brand, max_running=0),
    "limit of the type": lambda brand, job: ConcurrencyLimit.objects.create(brand=brand, job_type="toy", max_running=0),
    "job": lambda brand, job: api.pause(job, None),
    "limit of all": lambda brand, job: ConcurrencyLimit.objects.create(max_running=9),
}


@pytest.mark.parametrize(
    "stops",
    [
        ["brand"],
        ["type of the brand"],
        ["limit"],
        ["limit of the type"],
        ["job"],
        ["brand", "job"],
        ["job", "limit of all"],
        STOPS,
    ],
    ids=lambda stops: ", ".join(stops),
)
def test_a_claim_reads_nothing_of_a_flood_that_is_stopped(brands, stops):
    job = runs_of(brands[0], FLOOD)
    behind = api.queue_one_time_job(brands[1].pk, "toy", {"name": "behind"}).run
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    free, first = cost_of_a_claim()
    assert first.brand == brands[0]
    for stop in stops:
        STOPS[stop](brands[0], job)
    cost, first = cost_of_a_claim()
    assert first == behind
    assert cost < free + FLOOD / (1 if connection.vendor == "sqlite" else 10), f"{cost} instead of {free}"


def test_a_run_that_is_handed_back_goes_on_though_its_job_is_paused(brands):
    job = runs_of(brands[0], 1)
    run, lease = claims.claim(register_worker())
    api.pause(job, None)
    by_worker.hand_back(lease)
    assert claim() == run


def test_a_retry_waits_while_its_job_is_paused(brands):
    job = api.queue_one_time_job(brands[0].pk, "toy", {"ends": "transient"}).job
    run, lease = claims.claim(register_worker())
    api.pause(job, None)
    by_worker.fail(lease, "The shop was closed.", permanent=False)
    Run.objects.update(due_at=timezone.now())
    assert claim() is None
    api.resume(Job.objects.get(pk=job.pk), None)
    assert claim() == run


def test_a_failed_run_that_is_retried_starts_though_its_job_was_paused_meanwhile(brands):
    """Retry makes the job of a single run active again."""
    job = api.queue_one_time_job(brands[0].pk, "toy", {"ends": "permanent"}).job
    failed = work_one()
    api.pause(job, None)
    api.retry(failed, None)
    assert claim() == failed


def test_a_failed_run_of_a_paused_schedule_that_is_retried_waits_for_it(brands):
    job = api.ensure_recurring_job(brands[0].pk, "toy", "0 3 * * *", {"ends": "permanent"})
    api.run_now(job.runs.get(), None)
    failed = work_one()
    api.pause(job, None)
    api.retry(failed, None)
    assert claim() is None
    api.resume(Job.objects.get(pk=job.pk), None)
    assert claim() == failed


@pytest.mark.parametrize("paused", [True, False])
def test_a_run_that_does_not_know_of_its_jobs_pause_is_repaired(brands, paused):
    job = runs_of(brands[0], 1)
    if paused:
        api.pause(job, None)
    Run.objects.update(job_paused=not paused)
    healing.heal_pauses()
    assert Run.objects.get().job_paused is paused
    assert (claim() is None) is paused
