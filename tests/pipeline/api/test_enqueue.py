"""The write door: queueing, dedupe, and what a person may do to a run or job."""

import threading

import pytest
from django.db import connection

from pipeline import api
from pipeline.api import enqueue
from pipeline.contract.errors import InvalidRequest
from pipeline.engine.workers.inline import work_off
from pipeline.models import Brand, Job, Run
from pipeline.states import RunStatus

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def brand():
    return Brand.objects.create(name="Acme", slug="acme")


def test_a_click_makes_one_job_and_one_pending_run(brand):
    queued = api.queue_one_time_job(brand.pk, "toy", {"name": "owl"})
    run, job = Run.objects.get(), Job.objects.get()  # as another process finds them
    assert (queued.created, queued.run, queued.job) == (True, run, job)
    assert (run.status, run.subject, run.parameters["name"]) == (RunStatus.PENDING, "owl", "owl")
    assert (run.job, job.schedule_type) == (job, Job.Schedule.ONE_TIME)


def test_a_second_click_returns_the_live_run(brand):
    first = api.queue_one_time_job(brand.pk, "toy")
    second = api.queue_one_time_job(brand.pk, "toy")
    assert not second.created
    assert second.run == first.run
    assert (Run.objects.count(), Job.objects.count()) == (1, 1)


def test_another_subject_or_brand_is_another_run(brand):
    other = Brand.objects.create(name="Other", slug="other")
    queued = [
        api.queue_one_time_job(brand.pk, "toy", {"name": "owl"}),
        api.queue_one_time_job(brand.pk, "toy", {"name": "fox"}),
        api.queue_one_time_job(other.pk, "toy", {"name": "owl"}),
        api.queue_one_time_job(None, "toy", {"name": "owl"}),
    ]
    assert all(one.created for one in queued)


def test_a_finished_run_frees_its_key(brand):
    first = api.queue_one_time_job(brand.pk, "toy")
    work_off()
    assert api.queue_one_time_job(brand.pk, "toy").run != first.run


def test_a_click_storm_makes_one_run(brand):
    """50 clicks from 10 connections."""
    barrier, made, failures = threading.Barrier(10), [], []

    def click():
        try:
            barrier.wait(30)
            for _ in range(5):
                made.append(api.queue_one_time_job(brand.pk, "toy"))
        except Exception as error:  # noqa: BLE001  shown below
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=click) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    assert len(made) == 50
    assert sum(one.created for one in made) == 1
    assert {one.run.pk for one in made} == {Run.objects.get().pk}
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    ("parameters", "field", "words"),
    [
        ({"nam": "owl"}, "nam", "Did you mean 'name'?"),
        ({"works": "long"}, "works", "number"),
        ({"ends": "badly"}, "ends", "badly"),
    ],
)
def test_bad_parameters_are_refused_before_anything_is_queued(brand, parameters, field, words):
    with pytest.raises(InvalidRequest) as refused:
        api.queue_one_time_job(brand.pk, "toy", parameters)
    assert words in " ".join(refused.value.errors[field])
    assert not Job.objects.exists()


@pytest.mark.parametrize("brand_id", ["not-a-uuid", "5a2d8a54-0000-4000-8000-000000000000"])
def test_an_unknown_brand_is_refused(brand_id):
    with pytest.raises(InvalidRequest, match="brand"):
        api.queue_one_time_job(brand_id, "toy")


def test_an_unknown_job_type_is_refused_with_the_known_ones(brand):
    with pytest.raises(InvalidRequest, match="Known: .*toy"):
        api.queue_one_time_job(brand.pk, "toi")


def test_many_are_queued_at_once_and_each_is_answered(brand):
    live = api.queue_one_time_job(brand.pk, "toy", {"name": "live"}).run
    wanted = [{"name": "a"}, {"name": "live"}, {"nmae": "b"}, {"name": "c"}, {"name": "a"}]
    a, b, wrong, c, again = api.queue_many(brand.pk, "toy", wanted)
    assert [(one.run.subject, one.created) for one in (a, b, c, again)] == [
        ("a", True),
        ("live", False),
        ("c", True),
        ("a", False),
    ]
    assert b.run == live
    assert again.run == a.run
    assert "Did you mean 'name'?" in str(wrong)
    assert list(Run.objects.in_queue_order().values_list("subject", flat=True)) == ["live", "a", "c"]
    assert [run.job.status for run in work_off()] == ["archived"] * 3


def test_of_many_one_that_is_wrong_spoils_no_other(brand):
    wanted = [{"name": "a", "works": 3}, {"name": "b", "works": -1}, {"name": "c"}]
    a, wrong, c = api.queue_many(brand.pk, "toy", wanted)
    assert "works" in wrong.errors
    assert [one.run.parameters["works"] for one in (a, c)] == [3, 0]


def test_many_that_race_with_a_click_make_no_second_run(brand, monkeypatch):
    live = api.queue_one_time_job(brand.pk, "toy", {"name": "live"}).run
    look = enqueue._live_by_key
    before: list[dict[str, Run]] = [{}]  # the first look finds nothing; the click comes right after it
    monkeypatch.setattr(enqueue, "_live_by_key", lambda keys: before.pop() if before else look(keys))
    queued = api.queue_many(brand.pk, "toy", [{"name": "new"}, {"name": "live"}])
    assert [one.created for one in queued] == [True, False]
    assert queued[1].run == live
    assert Run.objects.count() == 2
