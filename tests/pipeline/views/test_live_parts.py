"""Each part that polls: 304 without reading anything while nothing changes, and the new words as soon as something does."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from pipeline import api
from pipeline.engine.database import change_stamp
from pipeline.engine.incidents.days import count_days
from pipeline.engine.workers.processes import register_worker
from pipeline.models import Brand, Event, FailedRun, Incident, Pause, Run, Worker
from pipeline.views import live
from tests.factories import make_brand, make_person

pytestmark = pytest.mark.django_db(transaction=True)
FEW = 6  # session, person, rights, brands, stamp
LATER = timedelta(hours=2)


@pytest.fixture
def operator(client):
    register_worker()
    client.force_login(make_person("ann", "operator"))
    return client


def queue(name, brand=None):
    """A run that waits for hours: no word about it is of seconds."""
    brand = brand or Brand.objects.first() or make_brand("Acme")
    run = api.queue_one_time_job(brand.pk, "toy", {"name": name}).run
    now = timezone.now()
    Run.objects.filter(pk=run.pk).update(due_at=now + LATER, order_at=now + LATER, created_at=now - LATER, attempt=1)
    return run


PARTS = {
    "run_live": lambda run: Run.objects.filter(pk=run.pk).update(error_message="The shop is shut."),
    "active_live": lambda run: Pause.objects.create(job_type="toy", reason="Stocktaking."),
    "health_live": lambda run: queue("fox"),
    "freshness_live": lambda run: make_brand("Bolt"),
    "subject_live": lambda run: api.record_change("settings", "Changed by ann.", None, subjects=[("toy", run.brand_id, "owl")]),
}


@pytest.mark.parametrize("part", PARTS)
def test_a_poll_reads_nothing_while_nothing_changes_and_brings_each_change(operator, part):
    run = queue("owl")
    address = {"run_live": [run.pk], "subject_live": ["toy", run.brand.slug]}
    url, query = reverse(part, args=address.get(part, [])), {"subject": "owl"} if part == "subject_live" else {}
    first = operator.get(url, {**query, "seen": ""})
    seen = re.search(r"seen=(\w+)", first.content.decode())[1]
    with CaptureQueriesContext(connection) as asked:
        assert operator.get(url, {**query, "seen": seen}).status_code == 304
    assert len(asked) <= FEW, [one["sql"] for one in asked]
    PARTS[part](run)
    assert operator.get(url, {**query, "seen": seen}).status_code == 200


@pytest.mark.parametrize("part", ["health_live", "subject_live"])
def test_how_long_an_ended_run_took_is_no_word_that_the_clock_changes(operator, part):
    """Else each poll of a page with a run of less than a minute would read all again."""
    run = queue("owl")
    end = timezone.now() - LATER
    ended = {"status": "completed", "verdict": "ok", "started_at": end - timedelta(seconds=45), "completed_at": end}
    Run.objects.filter(pk=run.pk).update(**ended)
    count_days(timezone.now())
    url = reverse(part, args=["toy", run.brand.slug] if part == "subject_live" else [])
    first = operator.get(url, {"subject": "owl", "seen": ""}).content.decode()
    assert "45 s</time>" in first
    seen = re.search(r"seen=(\w+)", first)[1]
    with CaptureQueriesContext(connection) as asked:
        assert operator.get(url, {"subject": "owl", "seen": seen}).status_code == 304
    assert len(asked) <= FEW, [one["sql"] for one in asked]


@pytest.mark.parametrize("page", ["health", "overview"])
def test_a_page_around_a_part_reads_nothing_that_a_poll_has_just_read_and_its_own_poll_has_nothing_new(operator, page):
    queue("owl")
    operator.get(reverse("health_live"), {"seen": ""})
    with CaptureQueriesContext(connection) as asked:
        said = operator.get(reverse(page)).content.decode()
    assert len(asked) <= FEW, [one["sql"] for one in asked]
    assert "toy owl" in said
    seen = re.search(r"seen=(\w+)&", said)[1]
    assert operator.get(reverse("health_live"), {"seen": seen}).status_code == 304
    queue("fox")
    assert "toy fox" in operator.get(reverse(page)).content.decode()


@pytest.mark.parametrize("words", ["5 seconds ago", "in 1 second", "12 s so far", "3.5 s"])
def test_words_of_seconds_are_not_kept(words):
    assert live.SECONDS.search(words)


def test_the_clock_changes_words_too(operator):
    queue("owl")
    url = reverse("active_live")
    seen = re.search(r"seen=(\w+)", operator.get(url, {"seen": ""}).content.decode())[1]
    with time_machine.travel(timezone.now() + timedelta(minutes=2), tick=False):
        assert operator.get(url, {"seen": seen}).status_code == 200


def test_who_has_other_brands_is_not_answered_by_what_others_saw():
    """Both saw that nothing runs. Then something does, of one's brand only."""
    register_worker()
    url, ann, bob = reverse("active_live"), Client(), Client()
    ann.force_login(make_person("ann", "operator", make_brand("Acme")))
    bob.force_login(make_person("bob", "operator", make_brand("Bolt")))
    seen = re.search(r"seen=(\w+)", ann.get(url, {"seen": ""}).content.decode())[1]
    assert bob.get(url, {"seen": seen}).status_code == 304
    queue("owl", Brand.objects.get(name="Acme"))
    assert bob.get(url, {"seen": seen}).status_code == 304
    assert ann.get(url, {"seen": seen}).status_code == 200


@pytest.mark.parametrize("page", ["health_live", "health", "overview"])
def test_what_many_share_is_shown_to_nobody_with_other_brands_or_rights(page):
    """Health is rendered once for all who see the same. None of these do."""
    register_worker()
    acme, bolt = make_brand("Acme"), make_brand("Bolt")
    people = {"ann": ("operator", acme), "bob": ("operator", bolt), "eve": ("viewer", acme), "max": ("operator",)}
    clients = {name: Client() for name in people}
    for name, client in clients.items():
        client.force_login(make_person(name, *people[name]))
    run = queue("owl", acme)
    Run.objects.filter(pk=run.pk).update(due_at=timezone.now() - LATER, blocked_reason="Held.")
    failed = queue("fox", acme)
    now = timezone.now()
    incident = Incident.objects.create(job_type="toy", kind="Error", message="The shop burned.", first_seen=now, last_seen=now)
    Run.objects.filter(pk=failed.pk).update(status="failed", completed_at=now)
    FailedRun.objects.create(incident=incident, run=failed, job_type="toy", brand=acme, failed_at=now)
    said = {name: client.get(reverse(page), {"seen": ""}).content.decode() for name, client in clients.items()}
    assert ["toy owl" in said[name] for name in people] == [True, False, True, True]
    assert ["Retry" in said[name] for name in people] == [True, False, False, True]
    assert said["ann"] != said["bob"]


def test_the_forms_of_a_part_that_was_rendered_for_another_are_those_of_its_reader():
    register_worker()
    acme, now = make_brand("Acme"), timezone.now()
    run = queue("fox", acme)
    incident = Incident.objects.create(job_type="toy", kind="Error", message="The shop burned.", first_seen=now, last_seen=now)
    Run.objects.filter(pk=run.pk).update(status="failed", completed_at=now)
    FailedRun.objects.create(incident=incident, run=run, job_type="toy", brand=acme, failed_at=now)
    retry = reverse("incident_retry", args=[incident.pk])
    clients = [Client(enforce_csrf_checks=True) for _ in range(2)]
    for client, name in zip(clients, ("ann", "max"), strict=True):
        client.force_login(make_person(name, "operator"))
    for client in clients:
        said = client.get(reverse("health")).content.decode()
        token = re.search(rf'action="{retry}"><input type="hidden" name="csrfmiddlewaretoken" value="(\w+)"', said)[1]
    assert client.post(retry, {"csrfmiddlewaretoken": token}).status_code == 303


def test_what_names_its_reader_is_not_shown_to_another_one():
    register_worker()
    ann, bob = Client(), Client()
    for client, name in ((ann, "ann"), (bob, "bob")):
        client.force_login(make_person(name, "operator"))
    run = queue("owl")
    Run.objects.filter(pk=run.pk).update(created_by=get_user_model().objects.get(username="ann"))
    url = reverse("run_live", args=[run.pk])
    assert "by you" in ann.get(url, {"seen": ""}).content.decode()
    said = bob.get(url, {"seen": ""}).content.decode()
    assert "by ann" in said
    assert "by you" not in said


def test_every_change_moves_the_stamp_but_not_a_heartbeat():
    register_worker()
    before = change_stamp()
    assert change_stamp() == before
    Worker.objects.update(last_seen_at=timezone.now())
    assert change_stamp() == before
    changes = [  # of a table without an audit log, whose own rows would move it
        lambda: Event.objects.create(kind="told", message=""),
        lambda: Event.objects.update(message="Changed."),
        lambda: Event.objects.all().delete(),
    ]
    for change in changes:
        before = change_stamp()
        change()
        assert change_stamp() != before


@pytest.mark.only_on("postgresql")
def test_the_first_change_of_a_new_database_moves_the_stamp_and_so_does_a_truncate():
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('pipeline_changes', 1, false)")
        stamps = [change_stamp()]
        Event.objects.create(kind="told", message="")
        stamps.append(change_stamp())
        cursor.execute("TRUNCATE pipeline_event CASCADE")
        stamps.append(change_stamp())
    assert len(set(stamps)) == 3


@pytest.mark.only_on("postgresql")
def test_there_is_no_stamp_while_a_change_is_not_committed():
    brand, other = make_brand(), connections.create_connection("default")
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("UPDATE pipeline_brand SET name = 'Bolt' WHERE id = %s", [brand.pk])
        assert change_stamp() == ""
        other.commit()
        assert change_stamp() != ""
    finally:
        other.close()
