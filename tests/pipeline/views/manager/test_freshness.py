"""Brands by datasets, as a person sees and mends them. The toy type, which only tests register, is a column like any other."""

import re
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pipeline import api, queries
from pipeline.contract.job_type import Estimate, Subject
from pipeline.contract.site.notices import NeededBy, register_page
from pipeline.engine.workers.processes import register_worker
from pipeline.models import DatasetStatus, Event, Job, MaxAge, Run, Worker
from tests.factories import make_brand, make_person
from tests.toy.job import Toy

pytestmark = pytest.mark.django_db
PAGE = "/pipeline/freshness/"
NAMES = ("bear", "fox", "owl")


def hours(number):
    return timezone.now() + timedelta(hours=number)


@pytest.fixture(autouse=True)
def _toys(monkeypatch):
    """Every brand has three toys, at 2 dollars each."""

    def subjects_of(self, brands):
        for brand in brands:
            for name in NAMES if brand else ():
                yield brand.pk, Subject(name, f"toy {name}", parameters={"name": name})

    monkeypatch.setattr(Toy, "subjects_of", subjects_of)
    price = Estimate(Decimal(2), Decimal(3), 60)
    monkeypatch.setattr(Toy, "estimate", lambda *_: price)


@pytest.fixture
def brand():
    return make_brand("Acme")


@pytest.fixture
def manager(client):
    client.force_login(make_person("maria", "manager"))
    return client


def aged(brand, *ages, key="toys", last="completed"):
    """The toys in their order are so many hours old; None: never fetched."""
    for name, age in zip(NAMES, ages, strict=False):
        if age is not None:
            about = {"brand": brand, "dataset_key": key, "subject": name}
            DatasetStatus.objects.update_or_create(**about, defaults={"last_success_at": hours(-age), "last_status": last})


def toy_run(brand, name, **fields):
    run = api.queue_one_time_job(brand.pk, "toy", {"name": name}).run
    Run.objects.filter(pk=run.pk).update(**fields)
    return run


def running(brand, name, since=0.0):
    lease = {"status": "running", "lease_token": uuid4(), "lease_expires_at": hours(1)}
    return toy_run(brand, name, started_at=hours(-since), **lease)


def text(answer):
    assert answer.status_code == 200, answer
    body = re.sub(r"<(option|head|nav).*?</\1>|<[^>]+>", " ", answer.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", body)


def cell(client, brand, dataset="Toys"):
    """The words of one cell."""
    body = client.get(PAGE).content.decode()
    found = re.search(rf'<span class="vh">{brand}, {dataset}: </span>(.*?)</a>', body, re.DOTALL)
    tone = re.search(rf'tone-(\w+)"[^>]*><span class="vh">{brand}, {dataset}: ', body)
    return f"{tone[1]}: " + re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[1])).strip() if found and tone else None


def test_a_cell_says_the_worst_of_its_subjects_by_the_clock(manager, brand):
    register_worker(Worker.Kind.WORKER)
    assert cell(manager, brand) == "grey: Never not fetched yet"
    aged(brand, 1, 2, 3)
    assert cell(manager, brand) == "green: Fresh 3 hours old due in 20 hours"
    aged(brand, 1, 30, 3)
    assert cell(manager, brand) == "amber: Late 1 day old, 1 of 3 due 6 hours ago"
    aged(brand, 1, 30, 100)
    assert cell(manager, brand) == "red: Stale 4 days old, 1 of 3 due 3 days ago"
    aged(brand, 60, 60, 60)  # nobody switched anything on, no run failed: data still goes stale
    assert cell(manager, brand) == "red: Stale 2 days old due 1 day ago"
    assert not Run.objects.exists()
    assert "1 stale." in text(manager.get(PAGE))
    api.archive_brand(brand.pk, None)
    assert cell(manager, brand) is None
    assert "No brands yet." in text(manager.get(PAGE))


def test_a_run_that_mends_it_makes_it_amber_and_a_held_one_does_not(manager, brand):
    aged(brand, 60, 1, 1)
    run = toy_run(brand, "bear", attempt=1, due_at=hours(1), error_message="Broke.")
    assert cell(manager, brand).startswith("red: Stale 2 days old, 1 of 3 its run is held")  # no worker
    register_worker(Worker.Kind.WORKER)
    assert cell(manager, brand).startswith("amber: Will retry 2 days old, 1 of 3 next try ")
    Run.objects.filter(pk=run.pk).update(blocked_reason="No token.")
    assert cell(manager, brand).startswith("red: Stale")
    api.cancel(Run.objects.get(pk=run.pk), None)
    Run.objects.filter(pk=run.pk).update(status="cancelled", completed_at=timezone.now())
    # A good run took half an hour: one that began now ends before late data gets stale.
    done = {"status": "completed", "verdict": "ok", "started_at": hours(-2), "completed_at": hours(-1.5)}
    toy_run(brand, "mouse", **done)
    aged(brand, 30, 1, 1)
    now = running(brand, "bear")
    assert cell(manager, brand).startswith("amber: On track 1 day old, 1 of 3 ready by ")
    aged(brand, 47.8, 1, 1)  # stale in twelve minutes
    assert cell(manager, brand) == "blue: Running 1 day old, 1 of 3 being fetched"
    aged(brand, 1, 1, 1)
    assert cell(manager, brand).startswith("green: Fresh 1 hour old")
    Run.objects.filter(pk=now.pk).update(started_at=hours(-5))  # it takes much longer than usual
    aged(brand, 30, 1, 1)
    assert cell(manager, brand).startswith("blue: Running")


def test_three_skipped_times_of_a_schedule_in_a_row_make_fresh_data_late(manager, brand):
    register_worker(Worker.Kind.WORKER)
    aged(brand, 1, 1, 1)
    api.ensure_recurring_job(brand.pk, "toy", "0 * * * *", {"name": "bear"})
    tick = Run.objects.get()
    Run.objects.update(scheduled_for=hours(-1.9), due_at=hours(-1.9), blocked_reason="Full.")
    assert cell(manager, brand).startswith("green: Fresh")
    Run.objects.update(scheduled_for=hours(-4.1), due_at=hours(-4.1))
    assert cell(manager, brand).startswith("amber: Late 1 hour old, 1 of 3")
    Job.objects.filter(pk=tick.job_id).update(status="paused")  # switched off: then the clock alone counts
    assert cell(manager, brand).startswith("green: Fresh")


@pytest.mark.parametrize(
    ("cadence", "late"), [("fresh 1h", False), ("once 2026-05-04T09:00", False), ("ready 0 * * * *", True), ("0 * * * *", True)]
)
def test_a_schedule_of_any_cadence_whose_run_is_late_is_judged_by_its_own_times(manager, brand, cadence, late):
    """Three more deadlines are as three more times. What is kept fresh has no times: its clock tells."""
    register_worker(Worker.Kind.WORKER)
    aged(brand, 1, 1, 1)
    api.ensure_recurring_job(brand.pk, "toy", "0 * * * *", {"name": "bear"})
    Job.objects.update(cron_expression=cadence)
    deadline = hours(-3.2) if cadence.startswith("ready") else None
    Run.objects.update(scheduled_for=hours(-4.2), due_at=hours(-4.2), deadline=deadline, blocked_reason="Full.")
    assert cell(manager, brand).startswith("amber: Late 1 hour old" if late else "green: Fresh")
    Run.objects.update(scheduled_for=hours(-3.2), due_at=hours(-3.2), deadline=deadline and hours(-1.9), blocked_reason="Full.")
    assert cell(manager, brand).startswith("amber: Late" if cadence == "0 * * * *" else "green: Fresh")
    assert manager.get(f"{PAGE}of/{brand.slug}/toys/").status_code == 200
    assert manager.get("/pipeline/").status_code == 200


def test_the_address_filters_and_pages_and_a_limited_person_sees_only_their_brands(client, manager, brand):
    others = [make_brand(f"Brand {number:02}") for number in range(27)]
    for other in others:
        aged(other, 1, 1, 1)
    aged(others[26], 1, 1, 100)
    aged(brand, 1, 1, 1, last="failed")
    first, second = manager.get(PAGE).content.decode(), manager.get(f"{PAGE}?page=2").content.decode()
    assert ("Acme" in first, "Brand 23" in first, "Brand 24" in first) == (True, True, False)
    assert ("Acme" in second, "Brand 24" in second) == (False, True)
    assert all(handler in first for handler in ("Toys", "Shelves"))  # columns come from the registry
    assert first.count('scope="col">Ad Assets<') <= 1
    needy = text(manager.get(f"{PAGE}?show=attention"))
    assert ("Acme" in needy, "last run failed" in needy, "Brand 26" in needy, "Brand 05" in needy) == (True, True, True, False)
    assert "Brand 26" in text(manager.get(f"{PAGE}?q=bränd+26"))
    one = text(manager.get(f"{PAGE}?dataset=shelves&q=acme"))
    assert ("Shelves" in one, "Toys" in one, "Brand 05" in one) == (True, False, False)
    assert "Filter ignored. Dataset" in text(manager.get(f"{PAGE}?dataset=nonsense"))
    assert "No brands match" in text(manager.get(f"{PAGE}?q=nobody"))
    client.force_login(make_person("lea", "viewer", brand))
    seen = text(client.get(PAGE))
    assert ("Acme" in seen, "Brand 05" in seen, "Platform" in seen, "Refresh what" in seen) == (True, False, False, False)
    for address in ("of/brand-05/toys/", "platform/toys/", "refresh/", "refresh/?brand=brand-05&dataset=toys"):
        assert client.get(f"{PAGE}{address}").status_code in (403, 404), address
    assert client.post(f"{PAGE}of/acme/toys/").status_code == 403


def test_the_number_of_queries_grows_neither_with_brands_nor_with_subjects_and_runs(manager, brand):
    def queries_of(address):
        with CaptureQueriesContext(connection) as seen:
            assert manager.get(address).status_code == 200
        return len(seen)

    aged(brand, 1, 30, 60)
    running(brand, "bear")
    few = [queries_of(PAGE), queries_of(f"{PAGE}of/acme/toys/"), queries_of(f"{PAGE}?show=attention")]
    for number in range(24):
        other = make_brand(f"Brand {number:02}")
        aged(other, 1, 30, 60)
        running(other, "fox")
        toy_run(other, "owl", attempt=1)
    many = [queries_of(PAGE), queries_of(f"{PAGE}of/acme/toys/"), queries_of(f"{PAGE}?show=attention")]
    assert many == few
    assert many[0] <= 25


def test_the_matrix_polls_and_answers_304_while_nothing_changed(manager, brand):
    aged(brand, 1, 1, 1)
    body = manager.get(PAGE).content.decode()
    live = re.search(r'hx-get="([^"]+)"', body)[1].replace("&amp;", "&")
    assert 'hx-trigger="every 60s"' in body
    sent = manager.get(live).content.decode()
    digest = re.search(r"seen=(\w+)&", sent)[1]
    again = live.replace("seen=&", f"seen={digest}&")
    assert manager.get(again).status_code == 304
    aged(brand, 1, 1, 100)
    assert "Stale" in manager.get(again).content.decode()


def test_a_cell_tells_the_last_runs_of_all_its_subjects_in_words_and_in_shapes(manager, brand):
    """The oldest of 16 are left out. A run that was about several subjects is told once, at its worst."""
    aged(brand, 1, 1, 1)
    old = "".join(f"{number:010}c" for number in range(1, 12))
    for name, ends in (("bear", f"{old}0000000020c0000000023x"), ("fox", "0000000020f0000000021d"), ("owl", "0000000022c")):
        DatasetStatus.objects.filter(subject=name).update(recent_ends=ends)
    assert cell(manager, brand).endswith("Last 14 runs: 11 completed, 1 failed, 1 check, 1 cancelled")
    body = manager.get(PAGE).content.decode()
    drawn = dict(re.findall(r'<path class="(\w+)" d="([^"]+)"', body))
    assert {name: shape.count("M") for name, shape in drawn.items()} == {"ok": 11, "bad": 1, "check": 1, "none": 1}
    assert len({re.search(r"M\d+ (\d+)v(\d+)", shape).groups() for shape in drawn.values()}) == 4, "told apart without color"
    assert drawn["none"].startswith("M67 "), "the newest stands last"


def test_a_cell_opens_to_its_subjects_their_last_runs_and_where_the_data_comes_from(manager, brand):
    register_page("toys", NeededBy("All runs", "runs"))
    register_page("toys", NeededBy("One toy", "run"))
    aged(brand, 1, 30)
    done = {"status": "completed", "verdict": "ok", "started_at": hours(-2), "completed_at": hours(-1)}
    for number in range(16):
        toy_run(brand, "fox", **done if number < 10 else {"status": "failed", "completed_at": hours(-1), "started_at": hours(-2)})
    failed = Run.objects.latest("pk")
    words = {
        "last_run": failed,
        "last_status": "failed",
        "error_message": "The shop <b>burned</b> down.",
        "records_affected": 1840,
    }
    DatasetStatus.objects.filter(subject="fox").update(**words)
    body = manager.get(f"{PAGE}of/acme/toys/").content.decode()
    seen = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))
    assert seen.index("toy fox") < seen.index("toy owl") < seen.index("toy bear")
    assert "3 subjects, 1 of 3 late. 1 day old, last run failed." in seen
    assert "Last 14 runs: 8 completed, 6 failed" in seen
    shapes = dict(re.findall(r'<path class="(\w+)" d="([^"]+)"', body))
    assert {name: drawn.count("M") for name, drawn in shapes.items()} == {"ok": 8, "bad": 6}
    assert "The shop &lt;b&gt;burned&lt;/b&gt; down." in body
    assert "1,840" in seen
    assert f'href="/pipeline/runs/{failed.pk}/"' in body
    assert 'href="/pipeline/runs/?job_type=toy&amp;brand=acme"' in body
    assert re.search(r'Needed by</dt><dd><a href="/pipeline/runs/">All runs</a>, One toy</dd>', body)
    assert 'style="' not in body
    assert manager.get(f"{PAGE}of/acme/nonsense/").status_code == 404
    assert "Nothing here is fetched for the platform." in text(manager.get(f"{PAGE}platform/toys/"))


def test_a_manager_sets_how_old_data_may_be_and_every_page_judges_by_it(manager, brand):
    aged(brand, 30, 30, 30)
    other = make_brand("Other")
    aged(other, 30, 30, 30)

    def banner():
        fresh = queries.freshness("toys", brand.pk, ["bear"], max_age=timedelta(days=1))["bear"]
        return fresh.badge.key, queries.banner("Toys", [queries.SubjectState("bear", "Bear", fresh)], noun="toy", verb="Fetch")

    def save(age, seen):
        return text(manager.post(f"{PAGE}of/acme/toys/", {"max_age": age, "seen": seen}, follow=True))

    assert banner()[0] == "late"
    assert queries.health().stale_count == 6
    assert "expected at least every 2 days from now on." in save(172_800, "")
    assert banner() == ("fresh", None)
    assert (cell(manager, brand)[:12], cell(manager, other)[:11]) == ("green: Fresh", "amber: Late")
    assert queries.health().stale_count == 3
    event = Event.objects.get(kind="max_age")
    assert (event.message, event.by.username) == (
        "Toys of Acme: expected every 2 days, before as often as its job type says, set by maria.",
        "maria",
    )
    # Another tab, which shows an older state, changes nothing.
    assert "Somebody changed this meanwhile." in save(604_800, "")
    assert "Choose one of the ages." in save(5, 172_800)
    assert MaxAge.objects.get().max_age == timedelta(days=2)
    page = manager.get(f"{PAGE}of/acme/toys/").content.decode()
    assert "Undo: 1 day" in page
    undo = dict(re.findall(r'type="hidden" name="(max_age|seen)" value="(\d*)"', page[page.index("Undo: ") - 400 :]))
    assert undo == {"max_age": "", "seen": "172800"}
    save(undo["max_age"], undo["seen"])
    assert banner()[0] == "late"


def test_a_refresh_says_its_price_and_queues_what_is_stale_once(manager, brand):
    other = make_brand("Other")
    aged(brand, 1, 30, 60)
    aged(other, 60)  # two were never fetched
    busy = running(other, "bear")
    confirm = f"{PAGE}refresh/?dataset=toys"
    page = manager.get(confirm)
    assert "Refresh 2 subjects? About $4.00, never more than $6.00." in text(page)
    assert f"Under way already Run {busy.pk} toy bear" in text(page)
    assert "2 never fetched are left out." in text(page)
    assert Run.objects.count() == 1
    picked = re.findall(r'name="pick" value="([^"]+)"', page.content.decode())
    answer = text(manager.post(confirm, {"pick": picked}, follow=True))
    assert "2 runs queued." in answer
    assert "Nothing was queued" in text(manager.post(confirm, {"pick": picked}, follow=True))
    queued = Run.objects.exclude(pk=busy.pk)
    assert {(run.subject, run.brand, run.trigger_source, run.created_by.username) for run in queued} == {
        (name, brand, "manual", "maria") for name in ("fox", "owl")
    }
    # What the person did not see is not paid for, and a cell lists what was never fetched too.
    aged(brand, 100)
    manager.post(confirm, {"pick": picked})
    assert queued.count() == 2
    cell_page = text(manager.get(f"{PAGE}refresh/?brand=other&dataset=toys"))
    assert "Refresh 2 subjects?" in cell_page
    assert manager.get(f"{PAGE}refresh/?brand=nobody&dataset=toys").status_code == 404
