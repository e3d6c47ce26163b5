"""On SQLite the end of a run and the claim of the worker's next one are one transaction. On PostgreSQL: test_plain_end.py."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from pipeline import api
from pipeline.contract.job_type import Done
from pipeline.engine.execution import executor
from pipeline.engine.lifecycle.ends import plain_end
from pipeline.engine.queue import claim as claims
from pipeline.engine.queue.claim import ClaimWithEnd, claim
from pipeline.engine.workers.processes import register_worker
from pipeline.models import Brand, ConcurrencyLimit, DatasetStatus, Run
from tests.toy.job import Marble

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("sqlite")]
DONE = Done(summary="2 marbles.")


@pytest.fixture
def brand():
    return Brand.objects.create(name="Acme", slug="acme")


@pytest.fixture
def following():
    return ClaimWithEnd(register_worker())


@pytest.fixture
def taken(brand, following):
    """The first of two runs."""
    for name in ("first", "second"):
        api.queue_one_time_job(brand.pk, "marble", {"name": name})
    return claim(following.worker)


@pytest.fixture
def commits(monkeypatch):
    """What the commits are asked for: an error that one of them raises."""
    made: list[str] = []
    errors: list[Exception] = []
    commit = connection._commit

    def one():
        made.append("commit")
        if errors:
            raise errors.pop()
        commit()

    monkeypatch.setattr(connection, "_commit", one)
    return made, errors


def ends(taken, following):
    run, lease = taken
    return plain_end.complete(run, lease, DONE, following)


def states():
    return list(Run.objects.order_by("pk").values_list("status", flat=True))


def test_one_commit_ends_a_run_and_takes_the_next(taken, following, commits):
    assert ends(taken, following)
    assert commits[0] == ["commit"]
    second, its_lease = following.handed_over()
    assert (second.subject, second.lease_token) == ("second", its_lease.token)
    assert second.attempts.get().pk == its_lease.attempt_id
    assert states() == ["completed", "running"]
    assert following.handed_over() is None


def test_a_run_that_does_not_end_takes_no_other(taken, following):
    run, _ = taken
    DatasetStatus.objects.create(brand=run.brand, dataset_key="toys", last_status="running", last_run_id=run.pk)
    assert not ends(taken, following)
    assert following.handed_over() is None
    assert states() == ["running", "pending"]


def test_the_slot_of_the_run_that_ends_is_free(taken, following):
    ConcurrencyLimit.objects.create(max_running=1)
    assert ends(taken, following)
    assert following.handed_over()[0].subject == "second"


@pytest.mark.parametrize("fault", [RuntimeError("a bug"), OperationalError("disk is full")], ids="bug database".split())
def test_a_fault_of_the_claim_leaves_the_end_as_it_is(taken, following, monkeypatch, fault):
    def fail(*_):
        raise fault

    monkeypatch.setattr(claims, "freshness", type("Broken", (), {"mark_running": fail}))
    assert ends(taken, following)
    assert following.handed_over() is None
    assert states() == ["completed", "pending"]


def test_what_was_not_committed_is_not_begun(taken, following, commits):
    commits[1].extend([OperationalError("disk is full")] * 2)
    with pytest.raises(OperationalError):
        ends(taken, following)
    assert following.handed_over() is None
    assert states() == ["running", "pending"]


def dead(run):
    worker = register_worker()
    lapsed, _ = claims.take_lease(run.pk, worker, timezone.now() - timedelta(hours=1))
    return lapsed


def without_key(run):
    Run.objects.filter(pk=run.pk).update(scheduled_for=timezone.now(), dedupe_key=None)


@pytest.mark.parametrize("more", [dead, without_key], ids=lambda more: more.__name__)
def test_what_needs_more_is_left_to_the_next_claim(taken, following, more):
    more(Run.objects.get(subject="second"))
    assert ends(taken, following)
    assert following.handed_over() is None
    assert claim(following.worker)[0].subject == "second"


def test_a_worker_that_is_to_stop_takes_no_other(taken, following, monkeypatch):
    asked = []
    monkeypatch.setattr(Marble, "run", lambda self, ctx, params: asked.append("to stop") or DONE)
    executor.execute(*taken, stopping=lambda: bool(asked), then=following)
    assert following.handed_over() is None
    assert states() == ["completed", "pending"]
