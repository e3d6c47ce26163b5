"""Tab Schedules: what a person sees and saves in a row, and the week ahead."""

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from pipeline import api, queries
from pipeline.contract.registry import get_type
from pipeline.models import Brand, Job, Run, ScheduleRule
from tests.factories import make_brand, make_person
from tests.toy.kennel import NAME, open_kennel

pytestmark = pytest.mark.django_db
PAGE = "/pipeline/schedules/"
DAILY = {"every": "daily", "at": "06:00", "enabled": "on", "which": "all", "parameter-miles": "2", "parameter-leash": "on"}


@pytest.fixture
def brand():
    return make_brand()


@pytest.fixture
def walk(brand):
    yield from open_kennel({brand.pk: ["Rex", "Bella"]})


@pytest.fixture
def anna(client):
    person = make_person("anna", "manager")
    client.force_login(person)
    return person


def words(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", unescape(answer.content.decode())).split())


def save(client, brand, **values):
    return client.post(reverse("schedule_save"), {"brand": brand.slug, "job_type": NAME, **DAILY, **values})


def test_a_type_appears_by_being_registered_and_is_scheduled_in_its_row(client, brand, walk, anna):
    assert "Walk" in words(client.get(PAGE))
    assert save(client, brand).status_code == 303
    page = client.get(PAGE + f"?brand={brand.slug}")
    assert "Walk saved. Every day at 06:00, Los Angeles time." in words(page)
    rule = ScheduleRule.objects.get()
    assert (rule.cadence, rule.parameters, rule.enabled) == ("0 6 * * *", {"miles": 2, "leash": True}, True)
    assert "Scheduled by anna: every day at 06:00." in words(page)
    assert sorted(Job.objects.values_list("subject", flat=True)) == ["Bella", "Rex"]
    assert "the first of 2" in words(page)
    assert "All 2, new ones included" in words(page)
    assert 'value="daily" selected' in page.content.decode()


@pytest.mark.parametrize(
    ("values", "cadence"),
    [
        ({"every": "twice"}, "0 6,18 * * *"),
        ({"every": "weekly", "weekday": "3"}, "0 6 * * 3"),
        ({"every": "monthly", "day": "5"}, "0 6 5 * *"),
        ({"every": "fresh", "hours": "72"}, "fresh 72h"),
        ({"every": "once", "at": "09:00", "date": "2126-05-04"}, "once 2126-05-04T09:00"),
        ({"every": "custom", "cron": "*/20 6 * * *"}, "*/20 6 * * *"),
        ({"every": "off"}, ""),
    ],
)
def test_each_cadence_is_saved_and_shown_again(client, brand, walk, anna, values, cadence):
    assert save(client, brand, **values).status_code == 303
    rule = ScheduleRule.objects.get()
    assert (rule.cadence, rule.enabled) == (cadence, bool(cadence))
    page = client.get(PAGE).content.decode()
    assert f'value="{values["every"]}" selected' in page


def test_a_deadline_is_saved_and_shown_with_its_latest_start(client, brand, walk, anna):
    hour = 15 if 8 <= timezone.localtime().hour < 10 else 9  # not one whose latest start is just now: it would be moved
    assert save(client, brand, every="ready", at=f"{hour:02}:00", days="1-5").status_code == 303
    assert ScheduleRule.objects.get().cadence == f"ready 0 {hour} * * 1-5"
    page = client.get(PAGE).content.decode()
    assert 'value="ready" selected' in page
    assert f"{hour:02}:00, latest start {hour - 1:02}:30" in page, "nothing is known yet of how long a walk takes"


@pytest.mark.parametrize(
    ("values", "at_field", "said"),
    [
        ({"every": "custom", "cron": "0 25 * * *"}, "walk_cron", "0 25 * * *"),
        ({"every": "fresh", "hours": ""}, "walk_hours", "Enter the hours."),
        ({"every": "once", "date": ""}, "walk_date", "Choose the day."),
        ({"every": "twice", "at": "13:00"}, "walk_at", "before 12:00"),
        ({"time_zone": "Mars"}, "walk_time_zone", "no time zone 'Mars'"),
        ({"parameter-miles": "10"}, "walk_parameter-miles", "less than or equal to 9"),
        ({"which": "chosen"}, "walk_subjects", "Choose at least one."),
        ({"which": "chosen", "subjects": "Fido"}, "walk_subjects", "Fido"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_nothing_is_saved(client, brand, walk, anna, values, at_field, said):
    answer = save(client, brand, **values)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'href="#{at_field}"' in page
    assert f'id="{at_field}_error"' in page
    assert said in words(answer)
    assert not ScheduleRule.objects.exists()


def test_a_row_is_undone_and_a_second_tab_cannot_undo_what_it_did_not_see(client, brand, walk, anna):
    save(client, brand)
    save(client, brand, every="weekly", weekday="1")
    rule = ScheduleRule.objects.get()
    undo = reverse("schedule_undo", args=[rule.pk])
    for old in ({"version": rule.version - 1}, {"version": "²"}, {}):
        assert "Somebody else just changed" in words(client.post(undo, old, follow=True))
    answer = client.post(undo, {"version": rule.version}, follow=True)
    assert "Walk is as it was: Every day at 06:00" in words(answer)
    assert "Change undone by anna" in words(answer)
    gone = {"brand": brand.slug, "job_type": "gone"}
    assert "There is no such job type here." in words(client.post(reverse("schedule_save"), gone, follow=True))
    assert client.get(reverse("schedule_outlook"), gone).status_code == 400


def test_what_a_row_would_cost_is_told_before_it_is_saved_and_a_costly_one_asks(client, brand, walk, anna, monkeypatch, settings):
    monkeypatch.setattr(type(get_type(NAME)), "actor", "walker")
    run = api.queue_one_time_job(brand.pk, NAME, {"dog": "Rex"}).run
    Run.objects.filter(pk=run.pk).update(
        status="completed", verdict="ok", completed_at=timezone.now(), cost_actual=Decimal("0.5")
    )
    asked = {"brand": brand.slug, "job_type": NAME, **DAILY}
    told = words(client.get(reverse("schedule_outlook"), asked))
    assert re.search(r"≈ \$30\.\d0 6[01](\.\d)? runs\. Every day at 06:00, Los Angeles time\.$", told), told
    assert not ScheduleRule.objects.exists()
    often = words(client.get(reverse("schedule_outlook"), asked | {"every": "custom", "cron": "5 */6 * * *"}))
    assert re.search(r"Next: (\w+ \d+ \w+ \d\d:05, ){4}\w+ \d+ \w+ \d\d:05\.", often)
    assert "0 25" in words(client.get(reverse("schedule_outlook"), asked | {"every": "custom", "cron": "0 25 * * *"}))
    settings.PIPELINE_SCHEDULE_ASK_USD = 20
    answer = save(client, brand)
    assert (answer.status_code, ScheduleRule.objects.exists()) == (422, False)
    assert "a month. Not saved yet." in words(answer)
    assert save(client, brand, sure="on").status_code == 303


def test_the_months_cost_counts_what_has_a_schedule_of_its_own_and_is_not_paused(client, brand, walk, anna, monkeypatch):
    monkeypatch.setattr(type(get_type(NAME)), "actor", "walker")
    run = api.queue_one_time_job(brand.pk, NAME, {"dog": "Rex"}).run
    Run.objects.filter(pk=run.pk).update(
        status="completed", verdict="ok", completed_at=timezone.now(), cost_actual=Decimal("0.5")
    )
    api.ensure_recurring_job(brand.pk, NAME, "0 6 1 * *", {"dog": "Rex"})
    paused = api.ensure_recurring_job(brand.pk, NAME, "0 6 1 * *", {"dog": "Bella"})
    page = words(client.get(PAGE))
    assert re.search(r"2 with schedules of their own, ≈ \$(1\.00|0\.9\d|1\.0\d) a month", page), page
    Job.objects.filter(pk=paused.pk).update(status="paused")
    page = words(client.get(PAGE))
    assert re.search(r"2 with schedules of their own, ≈ \$0\.[45]\d a month", page), page
    assert re.search(r"on, ≈ \$0\.[45]\d a month in all", page), page


@pytest.mark.parametrize("limited", [False, True])
def test_without_a_brand_the_tab_says_what_to_do_first(client, limited):
    client.force_login(make_person("anna", "viewer", make_brand("Gone")) if limited else make_person("anna", "manager"))
    Brand.objects.update(archived_at=timezone.now())
    answer = client.get(PAGE)
    assert "No brands yet. Add a brand and what is to be scraped for it." in words(answer)
    assert (f"{PAGE}?on=platform" in answer.content.decode()) != limited


def test_who_may_not_change_schedules_sees_them_and_no_form(client, brand, walk):
    api.save_rule(brand.pk, NAME, cadence="fresh 72h", enabled=True)
    api.ensure_recurring_job(brand.pk, NAME, "0 9 * * *", {"dog": "Rex"})
    client.force_login(make_person("vera", "viewer"))
    page = client.get(PAGE)
    assert "Kept fresh within 3 days" in words(page)
    assert "1 with a schedule of its own" in words(page)
    assert "One, new ones included" in words(page)
    assert "Every day at 09:00" in words(page)
    assert reverse("schedule_save") not in page.content.decode()
    assert "Only managers can" in words(page)
    assert save(client, brand).status_code == 403
    other = make_brand("Zebrafish")
    client.force_login(make_person("liam", "manager", brand))
    assert "Zebrafish" not in words(client.get(PAGE))
    assert save(client, other).status_code == 404
    assert client.get(PAGE + "?brand=zebrafish").status_code == 404
    assert client.get(PAGE + "?on=platform").status_code == 200, "a manager may work for the platform"


def test_the_week_ahead_counts_what_starts_and_names_what_starts_together(client, brand, walk, anna):
    api.save_rule(brand.pk, NAME, cadence="0 6 * * *", enabled=True)
    api.ensure_recurring_job(brand.pk, "toy", "0 6 * * 1")
    api.ensure_recurring_job(brand.pk, "marble", "fresh 72h")
    brand_rows = queries.schedule_rows(brand, None)
    week = queries.week_ahead(brand, brand_rows)
    cells = [cell for _, hours in week.days for cell in hours if cell.total]
    walks = sum(cell.runs["Walk"] for cell in cells)
    assert walks in (12, 14), "twice a day, today perhaps no more"
    assert sum(cell.runs["Toy"] for cell in cells) == 1
    assert sum(cell.runs["Marble"] for cell in cells) in (2, 3), "every three days, seven days by the calendar"
    (clash,) = week.collisions
    assert clash.words == "1 Toy and 2 Walk"
    assert f"{clash.at:%H:%M %A}" == "06:00 Monday"
    page = words(client.get(PAGE))
    assert "1 Toy and 2 Walk start at the same minute." in page
    assert f"{week.runs} runs" in page


def test_three_types_that_start_together_are_listed_and_a_run_that_is_held_says_since_when_it_waits(client, brand, walk, anna):
    api.save_rule(brand.pk, NAME, cadence="0 6 * * *", enabled=True)
    for name in ("toy", "marble"):
        api.ensure_recurring_job(brand.pk, name, "0 6 * * 1")
    due = timezone.now() - timedelta(hours=5)
    Run.objects.filter(job_type=NAME).update(due_at=due)
    page = words(client.get(PAGE))
    assert "1 Marble, 1 Toy and 2 Walk start at the same minute." in page
    assert f"Waits since {queries.tick_in_words(timezone.localtime(due))}" in page


def test_a_collision_is_spread_after_a_look_at_what_moves_and_comes_back_by_undo(client, brand, walk, anna):
    api.save_rule(brand.pk, NAME, cadence="0 6 * * *", enabled=True)
    api.ensure_recurring_job(brand.pk, "toy", "0 6 * * *")
    rule = ScheduleRule.objects.get()
    page = client.get(PAGE)
    address = reverse("schedule_spread", args=[rule.pk])
    assert page.content.decode().count(f'href="{address}"') == len(page.context["week"].collisions)
    preview = words(client.get(address))
    assert "Bella Every day at 06:00, Los Angeles time Every day at 06:20, Los Angeles time" in preview
    assert "Rex Every day at 06:00, Los Angeles time Every day at 06:40, Los Angeles time" in preview
    for old in ({}, {"version": rule.version - 1}):
        assert "Somebody else just changed this schedule." in words(client.post(address, old, follow=True))
    said = client.post(address, {"version": rule.version}, follow=True)
    assert "Walk saved: they start one after the other within the hour." in words(said)
    assert "Spread over the hour by anna: every day at 06:00." in words(said)
    assert said.context["week"].collisions == []
    jobs = Job.objects.filter(rule=rule)
    assert dict(jobs.values_list("subject", "cron_expression")) == {"Bella": "20 6 * * *", "Rex": "40 6 * * *"}
    minutes = {run.job.subject: timezone.localtime(run.due_at).minute for run in Run.objects.filter(job__rule=rule)}
    assert minutes == {"Bella": 20, "Rex": 40}
    assert "Start together" in words(client.get(address))
    rule.refresh_from_db()
    client.post(reverse("schedule_undo", args=[rule.pk]), {"version": rule.version})
    assert set(jobs.values_list("cron_expression", flat=True)) == {"0 6 * * *"}
    rule.refresh_from_db()
    client.post(address, {"version": rule.version})
    save(client, brand, every="fresh", hours="72")
    assert set(jobs.values_list("cron_expression", flat=True)) == {"fresh 72h"}
    rule.refresh_from_db()
    assert "This schedule cannot be spread." in words(client.get(address))
    client.force_login(make_person("vera", "viewer"))
    assert client.get(address).status_code == 403


def test_queries_do_not_grow_with_subjects_and_brands(client, brand, walk, anna):
    def count():
        client.get(PAGE + f"?brand={brand.slug}")
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert client.get(PAGE + f"?brand={brand.slug}").status_code == 200
        return len(caught)

    api.save_rule(brand.pk, NAME, cadence="0 6 * * *", enabled=True)
    few = count()
    walk.dogs[brand.pk] += [f"Dog {number}" for number in range(8)]
    api.save_rule(brand.pk, NAME, cadence="0 7 * * *")
    for number in range(4):
        other = make_brand(f"Brand {number}")
        api.ensure_recurring_job(other.pk, "toy", "0 9 * * *")
    assert Job.objects.count() == 14
    assert count() == few
