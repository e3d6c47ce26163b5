"""The tab Active: groups, what is held and why, limits and pauses set in place, and nothing of other people's brands."""

import re
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pipeline import api
from pipeline.engine.queue.claim import claimable
from pipeline.models import ConcurrencyLimit, DayTotal, Event, Pause, Run, SourceState, UpstreamRun, Worker
from pipeline.queries.manager.live.limits import LimitRow
from tests.factories import make_brand, make_person, make_upstream
from tests.toy.job import Toy

pytestmark = pytest.mark.django_db(transaction=True)
ACTIVE = "/pipeline/active/"


@pytest.fixture
def brand():
    return make_brand("Acme")


@pytest.fixture
def manager(client):
    client.force_login(make_person("nadia", "manager"))
    return client


@pytest.fixture(autouse=True)
def _worker():
    Worker.objects.create(host="box", pid=1, started_at=timezone.now(), last_seen_at=timezone.now())


def toys(brand, *names):
    return [api.queue_one_time_job(brand.pk, "toy", {"name": name}).run for name in names]


def running(run, **fields):
    at = timezone.now()
    lease = {"lease_token": uuid4(), "lease_expires_at": at + timedelta(hours=1), "started_at": at - timedelta(minutes=4)}
    Run.objects.filter(pk=run.pk).update(status="running", **lease, **fields)


def at_upstream(run):
    UpstreamRun.objects.filter(pk=make_upstream(run, f"up{run.pk}").pk).update(
        status="running", cost_estimate=Decimal("1.5"), cost_actual=Decimal("0.4")
    )
    due = timezone.now() + timedelta(minutes=1)
    Run.objects.filter(pk=run.pk).update(status="waiting", due_at=due, started_at=timezone.now())


def good_run_of(brand, name, minutes):
    (run,) = toys(brand, name)
    end = timezone.now() - timedelta(days=1)
    Run.objects.filter(pk=run.pk).update(
        status="completed", verdict="ok", started_at=end - timedelta(minutes=minutes), completed_at=end, dedupe_key=None
    )


def text_of(answer):
    body = answer.content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", body[body.index("<main") :]).split())


def test_live_runs_stand_in_four_groups_each_with_what_it_waits_for(manager, brand):
    empty = text_of(manager.get(ACTIVE))
    assert "Nothing is running. To start one now, press Scrape" in empty

    good_run_of(brand, "bear", 2)
    bear, owl, *line = toys(brand, "bear", "owl", *(f"fox {n}" for n in range(40)))
    running(bear, progress={"done": 7, "total": 12, "unit": "parts"})
    at_upstream(owl)
    late = line[0]
    Run.objects.filter(pk=late.pk).update(attempt=1, error_message="Slow.", due_at=timezone.now() + timedelta(minutes=5))
    api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", {"name": "cat"})
    held = make_brand("Northpaw")
    toys(held, "a", "b")
    Pause.objects.create(brand=held, reason="Moving house.")

    answer = manager.get(ACTIVE)
    words = text_of(answer)
    assert "1 run working, 1 at Apify, 40 waiting, 2 held. Live runs may still spend ≈ $1.50. 1 run scheduled, the next" in words
    assert "7 of 12 parts" in words
    assert re.search(r"4 m 0\d s of usually 2 min", words)
    assert "2 runs of Toy 🧸 Northpaw Paused by the system" in words
    assert "Moving house." in words
    assert "10 more waiting 25 runs more in the history" in words
    assert "39 for a worker, 1 for another try." in words
    assert answer.content.count(b'class="rest"') == 10
    assert b'hx-trigger="every 3s"' in answer.content
    assert words.count("Run now") == 0  # the tried run is far behind in the line

    paused = text_of(manager.get("/"))
    assert "Paused by the system" in paused
    assert "Moving house." in paused

    asked = text_of(manager.get(f"{ACTIVE}{owl.pk}/cancel/"))
    assert "It has spent $0.40 so far. A cancel saves up to ≈ $1.10." in asked
    manager.post(f"/pipeline/runs/{owl.pk}/cancel/", {"next": ACTIVE})
    assert "cancel was requested" in text_of(manager.get(f"{ACTIVE}{owl.pk}/cancel/"))
    Run.objects.filter(pk__in=[one.pk for one in line[1:]]).delete()
    words = text_of(manager.get(ACTIVE))
    assert "Try 2 of 4 in 4 min. Last error: Slow." in words
    assert f"Run now : run {late.pk}" in words


def test_a_poll_that_would_show_the_same_is_not_answered_and_an_idle_page_asks_seldom(manager, brand):
    Pause.objects.create()
    toys(brand, "bear")
    page = manager.get(ACTIVE).content.decode()
    assert 'hx-trigger="every 15s"' in page
    first = manager.get(f"{ACTIVE}live/?seen=&").content.decode()
    seen = re.search(r"seen=(\w+)", first)[1]
    poll = f"{ACTIVE}live/?seen={seen}&"
    assert manager.get(poll).status_code == 304
    Pause.objects.all().delete()
    assert manager.get(poll).status_code == 200


def test_a_limit_that_is_changed_on_the_page_changes_the_claim(manager, brand):
    bear, owl = toys(brand, "bear", "owl")
    running(bear)
    answer = manager.post("/pipeline/limits/new/", {"limit-job_type": "toy", "limit-brand": "acme", "limit-max_running": "1"})
    assert (answer.status_code, answer["Location"]) == (303, ACTIVE)
    limit = ConcurrencyLimit.objects.get()
    assert not claimable()
    words = text_of(manager.get(ACTIVE))
    assert f"Toy of Acme at once 1 of 1 used 1 run waiting. Held by run {bear.pk} . First in line: run {owl.pk} ." in words
    assert "1 for the limit of Toy of Acme." in words

    for bad, error in (("-1", "greater than or equal to 0"), ("", "This field is required."), ("99999999999", "less than or")):
        refused = manager.post(f"/pipeline/limits/{limit.pk}/", {"max_running": bad})
        assert refused.status_code == 422
        assert error in text_of(refused)
        assert f'id="limit{limit.pk}_max_running_error"' in refused.content.decode()
        assert b"hx-trigger" not in refused.content  # a poll would take the error away
    double = manager.post("/pipeline/limits/new/", {"limit-job_type": "toy", "limit-brand": "acme", "limit-max_running": "2"})
    assert "These runs have a limit already." in text_of(double)

    manager.post(f"/pipeline/limits/{limit.pk}/", {"max_running": "2"})
    assert claimable()
    manager.post(f"/pipeline/limits/{limit.pk}/", {"max_running": "0"})
    assert not claimable()
    assert "0: nothing starts until it is raised." in text_of(manager.get(ACTIVE))
    manager.post(f"/pipeline/limits/{limit.pk}/", {"remove": "1"})
    assert claimable()
    assert [
        event.message.partition(" was ")[2].partition(" Before: ")[0]
        for event in Event.objects.filter(kind="concurrencylimit").order_by("pk")
    ] == [
        "set by nadia.",
        "changed by nadia.",
        "changed by nadia.",
        "removed by nadia.",
    ]


def test_a_pause_is_set_and_ended_on_the_page_and_told_wherever_it_keeps_something_back(manager, brand):
    (run,) = toys(brand, "bear")
    now = timezone.localtime()
    form = {"pause-job_type": "toy", "pause-reason": "New prices", "pause-until": f"{now + timedelta(hours=2):%Y-%m-%dT%H:%M}"}
    for change, error in (
        ({"pause-reason": ""}, "This field is required."),
        ({"pause-until": "2001-01-01T00:00"}, "Choose a time in the future"),
        ({"pause-until": "soon"}, "Enter a valid date/time."),
        ({"pause-source": "apify"}, "Choose no type and no brand with it."),
        ({"pause-job_type": "torch"}, "torch is not one of the available choices."),
    ):
        refused = manager.post("/pipeline/pauses/new/", form | change)
        assert (refused.status_code, Pause.objects.count()) == (422, 0)
        assert error in text_of(refused)
    manager.post("/pipeline/pauses/new/", form)
    pause = Pause.objects.get()
    assert not claimable()
    assert "These runs are paused already." in text_of(manager.post("/pipeline/pauses/new/", form))
    for page in (ACTIVE, run.get_absolute_url(), "/"):
        assert re.search(r"Paused by nadia since \d\d:\d\d until [^:]*\d\d:\d\d: Toy. New prices.", text_of(manager.get(page))), (
            page
        )
    manager.post(f"/pipeline/pauses/{pause.pk}/end/")
    assert claimable()
    manager.post("/pipeline/pauses/new/", {"pause-source": "apify", "pause-reason": "Its bill"})
    assert claimable()  # no toy uses it
    assert "everything at Apify. Its bill." in text_of(manager.get(ACTIVE))


def test_who_is_limited_to_a_brand_sees_nothing_of_others_and_sets_nothing_for_all(client, brand):
    other = make_brand("Zebrafish")
    ours, theirs = toys(brand, "bear") + toys(other, "zebra")
    running(theirs)
    for scope in ({}, {"brand": other}):
        ConcurrencyLimit.objects.create(max_running=1, **scope)
    whole = Pause.objects.create(job_type="toy", reason="All of it")
    Pause.objects.create(brand=other, reason="Hidden")
    client.force_login(make_person("ines", "manager", brand))
    for path in (ACTIVE, f"{ACTIVE}live/?seen=&"):
        body = client.get(path).content.decode()
        assert "All of it" in body
        assert "Zebrafish" not in body
        assert "Hidden" not in body
        assert f"run {theirs.pk}" not in body
        assert f"Run {theirs.pk}" not in body
        assert "All runs at once" in body
        assert "1 of 1" not in body
    assert client.get(f"{ACTIVE}{theirs.pk}/cancel/").status_code == 404
    for path in (f"/pipeline/pauses/{whole.pk}/end/", *(f"/pipeline/limits/{one.pk}/" for one in ConcurrencyLimit.objects.all())):
        assert client.post(path, {"max_running": "5"}).status_code == 404
    for data in ({"pause-reason": "x"}, {"pause-reason": "x", "pause-brand": "zebrafish"}):
        assert client.post("/pipeline/pauses/new/", data).status_code == 422
    client.post("/pipeline/pauses/new/", {"pause-reason": "Ours", "pause-brand": "acme"})
    assert Pause.objects.get(brand=brand).by.username == "ines"
    assert ours.brand == brand

    client.force_login(make_person("viv", "viewer"))
    seen = client.get(ACTIVE).content.decode()
    assert f"run {theirs.pk}" in seen
    for button in ("End pause", "Save", "Run now", "act-cancel", "pause-new"):
        assert button not in seen
    assert client.post("/pipeline/pauses/new/", {"pause-reason": "x"}).status_code == 403


def test_no_number_of_rows_limits_or_pauses_costs_a_query_more(manager, brand):
    SourceState.objects.create(source="apify", slow_until=timezone.now() + timedelta(minutes=5))

    def grow(number):
        for n in range(number):
            of = make_brand(f"Brand {Run.objects.count()}")
            first, second, *_ = toys(of, f"bear {n}", f"owl {n}", f"cat {n}")
            running(first)
            at_upstream(second)
            good_run_of(of, f"hen {n}", 3)
            ConcurrencyLimit.objects.create(brand=of, max_running=1)
            Pause.objects.create(brand=make_brand(f"Still {Run.objects.count()}"), reason="x")

    def queries():
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert manager.get(f"{ACTIVE}live/?seen=&").status_code == 200
        return len(found)

    grow(2)
    few = queries()
    grow(8)
    assert queries() == few <= 30


def test_a_planned_run_of_a_paid_type_says_what_its_cancel_saves(client, brand, monkeypatch):
    client.force_login(make_person("otto", "operator"))
    monkeypatch.setattr(Toy, "actor", "toys~all")
    api.ensure_recurring_job(brand.pk, "toy", "0 6 * * 1", {"name": "owl"})
    DayTotal.objects.create(day=timezone.localdate(), job_type="toy", good=4, usd=2)
    asked = client.get(f"/pipeline/active/{Run.objects.get().pk}/cancel/").content.decode()
    assert "It has spent nothing so far. A cancel saves up to ≈ $0.50." in asked


def test_a_large_limit_that_nobody_uses_is_one_free_bar():
    assert [slot.kind for slot in LimitRow("Toy at once", 50).slots] == ["free"]
    assert LimitRow("Workers", 0, used=0).sentence == "None is alive."
    assert [slot.kind for slot in LimitRow("Toy at once", 50, used=3).slots] == ["used", "free"]
