"""The page of one run beyond its buttons: its story, its log, what is usual, and a new run with other parameters."""

import re
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from pipeline import api
from pipeline.contract.job_type import Brought
from pipeline.engine.workers.inline import work_off
from pipeline.models import Attempt, Run, RunLog, Step, UpstreamRun
from tests.factories import make_brand, make_person, make_upstream, make_user
from tests.toy.job import Toy

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def brand():
    return make_brand("Acme")


@pytest.fixture
def operator(client):
    client.force_login(make_person("operator", "manager"))
    return client


def queue(brand, **parameters):
    return api.queue_one_time_job(brand.pk, "toy", parameters).run


def test_the_story_of_a_run_names_its_failed_attempt_after_its_steps_and_folds_looks_at_one_wait(operator, brand):
    run = queue(brand, ends="permanent")
    work_off()
    detail = operator.get(run.get_absolute_url()).context["detail"]
    assert [entry.kind for entry in detail.timeline] == ["line", "work", "end"]
    failed = detail.timeline[1]
    assert (failed.words, failed.why, failed.steps) == ("Attempt 1: failed", "There is no such toy.", ["unpack"])
    page = operator.get(run.get_absolute_url()).content.decode()
    assert "The next step failed." in page
    assert "Retry from the failed step" in page

    waits = queue(brand, name="waits")
    start = timezone.now() - timedelta(minutes=30)
    Run.objects.filter(pk=waits.pk).update(status="waiting", created_at=start, started_at=start)
    token = "00000000-0000-0000-0000-000000000001"
    for number in range(4):
        at = start + timedelta(minutes=5 * number)
        times = {"started_at": at, "ended_at": at + timedelta(seconds=1)}
        Attempt.objects.create(run=waits, number=number + 1, lease_token=token, outcome="parked", **times)
    Step.objects.create(run=waits, name="start")
    Step.objects.filter(run=waits).update(at=start)
    story = operator.get(waits.get_absolute_url()).context["detail"].timeline
    assert [(entry.kind, entry.times) for entry in story] == [("line", 1), ("work", 1), ("upstream", 4)]


def test_an_attempt_that_only_waited_or_went_back_to_the_queue_is_not_told_as_a_failed_step(operator, brand):
    run = queue(brand)
    start = timezone.now() - timedelta(minutes=30)
    Run.objects.filter(pk=run.pk).update(status="waiting", created_at=start, started_at=start)
    told = [("parked", "Waiting for Apify."), ("handed_back", "Over today's limit.")]
    for number, (outcome, why) in enumerate(told):
        at = start + timedelta(minutes=5 * number)
        times = {"started_at": at, "ended_at": at + timedelta(seconds=9)}
        token = "00000000-0000-0000-0000-000000000001"
        Attempt.objects.create(run=run, number=number + 1, lease_token=token, outcome=outcome, error=why, **times)
        Step.objects.create(run=run, name=f"step {number}")
        Step.objects.filter(name=f"step {number}").update(at=at)
    page = operator.get(run.get_absolute_url()).content.decode()
    assert page.count("1 step done") == 2
    assert "The next step failed." not in page
    assert "Attempt 1: worked, then waited</p>" in page
    assert "Attempt 2: handed back to the queue: <bdi>Over today&#x27;s limit.</bdi>" in page


def test_a_cancelled_run_says_who_asked_for_it(operator, brand):
    run = queue(brand)
    operator.post(f"{run.get_absolute_url()}cancel/")
    page = operator.get(run.get_absolute_url()).content.decode()
    assert "<p>Cancelled: <bdi>asked for by operator</bdi></p>" in page
    assert "Retry from the failed step" not in page


@pytest.mark.parametrize(("status", "filled"), [("failed", "Retry"), ("cancelled", "See the 1 new row")])
def test_one_button_of_a_run_is_filled(operator, brand, monkeypatch, status, filled):
    run = queue(brand)
    brought = Brought("/rows/?run=1", "pipeline.view_run", [("Good", "It works.", None)])
    monkeypatch.setattr(Toy, "brought", lambda *_: brought, raising=False)
    Run.objects.filter(pk=run.pk).update(status=status, completed_at=timezone.now(), counts={"new": 1})
    page = operator.get(run.get_absolute_url()).content.decode()
    assert re.findall(r'class="btn btn--primary"[^>]*>([^<]+)', page) == [filled]


def test_a_run_is_compared_with_what_is_usual_and_with_the_last_good_one(operator, brand):
    for minutes in (8, 9, 10):
        run = queue(brand)
        work_off()
        Run.objects.filter(pk=run.pk).update(started_at=F("completed_at") - timedelta(minutes=minutes))
    late = queue(brand)
    assert "usually" not in operator.get(queue(brand, name="other").get_absolute_url()).content.decode()
    work_off()
    Run.objects.filter(pk=late.pk).update(started_at=F("completed_at") - timedelta(minutes=22))
    page = operator.get(late.get_absolute_url()).content.decode()
    assert "took 22 m 00 s, usually 9 m 00 s" in page
    assert f"/pipeline/runs/compare/?a={run.pk}&amp;b={late.pk}" in page


def test_the_log_has_its_levels_with_counts_and_a_line_has_an_address(operator, brand):
    run = queue(brand)
    for seq, level in ((901, "warning"), (902, "error"), (903, "info")):
        RunLog.objects.create(run=run, seq=seq, at=timezone.now(), level=level, message=f"line {seq}")
    page = operator.get(run.get_absolute_url(), {"level": "warning"}).content.decode()
    counts = dict(re.findall(r'">(All|Warnings|Errors) <span class="count">(\d+)</span>', page))
    assert (counts["Warnings"], counts["Errors"]) == ("2", "1")
    assert 'id="L901"' in page
    assert 'id="L903"' not in page


def test_what_a_run_brought_is_shown_to_who_may_see_it_and_a_bug_there_hides_nothing_else(client, brand, monkeypatch):
    run = queue(brand)
    work_off()
    shown = Brought("/rows/?run=1", "competitors.view_amazonreview", [("Good <b>", "It works.", None)])
    monkeypatch.setattr(Toy, "brought", lambda *_: shown, raising=False)
    client.force_login(make_person("anna", "viewer"))
    page = client.get(run.get_absolute_url()).content.decode()
    assert 'href="/rows/?run=1">See the 1 new row</a>' in page
    assert "Good &lt;b&gt;" in page
    client.force_login(make_user("clerk", "pipeline.view_run"))
    assert "It works." not in client.get(run.get_absolute_url()).content.decode()
    monkeypatch.setattr(Toy, "brought", lambda *_: 1 / 0, raising=False)
    assert client.get(run.get_absolute_url()).status_code == 200


def test_other_parameters_are_checked_and_priced_before_a_new_run_is_queued(operator, client, brand):
    run = queue(brand)
    work_off()
    url = f"{run.get_absolute_url()}edit/"
    assert 'value="bear"' in operator.get(url).content.decode()
    asked = {"name": "owl", "ends": "ok", "sleeps": 0, "works": 0}
    assert operator.post(url, asked | {"works": -1, "go": 1}).status_code == 422
    assert "Free." in operator.post(url, asked).content.decode()
    assert Run.objects.count() == 1
    answer = operator.post(url, asked | {"go": 1})
    new = Run.objects.get(subject="owl")
    assert (answer.status_code, answer["Location"], new.created_by.username) == (303, new.get_absolute_url(), "operator")
    assert operator.post(url, asked | {"go": 1})["Location"] == new.get_absolute_url()
    assert Run.objects.count() == 2, "the second click finds the first one's run"
    client.force_login(make_person("anna", "operator", make_brand("Own")))
    assert client.get(url).status_code == 404


@pytest.mark.parametrize(
    ("paid", "settled", "tone", "words"),
    [
        ("1.59", True, "grey", "71 % over the estimate."),
        ("1.59", False, "grey", ""),
        ("0.95", True, "grey", ""),
        ("2.50", True, "amber", "169 %"),
    ],
)
def test_what_was_paid_stands_beside_the_estimate_and_the_most_it_may_cost(operator, brand, paid, settled, tone, words):
    run = queue(brand)
    work_off()
    Run.objects.filter(pk=run.pk).update(cost_estimate="0.93", cost_actual=paid)
    UpstreamRun.objects.filter(pk=make_upstream(run).pk).update(status="succeeded", cost_cap="2.79", cost_settled=settled)
    page = operator.get(run.get_absolute_url()).content.decode()
    meter = re.search(r'<svg class="chart chart--meter"[^>]*aria-label="Paid.*?</svg>', page)[0]
    assert f'class="tone-{tone}"' in meter
    assert 'class="tick" d="M33' in meter
    assert words in page
    assert ("over the estimate" in page) == bool(words)
