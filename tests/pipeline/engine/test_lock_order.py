"""All code locks rows in the same order, so that two changes at once never deadlock."""

import contextlib
import threading

import pytest
from django.db import connection, transaction

from pipeline import api
from pipeline.contract.errors import NotAllowed
from pipeline.contract.job_type import Done
from pipeline.engine.lifecycle import by_person, by_worker, freshness
from pipeline.engine.queue.claim import claim
from pipeline.engine.workers.inline import work_one
from pipeline.engine.workers.processes import register_worker
from pipeline.models import DatasetStatus, Job, Run
from pipeline.states import JobStatus, RunStatus
from tests.factories import make_brand, make_competitor, make_listing
from tests.processes import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("postgresql")]


@pytest.fixture
def brand():
    return make_brand("Acme")


@pytest.fixture
def meanwhile(monkeypatch):
    """Makes `freshness.<mark>` (or another module's function) start `do` in a thread and return once that waits for a lock."""
    threads: list[threading.Thread] = []
    errors: list[Exception] = []

    def work(do):
        try:
            with transaction.atomic():
                do()
        except Exception as error:  # noqa: BLE001  shown below
            errors.append(error)
        finally:
            connection.close()

    def begin(mark, do, of=freshness):
        marks = getattr(of, mark)

        def marks_and_waits(*about, **more):
            marks(*about, **more)
            if not threads:
                threads.append(threading.Thread(target=work, args=(do,)))
                threads[0].start()
                until(waiting, "the other to wait for a lock")

        monkeypatch.setattr(of, mark, marks_and_waits)

    yield begin
    threads[0].join(60)
    assert not errors


def waiting():
    """How many processes wait for a lock in this test's database."""
    ours = "SELECT pid FROM pg_locks WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN ({ours})")
        return cursor.fetchone()[0]


def test_a_subject_is_removed_while_its_scheduled_run_ends(brand, meanwhile):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *")
    removed = threading.Event()

    def remove():
        api.end_schedules_of("toy", job.subject)
        DatasetStatus.objects.filter(subject=job.subject).delete()
        transaction.on_commit(removed.set)

    api.run_now(job.runs.get(), None)
    meanwhile("mark_completed", remove)
    assert work_one().status == RunStatus.COMPLETED
    assert removed.wait(10)
    job.refresh_from_db()
    assert (job.status, job.runs.live().exists()) == (JobStatus.ARCHIVED, False)


def test_a_job_is_archived_while_its_run_is_cancelled(brand, meanwhile):
    """The second one gets an error message."""
    queued = api.queue_one_time_job(brand.pk, "toy", {"ends": "transient"})
    work_one()  # waits for its next try

    def archive():
        with contextlib.suppress(NotAllowed):
            api.archive(Job.objects.get(pk=queued.job.pk), None)

    meanwhile("follow", archive)
    api.cancel(queued.run, None)
    queued.run.refresh_from_db()
    assert queued.run.status == RunStatus.CANCELLED


@pytest.mark.parametrize("scheduled", [True, False])
def test_a_listing_is_removed_while_its_scrape_ends(brand, meanwhile, scheduled):
    """The end of a run writes to the listing last, so removing a listing must lock its row last too."""
    listing = make_listing(make_competitor(brand))
    parameters = {"competitor_amazon_url_id": str(listing.pk), "include_keywords": False, "include_helpful": False}
    if scheduled:
        api.run_now(api.ensure_recurring_job(brand.pk, "amazon_review_scrape", "0 3 * * *", parameters).runs.get(), None)
    else:
        api.queue_one_time_job(brand.pk, "amazon_review_scrape", parameters)
    run, lease = claim(register_worker())
    meanwhile("mark_completed", listing.delete)
    by_worker.complete(lease, Done())
    run.refresh_from_db()
    assert run.status == RunStatus.COMPLETED


def test_the_same_subjects_are_queued_by_two_people_in_opposite_orders(brand):
    """Each queues one, then waits for the middle one, which somebody else is about to queue."""
    names, answers = ["fox", "mole", "owl"], {}

    def queue(order):
        answers[order] = api.queue_many(brand.pk, "toy", [{"name": name} for name in names[::order]])
        connection.close()

    threads = [threading.Thread(target=queue, args=(order,)) for order in (1, -1)]
    with transaction.atomic():
        api.queue_one_time_job(brand.pk, "toy", {"name": "mole"})
        for thread in threads:
            thread.start()
        until(lambda: waiting() == 2, "both to wait")
        transaction.set_rollback(True)
    for thread in threads:
        thread.join(60)
    assert [queued.run.subject for queued in answers[1]] == names
    assert [queued.run for queued in answers[1]] == [queued.run for queued in answers[-1]][::-1]
    assert Run.objects.count() == 3


def test_a_tick_is_brought_forward_while_a_retry_takes_its_place(brand, meanwhile):
    """The retry deletes the tick together with the log line that was just written."""
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", {"ends": "permanent"})
    api.run_now(job.runs.get(), None)
    failed = work_one()
    meanwhile("log", lambda: api.retry(failed, None), of=by_person)
    api.run_now(job.runs.live().get(), None)
    until(lambda: job.runs.live().get() == failed, "the retry")
