"""The page of one subject: its runs, what people changed, and what its scrapes cost, in one list."""

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pipeline import api
from pipeline.contract.job_type import Subject
from pipeline.contract.registry import get_type
from pipeline.models import DatasetStatus, Event, Run, ScheduleRule, UpstreamRun
from tests.factories import make_brand, make_person, make_upstream
from tests.toy.job import Toy

pytestmark = pytest.mark.django_db


@pytest.fixture
def brand():
    return make_brand("Acme")


@pytest.fixture
def operator(client):
    client.force_login(make_person("otto", "operator"))
    return client


@pytest.fixture
def watched(monkeypatch):
    """Each brand has one toy, with a page of its own."""
    bear = Subject("bear", "toy bear", "/bears/", parameters={"name": "bear"})
    monkeypatch.setattr(Toy, "subjects_of", lambda _, brands: ((one.pk, bear) for one in brands if one))


def page_of(brand, key="bear", **more):
    query = "&".join(f"{name}={value}" for name, value in {"subject": key, **more}.items())
    return f"/pipeline/subjects/toy/of/{brand.slug}/?{query}"


def ran(brand, hours, name="bear", price="0.0003", actor="toys~all", status="succeeded"):
    """A run that began so many hours ago, with its paid start."""
    run = api.queue_one_time_job(brand.pk, "toy", {"name": name}).run
    at = timezone.now() - timedelta(hours=hours)
    done = {"status": "completed", "verdict": "ok", "started_at": at, "completed_at": at, "created_at": at}
    Run.objects.filter(pk=run.pk).update(**done, counts={"new": 3}, summary=f"{hours} hours back.")
    start = make_upstream(run, f"id{run.pk}")
    UpstreamRun.objects.filter(pk=start.pk).update(price_per_item=Decimal(price), actor=actor, status=status)
    return run


def lines(answer):
    """What stands in each line of the list."""
    assert answer.status_code == 200, answer
    body = answer.content.decode()
    found = re.findall(r"<li><time class=\"timeline__at\".*?</li>\s*(?=<li><time|</ol>)", body, re.DOTALL)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", one)).strip() for one in found]


def test_one_list_has_runs_settings_schedules_prices_and_actors_newest_first(operator, brand, watched):
    ran(brand, 30)
    ran(brand, 20, price="0.0005")
    ran(brand, 10, price="0.0005", actor="toys~new")
    ran(brand, 5, name="bear only")
    ran(brand, 4, name="owl")
    ran(make_brand("Other"), 3)
    manager = make_person("maria", "manager")
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", {"name": "bear"}, created_by=manager)
    api.record_change("settings", "Changed by maria: name was a, is b.", manager, subjects=[("toy", brand.pk, "bear")])
    for other in (("marble", brand.pk, "bear"), ("toy", brand.pk, "owl"), ("toy", None, "bear")):
        api.record_change("settings", "Of something else.", manager, subjects=[other])
    for kind, hours in (("settings", 15), ("scheduled", 25)):
        Event.objects.filter(kind=kind).update(at=timezone.now() - timedelta(hours=hours))
    answer = operator.get(page_of(brand))
    found = lines(answer)
    told = [
        "5 hours back",
        "Scraped with toys~new",
        "name was a, is b",
        "1,000 items cost $0.50, before $0.30",
        "Scheduled by maria: every day at 03:00.",
    ]
    for words, line in zip([*told, "30 hours back"], found, strict=True):
        assert words in line
    body = answer.content.decode()
    assert re.search(r'<a class="btn btn--primary" href="/bears/">Scrape now', body)
    assert "Every day at 03:00" in body
    assert f"toy&amp;subject=bear&amp;brand={brand.slug}" in body
    DatasetStatus.objects.create(brand=brand, dataset_key="toys", subject="bear", last_success_at=timezone.now())
    assert "Fresh" in operator.get(page_of(brand)).content.decode()
    api.ensure_recurring_job(brand.pk, "toy", "0 4 * * *", {"name": "bear"}, created_by=manager)
    changed = "Schedule changed by maria: every day at 04:00; before: every day at 03:00."
    assert lines(operator.get(page_of(brand)))[0].endswith(changed)
    job.refresh_from_db()
    api.pause(job, manager)
    assert lines(operator.get(page_of(brand)))[0].endswith("Schedule: Pause by maria.")
    assert "Paused" in operator.get(page_of(brand)).content.decode()


def test_pages_go_on_where_the_last_ended_and_cost_as_many_queries_however_long_the_story(operator, brand, watched):
    for hours in range(1, 4):
        ran(brand, hours)
    with CaptureQueriesContext(connection) as few:
        answer = operator.get(page_of(brand))
    assert len(lines(answer)) == 3
    assert "Older" not in answer.content.decode()
    for hours in range(4, 30):
        ran(brand, hours)
    at = timezone.now() - timedelta(hours=40)
    api.record_change("settings", "Added.", None, subjects=[("toy", brand.pk, "bear")] * 30)
    Event.objects.filter(kind="settings").update(at=at)
    Run.objects.filter(pk=Run.objects.latest("pk").pk).update(started_at=at)  # at the very moment of the events
    seen, url = [], page_of(brand)
    while url:
        with CaptureQueriesContext(connection) as many:
            answer = operator.get(url)
        assert len(many) <= len(few)
        moments = answer.context["history"].moments
        seen += [(one.kind, one.pk) for one in moments]
        url = f"/pipeline/subjects/toy/of/{brand.slug}/{answer.context['older']}" if answer.context["older"] else ""
        assert len(moments) <= 25
    assert len(seen) == len(set(seen)) == 29 + 30
    long_ago = "2000-01-01T00:00:00+00:00"
    for nonsense in (
        "x",
        f"{long_ago}~run~x",
        f"{long_ago}~owl~1",
        f"{long_ago}~run~{10**30}",
        "~~",
        "0001-01-01T00:00:00+14:00~run~1",
    ):
        assert len(lines(operator.get(page_of(brand, before=nonsense.replace("+", "%2B"))))) == 25, "the newest page"


def test_events_of_the_moment_at_which_a_page_ends_stand_on_the_next_one(operator, brand, watched):
    for hours in range(1, 26):
        last = ran(brand, hours)
    api.record_change("settings", "Added.", None, subjects=[("toy", brand.pk, "bear")])
    Event.objects.filter(kind="settings").update(at=Run.objects.get(pk=last.pk).started_at)
    first = operator.get(page_of(brand))
    following = operator.get(f"/pipeline/subjects/toy/of/{brand.slug}/{first.context['older']}")
    assert [len(lines(page)) for page in (first, following)] == [25, 1]


def test_a_change_of_price_is_told_once_and_never_of_a_start_that_bought_nothing(operator, brand, watched):
    ran(brand, 30)
    ran(brand, 29, price="9", actor="toys~none", status="void")
    for hours in range(4, 29):
        ran(brand, hours, price="0.0005")
    found = lines(operator.get(page_of(brand)))
    assert "1,000 items cost $0.50, before $0.30." in found[-1], "the start before is not on this page"
    words = " ".join(found)
    assert (words.count("items cost"), words.count("Scraped with")) == (1, 0)


def test_what_belongs_to_another_subject_or_type_is_not_told(operator, brand, watched):
    run = ran(brand, 5)
    marble = ran(brand, 4)
    Run.objects.filter(pk=marble.pk).update(job_type="marble")
    Event.objects.create(kind="archive", message="Its one run is over.", job=run.job)
    api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", {"name": "owl"})
    rule = ScheduleRule.objects.create(brand=brand, job_type="toy", cadence="0 6 * * *", every_subject=False, subjects=["owl"])
    Event.objects.create(kind="rescheduled", message="At 06:00 from now on.", rule=rule)
    assert len(lines(operator.get(page_of(brand)))) == 1
    for which in ({"subjects": ["bear"]}, {"every_subject": True, "subjects": []}):
        ScheduleRule.objects.filter(pk=rule.pk).update(**which)
        assert "Schedule of all: At 06:00 from now on." in lines(operator.get(page_of(brand)))[0]
    assert operator.get(page_of(brand, "fox")).status_code == 404, "a schedule of all makes no subject"


def test_other_types_that_fetch_the_same_data_and_runs_of_all_of_it_are_told(operator, brand, watched, monkeypatch):
    of_all, marble = ran(brand, 5), ran(brand, 4)
    Run.objects.filter(pk=of_all.pk).update(subject="")
    Run.objects.filter(pk=marble.pk).update(job_type="marble")
    assert lines(operator.get(page_of(brand))) == []
    monkeypatch.setattr(Toy, "own_clocks", frozenset({"toys"}))
    monkeypatch.setattr(get_type("marble"), "datasets", {"toys": "Toys"})
    answer = operator.get(page_of(brand))
    assert [one.row.run.pk for one in answer.context["history"].moments] == [marble.pk, of_all.pk]
    whole = operator.get(page_of(brand, "")).context["history"]
    assert ([one.name for one in whole.types], [one.row.run.pk for one in whole.moments]) == (["toy"], [of_all.pk])


def test_what_is_closed_offers_no_scrape(operator, brand, monkeypatch):
    closed = Subject("bear", "toy bear", "/bears/", parameters={"name": "bear"}, closed="Acme is archived.")
    monkeypatch.setattr(Toy, "subjects_of", lambda _, brands: ((one.pk, closed) for one in brands if one))
    body = operator.get(page_of(brand)).content.decode()
    assert "Acme is archived." in body
    assert ("Scrape now" in body, "Open its own page" in body) == (False, True)


def test_the_newest_page_polls_and_quicker_while_a_run_is_live(operator, brand, watched):
    def poll(page):
        return re.search(
            r'id="subject-body"(?: hx-get="([^"]*)" hx-trigger="every (\d+)s")?', operator.get(page).content.decode()
        )

    address, pace = poll(page_of(brand)).groups()
    assert (unescape(address), pace) == (f"/pipeline/subjects/toy/of/{brand.slug}/live/?seen=&subject=bear", "15")
    run = api.queue_one_time_job(brand.pk, "toy", {"name": "bear"}).run
    assert poll(page_of(brand))[2] == "3"
    part = operator.get(unescape(address))
    assert part.content.decode().lstrip().startswith('<div class="stack" id="subject-body" hx-get=')
    assert f"Run {run.pk}" in part.content.decode()
    assert poll(page_of(brand, before=f"{timezone.now().isoformat()}~run~9".replace("+", "%2B")))[1] is None, (
        "nothing changes there"
    )
    assert operator.get(f"/pipeline/subjects/toy/of/{brand.slug}/live/?subject=owl").status_code == 404


def test_a_subject_without_runs_says_what_to_do_and_one_that_nobody_knows_is_not_found(operator, client, brand, watched):
    assert "Nothing happened yet." in operator.get(page_of(brand)).content.decode()
    for unknown in (
        page_of(brand, "owl"),
        page_of(brand, "x" * 300),
        "/pipeline/subjects/none/of/acme/",
        "/pipeline/subjects/toy/platform/",
    ):
        assert operator.get(unknown).status_code == 404
    run = ran(brand, 1, "owl")
    assert "toy owl" in operator.get(page_of(brand, "owl")).content.decode(), "no longer watched, but it has a story"
    assert f'href="{page_of(brand, "owl")}"' in operator.get(run.get_absolute_url()).content.decode()
    client.force_login(make_person("anna", "viewer"))
    body = client.get(page_of(brand)).content.decode()
    assert "Scrape now" not in body
    assert "Open its own page" in body
    client.force_login(make_person("ann", "manager", make_brand("Own")))
    assert client.get(page_of(brand)).status_code == 404
