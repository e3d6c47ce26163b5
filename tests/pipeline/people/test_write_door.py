"""Whoever changes work needs the right to, by whatever way: every function of pipeline.api, for every role and brand."""

import inspect
from datetime import timedelta
from itertools import product
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from pipeline import api
from pipeline.api import in_process
from pipeline.contract.errors import NotAllowed
from pipeline.contract.job_type import Done
from pipeline.engine.lifecycle import by_worker
from pipeline.engine.queue.claim import claim
from pipeline.engine.workers.processes import register_worker
from pipeline.models import (
    Brand,
    BulkAction,
    ConcurrencyLimit,
    Event,
    Incident,
    Job,
    NotificationChannel,
    NotificationRule,
    Pause,
    RawPage,
    Run,
    ScheduleRule,
    UpstreamRun,
)
from pipeline.people import ROLES, limit_to
from tests.factories import make_brand, make_listing, make_person, make_upstream, make_user

pytestmark = pytest.mark.django_db
RANK = {"": -1, **{role.name: number for number, role in enumerate(ROLES)}}
PEOPLE = [(role, limited) for role in RANK for limited in (True, False)]
BRANDS = ("own", "foreign", "none")


def toy(brand: Any, name: str = "bear") -> Run:
    return api.queue_one_time_job(brand, "toy", {"name": name}).run


def ended(brand: Any, status: str = "failed", **fields: Any) -> Run:
    run = toy(brand)
    Run.objects.filter(pk=run.pk).update(status=status, completed_at=timezone.now(), **fields)
    run.refresh_from_db()
    return run


def with_upstream(brand: Any, status: str) -> Run:
    run = ended(brand)
    upstream = make_upstream(run)
    UpstreamRun.objects.filter(pk=upstream.pk).update(status=status, upstream_id=None if status == "unknown" else "HGours")
    return run


def schedule(brand: Any) -> Job:
    return api.ensure_recurring_job(brand, "toy", "0 3 * * *", {"name": "owl"})


def paused(brand: Any) -> Job:
    job = schedule(brand)
    api.pause(job, None)
    job.refresh_from_db()
    return job


def replayable(brand: Any) -> Run:
    run = with_upstream(brand, "succeeded")
    pages = {"offset": 0, "next_offset": 1, "items": 1, "payload": b""}
    RawPage.objects.create(upstream_run=run.upstream_runs.get(), **pages)
    return run


def incident(brand: Any) -> Incident:
    toy(brand)
    _, lease = claim(register_worker()) or pytest.fail("nothing to claim")
    by_worker.fail(lease, "broken", permanent=True)
    return Incident.objects.get()


def chosen(runs: Any) -> api.Wanted:
    states = {run.pk: run.status for run in runs}
    return api.Wanted(uuid4(), "retry", "status=failed", "Status: Failed.", states, None, timezone.now())


def bulk(brand: Any) -> BulkAction:
    root = get_user_model().objects.create_superuser("root")
    return api.start_bulk_action(chosen([ended(brand)]), root)[0]


def ruled(brand: Any) -> ScheduleRule:
    """Its values changed once, so that there is something to undo. The toy has no subjects for the platform."""
    before = {"cadence": "", "enabled": False}
    return ScheduleRule.objects.create(brand_id=brand, job_type="toy", enabled=False, cadence="0 3 * * *", before=before)


def archived(brand: Any) -> None:
    if brand:
        api.archive_brand(brand, None)


def new_channel(brand: Any) -> NotificationChannel:
    return NotificationChannel(name="Ours", kind="email", address="ann@example.com", shown="ann@example.com", brand_id=brand)


def channel(brand: Any) -> NotificationChannel:
    one = new_channel(brand)
    one.save()
    return one


# There is none to archive for the platform, and what stops or tells of all brands is for who sees all of them.
OF_A_BRAND = {
    "archive_brand",
    "restore_brand",
    *(f"{act}_stop {what}" for act in ("save", "remove") for what in ("limit", "pause")),
    *("save_channel", "send_test", "save_notification_rule", "remove_notification channel", "remove_notification rule"),
}
# function, and to what if to several -> the first role that may, what it needs, and the call
DOOR: dict[str, tuple[str, Any, Any]] = {
    "queue_one_time_job": ("operator", None, lambda brand, _, by: api.queue_one_time_job(brand, "toy", created_by=by)),
    "queue_many": ("operator", None, lambda brand, _, by: api.queue_many(brand, "toy", [{}, {"name": "b"}], created_by=by)),
    "start_here": ("operator", None, lambda brand, _, by: api.start_here(brand, "toy", {}, mode="legacy", created_by=by)),
    "ensure_recurring_job": (
        "manager",
        None,
        lambda brand, _, by: api.ensure_recurring_job(brand, "toy", "0 3 * * *", created_by=by),
    ),
    "save_rule": (
        "manager",
        None,
        lambda brand, _, by: api.save_rule(brand, "toy", cadence="0 3 * * *", enabled=False, created_by=by),
    ),
    "spread_rule": ("manager", ruled, lambda _, rule, by: api.spread_rule(rule, False, by)),
    "undo_rule": ("manager", ruled, lambda _, rule, by: api.undo_rule(rule, by)),
    "job_run_now": ("operator", schedule, lambda _, job, by: api.job_run_now(job, by)),
    "pause": ("manager", schedule, lambda _, job, by: api.pause(job, by)),
    "resume": ("manager", paused, lambda _, job, by: api.resume(job, by)),
    "archive": ("manager", schedule, lambda _, job, by: api.archive(job, by)),
    "cancel": ("operator", toy, lambda _, run, by: api.cancel(run, by)),
    "retry": ("operator", ended, lambda _, run, by: api.retry(run, by)),
    "run_again": ("operator", ended, lambda _, run, by: api.run_again(run, by)),
    "run_now": ("operator", lambda brand: schedule(brand).runs.get(), lambda _, run, by: api.run_now(run, by)),
    "accept": (
        "manager",
        lambda brand: ended(brand, "completed", verdict="partial"),
        lambda _, run, by: api.accept(run, by),
    ),
    "start_again": ("manager", lambda brand: with_upstream(brand, "failed"), lambda _, run, by: api.start_again(run, by)),
    "adopt": ("manager", lambda brand: with_upstream(brand, "unknown"), lambda _, run, by: api.adopt(run, "HGother", by)),
    "end_upstream": ("operator", lambda brand: with_upstream(brand, "running"), lambda _, run, by: api.end_upstream(run, by)),
    "replay": ("manager", replayable, lambda _, run, by: api.replay(run, by)),
    "retry_incident": ("operator", incident, lambda _, one, by: api.retry_incident(one, by)),
    "resolve_incident": ("manager", incident, lambda _, one, by: api.resolve_incident(one, "Fixed.", by)),
    "snooze_incident": (
        "manager",
        incident,
        lambda _, one, by: api.snooze_incident(one, timezone.now() + timedelta(days=1), "", by),
    ),
    "start_bulk_action": ("operator", ended, lambda _, run, by: api.start_bulk_action(chosen([run]), by)),
    "abort_bulk_action": ("operator", bulk, lambda _, action, by: api.abort_bulk_action(action, by)),
    "archive_brand": ("manager", None, lambda brand, _, by: api.archive_brand(brand, by)),
    "restore_brand": ("manager", archived, lambda brand, _, by: api.restore_brand(brand, by)),
    "save_stop limit": ("manager", None, lambda brand, _, by: api.save_stop(ConcurrencyLimit(brand_id=brand, max_running=1), by)),
    "remove_stop limit": (
        "manager",
        lambda brand: ConcurrencyLimit.objects.create(brand_id=brand, max_running=1),
        lambda _, limit, by: api.remove_stop(limit, by),
    ),
    "save_stop pause": ("manager", None, lambda brand, _, by: api.save_stop(Pause(brand_id=brand), by)),
    "remove_stop pause": (
        "manager",
        lambda brand: Pause.objects.create(brand_id=brand),
        lambda _, pause, by: api.remove_stop(pause, by),
    ),
    "set_max_age": (
        "manager",
        None,
        lambda brand, _, by: api.set_max_age("toys", brand, timedelta(days=3), by, seen=None),
    ),
    "save_channel": ("manager", None, lambda brand, _, by: api.save_channel(new_channel(brand), by)),
    "remove_notification channel": ("manager", channel, lambda _, one, by: api.remove_notification(one, by)),
    "send_test": ("manager", channel, lambda _, one, by: api.send_test(one, by)),
    "save_notification_rule": (
        "manager",
        channel,
        lambda brand, one, by: api.save_notification_rule(NotificationRule(event="failed", brand_id=brand, channel=one), by),
    ),
    "remove_notification rule": (
        "manager",
        lambda brand: NotificationRule.objects.create(event="failed", brand_id=brand, channel=channel(brand)),
        lambda _, rule, by: api.remove_notification(rule, by),
    ),
    "queue_replay": ("manager", replayable, lambda _, run, by: api.queue_replay(run, by)),
}
ASKS_NOBODY = {  # by whom it is done is only written down; the caller has decided
    "record_change": "its callers have done what it writes down, and have asked for the right to do that",
    "stop_subject": "its caller archives what the subject belongs to, and has asked for that right",
}

OF_NO_BRAND = {  # only for who sees every brand
    "end_outage": "tests/competitors/test_outages.py tries it",
}


@pytest.fixture(autouse=True)
def _no_threads(monkeypatch):
    """A legacy run's thread would wait for this test's transaction."""
    monkeypatch.setattr(in_process, "_beating", lambda kind: SimpleNamespace(worker=register_worker(kind)))
    monkeypatch.setattr(in_process.threading, "Thread", Mock())
    monkeypatch.setattr(in_process, "_threads", set[Any]())
    monkeypatch.setattr("tests.toy.job.Toy.run", lambda *_: Done())


def may(role: str, limited: bool, brand: str, least: str) -> bool:
    """The rule in words of the guide, apart from the code that it tests."""
    open_to = {"own": True, "foreign": not limited, "none": not limited or RANK[role] >= RANK["manager"]}
    return RANK[role] >= RANK[least] and open_to[brand]


def state() -> Any:
    return (
        list(Run.objects.order_by("pk").values_list("pk", "status", "due_at", "cancel_requested_at", "verdict")),
        list(Job.objects.order_by("pk").values_list("pk", "status", "cron_expression", "runs_completed")),
        Event.objects.count(),
    )


def test_every_function_that_acts_for_somebody_has_its_row():
    acts = {
        name
        for name in api.__all__
        if inspect.isfunction(function := getattr(api, name))
        and {"by", "created_by", "options"} & inspect.signature(function).parameters.keys()
    }
    assert acts == {name.partition(" ")[0] for name in DOOR} | ASKS_NOBODY.keys() | OF_NO_BRAND.keys()
    assert len(DOOR) * len(PEOPLE) * len(BRANDS) >= 510


@pytest.mark.parametrize("name", DOOR)
def test_the_door_lets_in_who_may_and_nobody_else(name):
    least, prepare, call = DOOR[name]
    brands = {"own": make_brand("Own").pk, "foreign": make_brand("Foreign").pk, "none": None}
    people = {
        (role, limited): (make_person if role else make_user)(f"{role or 'nobody'}-{limited}", *([role] if role else []))
        for role, limited in PEOPLE
    }
    for (_, limited), user in people.items():
        if limited:
            limit_to(user, Brand.objects.filter(pk=brands["own"]))
    for ((role, limited), user), where in product(people.items(), BRANDS):
        if where == "none" and name in OF_A_BRAND:
            continue
        case = f"{name} by {role or 'nobody'}{' with a limit' if limited else ''} on {where} brand"
        with transaction.atomic():
            thing = prepare(brands[where]) if prepare else None
            before = state()
            if may(role, limited, where, least):
                call(brands[where], thing, user)
                assert name == "replay" or state() != before, case
            else:
                with pytest.raises(NotAllowed, match=r"\.$"):
                    call(brands[where], thing, user)
                assert state() == before, case
            transaction.set_rollback(True)


def test_the_system_may():
    brand = make_brand("Own")
    assert api.queue_one_time_job(brand.pk, "toy", created_by=None).created
    assert api.queue_one_time_job(None, "toy", created_by=None).created


def test_a_type_may_be_opened_by_its_own_permission_alone():
    listing = make_listing()
    user = make_user("clerk", "competitors.scrape_competitoramazonurl")
    asked = {"competitor_amazon_url_id": str(listing.pk)}
    assert api.queue_one_time_job(listing.competitor.brand_id, "amazon_review_scrape", asked, created_by=user).created
    with pytest.raises(NotAllowed, match="Only operators can"):
        api.queue_one_time_job(listing.competitor.brand_id, "toy", created_by=user)


def test_a_right_that_was_just_taken_away_is_gone_for_an_object_read_before():
    own, other = make_brand("Own"), make_brand("Other")
    user = make_person("anna", "operator")
    api.queue_one_time_job(other.pk, "toy", created_by=user)
    limit_to(user, [own])
    with pytest.raises(NotAllowed):
        api.queue_one_time_job(other.pk, "toy", {"name": "owl"}, created_by=user)
