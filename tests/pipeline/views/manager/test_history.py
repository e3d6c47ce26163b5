"""Every run: filters in the address, counts, pages in both directions, folded ticks, the file, and two runs compared."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pipeline import api
from pipeline.engine.workers.inline import work_off
from pipeline.models import Run
from pipeline.queries.manager.history import every_run
from tests.factories import make_brand, make_person

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/pipeline/runs/"


@pytest.fixture
def brand():
    return make_brand("Acme")


@pytest.fixture
def operator(client):
    client.force_login(make_person("operator", "manager"))
    return client


def queue(brand, name, **parameters):
    return api.queue_one_time_job(brand.pk, "toy", {"name": name, **parameters}).run


def ended(brand, name, status="completed", **fields):
    run = queue(brand, name)
    values = {"completed_at": timezone.now(), "verdict": "ok" if status == "completed" else "", **fields}
    Run.objects.filter(pk=run.pk).update(status=status, **values)
    return run


def ticks(brand, count, start, **fields):
    """That many completed ticks of one schedule, the oldest first, and their job."""
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", {"name": "owl"})
    Run.objects.filter(job=job).delete()
    common = {"job": job, "brand": brand, "job_type": "toy", "subject": "owl", "trigger_source": "scheduled"}
    common |= {"status": "completed", "verdict": "ok", "priority": 20, **fields}
    times = [start + timedelta(days=number) for number in range(count)]
    at = [{"due_at": t, "order_at": t, "scheduled_for": t, "created_at": t, "started_at": t, "completed_at": t} for t in times]
    return job, Run.objects.bulk_create([Run(**common, **one) for one in at])


def shown(client, **query):
    """The runs on the page, from the top, and the addresses of the pages around it."""
    page = client.get(URL, query).content.decode()
    around = dict(reversed(found) for found in re.findall(r'<a href="\?([^"]*)">(Newer|Older)</a>', page))
    return [int(pk) for pk in re.findall(r'id="run-(\d+)"', page)], around


def go(client, address):
    page = client.get(f"{URL}?{address.replace('&amp;', '&')}").content.decode()
    around = dict(reversed(found) for found in re.findall(r'<a href="\?([^"]*)">(Newer|Older)</a>', page))
    return [int(pk) for pk in re.findall(r'id="run-(\d+)"', page)], around


def test_each_filter_leaves_its_runs_and_the_tabs_count_what_the_other_filters_leave(operator, brand):
    other = make_brand("Other")
    person = make_person("anna", "operator")
    ok, cancelled = ended(brand, "bear"), ended(other, "fox", "cancelled")
    check = ended(brand, "owl", verdict="suspicious")
    failed = ended(brand, "Bär", "failed", error_message="The token was refused.", created_by=person)
    retry = queue(brand, "cat")
    Run.objects.filter(pk=retry.pk).update(attempt=1, error_message="Slow down.")
    pending = queue(brand, "dog")
    Run.objects.filter(pk=ok.pk).update(trigger_source="api")
    every = [run.pk for run in (pending, retry, failed, check, cancelled, ok)]
    assert shown(operator)[0] == every
    for query, left in {
        ("status", "check"): [check],
        ("status", "retry"): [retry],
        ("status", "pending"): [pending],
        ("status", "completed"): [ok],
        ("status", "failed"): [failed],
        ("brand", "other"): [cancelled],
        ("job_type", "marble"): [],
        ("trigger", "api"): [ok],
        ("person", "anna"): [failed],
        ("words", "toy bar"): [failed],
        ("error", "TOKEN refused"): [failed],
        ("error", "slow"): [],
        ("job", str(ok.job_id)): [ok],
    }.items():
        assert shown(operator, **dict([query]))[0] == [run.pk for run in left], query
    assert shown(operator, status="check", error="refused")[0] == [], "only a failed run has an error"
    both = operator.get(URL, {"brand": "acme", "status": "check"}).content.decode()
    counts = dict(re.findall(r'">([^<>]+) <span class="count">([\d,+]+)</span>', both))
    assert counts == {"All": "5", "Queued": "1", "Will retry": "1", "Running": "0", "Waiting": "0", "Check": "1"} | {
        "Failed": "1",
        "Completed": "1",
        "Cancelled": "0",
    }
    wrong = operator.get(
        URL, {"status": "x", "brand": "nobody", "ended_from": "soon", "before": "x-y", "job": "a"}
    ).content.decode()
    assert wrong.count("Filter ignored.") == 4
    assert len(re.findall(r'id="run-', wrong)) == 6
    assert "No runs match these filters." in operator.get(URL, {"job_type": "marble"}).content.decode()


def test_a_subject_is_found_by_its_type_and_brand_and_without_them_nothing_is_searched_for_it(operator, brand):
    """The index begins with these: a million runs would be read."""
    owl, fox = ended(brand, "owl"), ended(brand, "fox")
    alone, other = (api.queue_one_time_job(one, "marble", {}).run for one in (None, brand.pk))
    Run.objects.filter(pk__in=[alone.pk, other.pk]).update(subject="owl", job_type="export")
    assert shown(operator, brand="acme", job_type="toy", subject="owl")[0] == [owl.pk]
    assert shown(operator, job_type="export", subject="owl")[0] == [alone.pk]
    for query, asks, left in (
        ({}, "Choose its type and brand.", [other.pk, alone.pk, fox.pk, owl.pk]),
        ({"brand": "acme"}, "Choose its type and brand.", [other.pk, fox.pk, owl.pk]),
        ({"job_type": "toy"}, "Choose its brand.", [fox.pk, owl.pk]),
    ):
        assert f"Filter ignored. Subject: {asks}" in operator.get(URL, {**query, "subject": "owl"}).content.decode(), query
        assert shown(operator, **query, subject="owl")[0] == left


def test_a_person_with_a_limit_sees_and_counts_only_their_brands(client, brand):
    ended(make_brand("Other"), "fox"), ended(brand, "bear")
    client.force_login(make_person("anna", "viewer", brand))
    assert len(shown(client)[0]) == 1
    assert shown(client, brand="other")[0] == [Run.objects.get(brand=brand).pk], "who may not see a brand cannot choose it"
    assert b"fox" not in b"".join(client.get("/pipeline/runs.csv"))
    foreign = Run.objects.exclude(brand=brand).get()
    assert client.get(f"{URL}compare/", {"a": foreign.pk, "b": foreign.pk}).status_code == 404


def test_days_are_those_of_the_sites_zone(operator, brand, settings):
    settings.TIME_ZONE = "America/Los_Angeles"
    with timezone.override("America/Los_Angeles"):
        inside = ended(brand, "in", completed_at=datetime(2026, 5, 5, 6, 59, tzinfo=UTC))  # 23:59 on the fourth
        ended(brand, "after", completed_at=datetime(2026, 5, 5, 7, 0, tzinfo=UTC))
        ended(brand, "before", completed_at=datetime(2026, 5, 4, 6, 59, tzinfo=UTC))
        queue(brand, "live")
        assert shown(operator, ended_from="2026-05-04", ended_to="2026-05-04")[0] == [inside.pk]


@pytest.mark.parametrize("query", [{}, {"status": "completed"}])
def test_pages_lead_forth_and_back_over_the_same_runs(operator, brand, monkeypatch, query):
    monkeypatch.setattr(every_run, "PAGE", 3)
    now = timezone.now()
    runs = [ended(brand, str(number), completed_at=now - timedelta(hours=number // 2)) for number in range(8)]  # two at a time
    expected = sorted(runs, key=lambda run: run.pk, reverse=True)
    if query:
        expected.sort(key=lambda run: runs.index(run) // 2)
    first, around = shown(operator, **query)
    second, around = go(operator, around["Older"])
    third, last = go(operator, around["Older"])
    assert [*first, *second, *third] == [run.pk for run in expected]
    assert "Older" not in last
    back, around = go(operator, last["Newer"])
    assert back == second
    newest, around = go(operator, around["Newer"])
    assert (newest, "Newer" in around) == (first, False)


def test_ticks_that_went_well_fold_into_one_line_up_to_one_that_did_not(operator, brand, monkeypatch):
    monkeypatch.setattr(every_run, "PAGE", 3)
    job, runs = ticks(brand, 12, timezone.now() - timedelta(days=20))
    click = ended(brand, "bear")
    Run.objects.filter(pk=runs[4].pk).update(verdict="partial")
    page = operator.get(URL).content.decode()
    assert shown(operator)[0] == [click.pk, runs[11].pk, runs[4].pk]
    assert "× 7</a>" in page
    assert f'href="?job={job.pk}"' in page
    second, around = go(operator, shown(operator)[1]["Older"])
    assert second == [runs[3].pk], "the four older ticks"
    assert go(operator, around["Newer"])[0] == [click.pk, runs[11].pk, runs[4].pk]
    assert shown(operator, job=str(job.pk))[0] == [run.pk for run in reversed(runs[9:])], "one line each"


def test_counts_and_searches_end_somewhere_and_say_so(operator, brand, monkeypatch):
    monkeypatch.setattr(every_run, "COUNTED", 2)
    monkeypatch.setattr(every_run, "SEARCHED", 2)
    for name in ("bear one", "owl", "fox"):
        ended(brand, name)
    page = operator.get(URL, {"words": "bear"}).content.decode()
    assert "No runs match" in page
    assert "Searched the newest 2 runs that the other filters leave." in page
    assert 'Completed <span class="count">2+</span>' in operator.get(URL).content.decode()


def test_a_page_takes_as_many_queries_for_one_run_as_for_many(operator, brand):
    asked = []
    for count in (1, 30):
        for number in range(count):
            ended(brand, f"{count} {number}")
        with CaptureQueriesContext(connection) as queries:
            operator.get(URL)
        asked.append(len(queries))
    assert asked[0] == asked[1] <= 24


def test_the_file_has_every_run_that_matches_and_no_formula(operator, brand):
    ticks(brand, 3, timezone.now() - timedelta(days=5))
    ended(brand, "=1+1", "failed", error_message="@evil")
    answer = operator.get("/pipeline/runs.csv", {"job_type": "toy"})
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
    assert len(rows) == 4
    assert [row["Run"] for row in rows] == sorted((row["Run"] for row in rows), key=int, reverse=True)
    assert (rows[0]["State"], rows[0]["By"], rows[0]["Result"]) == ("Failed", "the command line", "'@evil")
    filtered = b"".join(operator.get("/pipeline/runs.csv", {"status": "failed"})).decode()
    assert filtered.count("\r\n") == 2


def test_two_runs_are_compared_by_what_differs(operator, brand):
    first = queue(brand, "bear")
    work_off()
    second = queue(brand, "bear", works=0.1)
    work_off()
    Run.objects.filter(pk=second.pk).update(counts={"new": 7}, cost_actual="1.20")
    picked = operator.get(f"{URL}compare/", {"run": [second.pk, first.pk]})
    assert picked["Location"] == f"{URL}compare/?a={first.pk}&b={second.pk}"
    found = operator.get(picked["Location"]).context["found"]
    differ = [(fact.about, fact.name) for fact in found.differ]
    assert differ[:3] == [("Parameters", "Works"), ("Price", "Cost"), ("Counts", "New")]
    assert ("Parameters", "Name") in [(fact.about, fact.name) for fact in found.same]
    for query in ({"run": [first.pk]}, {"a": "x", "b": first.pk}, {"run": [1, 2, 3]}):
        assert "Choose two runs" in operator.get(f"{URL}compare/", query, follow=True).content.decode()
