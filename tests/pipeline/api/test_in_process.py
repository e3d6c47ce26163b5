"""Legacy and direct runs work in this process, under the same rules."""

import pytest

from pipeline import api
from pipeline.contract.errors import NotAllowed
from pipeline.models import Brand, ConcurrencyLimit, Run
from pipeline.states import RunStatus
from tests.processes import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def brand():
    return Brand.objects.create(name="Acme", slug="acme")


def ended(run):
    def look():
        run.refresh_from_db()
        return not run.is_live

    return look


def test_the_run_is_ours_from_its_first_moment(brand):
    queued = api.start_here(brand.pk, "toy", {"works": 3}, mode="legacy")
    assert Run.objects.get(pk=queued.run.pk).status == RunStatus.RUNNING
    until(ended(queued.run), "the run to end")
    assert (queued.run.status, queued.run.mode) == (RunStatus.COMPLETED, "legacy")


def test_a_second_start_returns_the_live_run(brand):
    first = api.start_here(brand.pk, "toy", {"works": 30}, mode="legacy")
    second = api.start_here(brand.pk, "toy", {"works": 30}, mode="legacy")
    assert (second.created, second.run) == (False, first.run)


def test_a_queued_run_is_not_taken_away_from_the_workers(brand):
    queued = api.queue_one_time_job(brand.pk, "toy")
    assert not api.start_here(brand.pk, "toy", {}, mode="legacy").created
    queued.run.refresh_from_db()
    assert queued.run.status == RunStatus.PENDING


def test_limits_hold_here_too(brand):
    ConcurrencyLimit.objects.create(job_type="toy", max_running=0)
    with pytest.raises(NotAllowed, match="Queue it instead"):
        api.start_here(brand.pk, "toy", {}, mode="legacy")
    assert not Run.objects.exists()


def test_a_sleep_is_waited_out_here(brand):
    queued = api.start_here(brand.pk, "toy", {"sleeps": 0.3}, mode="direct")
    until(ended(queued.run), "the run to end")
    assert [attempt.outcome for attempt in queued.run.attempts.all()] == ["completed"]


def test_a_process_that_ends_hands_its_run_back(brand):
    queued = api.start_here(brand.pk, "toy", {"works": 30}, mode="direct")
    api.hand_back_all()
    until(lambda: Run.objects.get(pk=queued.run.pk).status == RunStatus.PENDING, "the run to be handed back")


def test_a_cancel_is_heard_here(brand):
    queued = api.start_here(brand.pk, "toy", {"sleeps": 30}, mode="legacy")
    api.cancel(queued.run, None)
    until(ended(queued.run), "the run to end", 8)
    assert queued.run.status == RunStatus.CANCELLED
