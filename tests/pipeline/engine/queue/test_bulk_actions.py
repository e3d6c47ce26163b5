"""One action on many runs: run by run, each once, only those that are still meant, and only while its person may."""

import threading
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from pipeline import api
from pipeline.contract.errors import NotAllowed
from pipeline.engine.queue.asked import bulk_actions, one_run
from pipeline.engine.workers.housekeeping import Housekeeping
from pipeline.engine.workers.processes import register_worker
from pipeline.models import Brand, BulkAction, Event, Run, RunLog, Worker
from pipeline.people import assign, limit_to
from pipeline.queries.manager.history.bulk_actions import bulk_rows
from tests.factories import make_brand, make_person

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = ["owl", "fox", "bee", "cat", "elk", "gnu"]


@pytest.fixture
def brand():
    return make_brand("Acme")


@pytest.fixture
def anna():
    return make_person("anna", "operator")


@pytest.fixture
def one_at_a_time(monkeypatch):
    """Each call of advance() is one run."""
    monkeypatch.setattr(bulk_actions, "SLICE", 0)


def queue(brand, name):
    return api.queue_one_time_job(brand.pk, "toy", {"name": name}).run


def ended(brand, name, status="failed", at=None):
    run = queue(brand, name)
    Run.objects.filter(pk=run.pk).update(status=status, completed_at=at or timezone.now() - timedelta(hours=1))
    return run


def start(runs, by, kind="retry", query="status=failed"):
    states = dict(Run.objects.filter(pk__in=[run.pk for run in runs]).values_list("pk", "status"))
    wanted = api.Wanted(uuid4(), kind, query, "Status: Failed.", states, Decimal("3.40"), timezone.now())
    return api.start_bulk_action(wanted, by)[0]


def state_of(action):
    """What came of each run, in their order, and what the page says."""
    action.refresh_from_db()
    (row,) = bulk_rows([action])
    return [item.state for item in action.items.all()], row.sentence


def test_only_what_the_filter_found_is_touched_and_only_if_it_is_still_so(brand, anna):
    good, retried, cancelled, again, other, gone = (ended(brand, name) for name in NAMES)
    action = start([good, retried, cancelled, again, gone], anna)
    api.retry(Run.objects.get(pk=retried.pk), None)
    Run.objects.filter(pk=cancelled.pk).update(status="cancelled")
    Run.objects.filter(pk=again.pk).update(completed_at=timezone.now() + timedelta(seconds=1))
    gone.delete()
    later = ended(brand, "ant")
    bulk_actions.advance()
    states, sentence = state_of(action)
    assert states == ["done", *["skipped"] * 4]
    assert sentence == "1 of 5 done, 4 skipped."
    assert [item.message for item in action.items.all()] == [
        "",
        f"Run {retried.pk} is queued by now. The filter found it failed.",
        f"Run {cancelled.pk} is cancelled by now. The filter found it failed.",
        f"Run {again.pk} has ended once more since then. Look at it first.",
        f"Run {action.items.last().number} no longer exists.",
    ]
    live = set(Run.objects.live().values_list("pk", flat=True))
    assert live == {good.pk, retried.pk}
    assert later.pk not in live, "it matches, but it came later"
    assert other.pk not in live, "it was not among them"
    assert RunLog.objects.filter(run=good, message__startswith="Retried by anna.").count() == 1
    assert Event.objects.filter(kind="bulk_retry").values_list("run", "by").get() == (good.pk, anna.pk)
    assert list(Event.objects.filter(kind__in=["bulk_started", "bulk_ended"]).values_list("by__username", flat=True)) == [
        None,
        "anna",
    ]
    assert action.finished_at
    bulk_actions.advance()
    assert Event.objects.filter(kind="bulk_retry").count() == 1


def test_what_one_click_refuses_is_skipped_with_its_words(brand, anna):
    first, second, other = ended(brand, "owl"), ended(brand, "fox"), ended(make_brand("Other"), "bee")
    queue(brand, "owl")
    action = start([first, second, other], anna)
    api.archive_brand(other.brand_id, None)
    bulk_actions.advance()
    assert state_of(action)[0] == ["skipped", "done", "skipped"]
    words = [item.message for item in action.items.all()]
    assert "is doing the same now." in words[0]
    assert words[2] == "Other is archived. Restore it first."


def test_a_cancel_takes_runs_that_have_moved_on_unless_the_filter_names_a_state(brand, anna):
    moved, due = queue(brand, "owl"), queue(brand, "fox")
    tick = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", {"name": "bee"}).runs.get()
    lease = {"lease_token": uuid4(), "lease_expires_at": timezone.now() + timedelta(hours=1)}
    of_any, of_queued = start([moved, tick], anna, "cancel", "brand=acme"), start([moved, due], anna, "cancel", "status=pending")
    sooner = start([tick], anna, "run_now", "brand=acme")
    Run.objects.filter(pk=moved.pk).update(status="running", started_at=timezone.now(), **lease)
    bulk_actions.advance()
    assert state_of(of_any)[0] == ["done", "done"]
    assert Run.objects.get(pk=moved.pk).cancel_requested_by == anna
    assert state_of(of_queued)[0] == ["skipped", "done"]
    assert of_queued.items.first().message == f"Run {moved.pk} is running by now. The filter found it queued."
    assert state_of(sooner)[0] == ["skipped"]
    assert "is cancelled, so it cannot be run now." in sooner.items.get().message
    twice = start([Run.objects.get(pk=moved.pk)], anna, "cancel", "brand=acme")
    bulk_actions.advance()
    assert twice.items.get().message == f"Run {moved.pk} is being cancelled already."
    waiting = Run.objects.get(scheduled_for__isnull=False, status="pending")
    start([waiting], anna, "run_now", "brand=acme")
    bulk_actions.advance()
    waiting.refresh_from_db()
    assert waiting.due_at <= timezone.now()


def test_an_abort_stops_the_rest(brand, anna, one_at_a_time):
    runs = [ended(brand, name) for name in NAMES[:3]]
    action = start(runs, anna)
    bulk_actions.advance()
    api.abort_bulk_action(action, anna)
    for _ in range(3):
        bulk_actions.advance()
    states, sentence = state_of(action)
    assert states == ["done", "waiting", "waiting"]
    assert sentence == "1 of 3 done, 2 left as they are. Aborted by anna."
    assert action.aborted_by == anna
    assert Run.objects.live().count() == 1
    with pytest.raises(NotAllowed, match="has ended already"):
        api.abort_bulk_action(action, anna)


@pytest.mark.parametrize("loses", ["account", "permission", "brand", "row"])
def test_it_stops_when_its_person_may_no_longer_do_it(brand, anna, one_at_a_time, loses):
    action = start([ended(brand, name) for name in NAMES[:3]], anna)
    bulk_actions.advance()
    match loses:
        case "account":
            type(anna).objects.update(is_active=False)
        case "permission":
            assign(anna, "viewer")
        case "brand":
            limit_to(anna, [make_brand("Other")])
        case "row":
            anna.delete()
    for _ in range(3):
        bulk_actions.advance()
    states, sentence = state_of(action)
    assert states == ["done", "waiting", "waiting"]
    why = {
        "account": "the account of anna is switched off.",
        "permission": "anna may not do it any more. Only operators can start scrapes, retry and run again. Ask one.",
        "brand": "anna may not do it any more. There is no such brand for you. Ask your admin to open it.",
        "row": "the account of whoever asked for it is deleted.",
    }
    assert action.stopped.startswith("Stopped before run ")
    assert sentence.endswith(why[loses]), sentence
    assert Run.objects.live().count() == 1


def test_a_bug_with_one_run_fails_it_alone_and_trouble_of_the_database_fails_none(brand, anna, monkeypatch):
    runs = [ended(brand, name) for name in NAMES[:3]]
    action, retry = start(runs, anna), one_run.ACTIONS["retry"]
    trouble: dict[int, Exception] = {runs[1].pk: OperationalError("gone")}

    def breaks(run, by):
        retry(run, by)  # undone with what follows
        if error := trouble.get(run.pk):
            raise error

    monkeypatch.setitem(one_run.ACTIONS, "retry", breaks)
    with pytest.raises(OperationalError):
        bulk_actions.advance()
    assert state_of(action)[0] == ["done", "waiting", "waiting"]
    trouble[runs[1].pk] = ValueError("a bug")
    bulk_actions.advance()
    assert state_of(action)[0] == ["done", "failed", "done"]
    assert state_of(action)[1] == "2 of 3 done, 1 failed."
    assert set(Run.objects.live()) == {runs[0], runs[2]}


def test_workers_go_on_with_it_and_a_web_server_leaves_it_to_them(brand, anna):
    action = start([ended(brand, "owl")], anna)
    for kind, state in ((Worker.Kind.WEB, "waiting"), (Worker.Kind.WORKER, "done")):
        Housekeeping(register_worker(kind)).work()
        assert state_of(action)[0] == [state]


@pytest.mark.only_on("postgresql")
def test_two_workers_are_never_at_the_same_one(brand, anna):
    action, locked, tried = start([ended(brand, "owl")], anna), threading.Event(), threading.Event()

    def other_worker():
        with transaction.atomic():
            BulkAction.objects.select_for_update().get()
            locked.set()
            tried.wait(10)
        connection.close()

    other = threading.Thread(target=other_worker)
    other.start()
    locked.wait(10)
    bulk_actions.advance()
    assert state_of(action)[0] == ["waiting"]
    tried.set()
    other.join(10)
    bulk_actions.advance()
    assert state_of(action)[0] == ["done"]


@pytest.mark.parametrize("wrong", [{"query": ""}, {"count": 0}, {"count": 1001}, {"stopped": "Why."}, {"token": None}])
def test_the_database_refuses_what_no_bulk_action_may_be(brand, anna, wrong):
    action = start([ended(brand, "owl")], anna)
    fields = {"kind": "retry", "query": "a=b", "count": 1, "frozen_at": timezone.now(), "created_at": timezone.now()}
    with pytest.raises(IntegrityError):
        BulkAction.objects.create(**{**fields, **wrong, "token": action.token if "token" in wrong else uuid4()})


def test_it_is_refused_without_a_filter_for_too_many_runs_or_for_runs_that_are_not_theirs(brand, anna, monkeypatch):
    run, foreign = ended(brand, "owl"), ended(make_brand("Other"), "fox")
    with pytest.raises(NotAllowed, match="Choose at least one filter first"):
        start([run], anna, query="")
    with pytest.raises(NotAllowed, match="None of these runs exists"):
        start([], anna)
    limit_to(anna, Brand.objects.filter(pk=brand.pk))
    with pytest.raises(NotAllowed, match="no such brand"):
        start([run, foreign], anna)
    monkeypatch.setattr(BulkAction, "MOST", 1)
    with pytest.raises(NotAllowed, match="More than 1 runs match. Narrow the filter"):
        start([run, ended(brand, "bee")], anna)
    assert not BulkAction.objects.exists()
