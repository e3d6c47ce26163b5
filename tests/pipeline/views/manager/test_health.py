"""Tab Health: the sentence, what needs a person, incidents with their buttons, and what each job type came to."""

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pipeline import api
from pipeline.engine.incidents.days import count_days
from pipeline.engine.queue.asked import canaries
from pipeline.engine.queue.claim import claim
from pipeline.engine.workers.inline import work_off
from pipeline.engine.workers.processes import register_worker
from pipeline.models import DatasetStatus, DayTally, DayTotal, FailedRun, Incident, Job, Outage, Pause, Run, UpstreamRun
from tests.factories import make_brand, make_orphan, make_person, make_upstream

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def brand():
    return make_brand("Acme")


def toys(brand, names, ends):
    for name in names:
        api.queue_one_time_job(brand.pk, "toy", {"name": name, "ends": ends})
    work_off()


def sign_in(client, name, role, *brands):
    client.force_login(make_person(name, role, *brands))
    return client


def words(answer):
    """The page as it is read, without tags."""
    body = re.sub(r"<(svg|head|style|script)\b.*?</\1>", "", answer.content.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_an_incident_of_several_subjects_does_not_name_one_of_them_alone(client, brand):
    sign_in(client, "ann", "manager")
    toys(brand, ["owl", "fox"], "permanent")
    for name in ("owl", "fox"):
        message = f"Meta does not accept the token of {name}. Renew it."
        Run.objects.filter(subject_label__contains=name).update(error_message=message)
    Incident.objects.update(message=message)
    assert "\u2068Meta does not accept the token of …\u2069 × failed 2 times" in words(client.get("/pipeline/"))


def test_the_sentence_tells_what_is_true_and_each_thing_that_needs_a_person_stands_below_it(client, brand):
    sign_in(client, "ann", "manager")
    said = words(client.get("/pipeline/"))
    assert "No worker has ever reported" in said
    register_worker()
    said = words(client.get("/pipeline/"))
    assert "Nothing to keep fresh yet. Nothing is running." in said or "need refreshing" in said
    assert "Nothing needs you." in said
    toys(brand, ["owl", "fox"], "permanent")
    toys(brand, ["bee"], "partial")
    make_orphan()
    over = api.queue_one_time_job(brand.pk, "toy", {"name": "cat"}).run
    blocked = {"blocked_reason": "Today's spend limit is reached: of $50.00 less is left.", "cost_estimate": Decimal("1.5")}
    Run.objects.filter(pk=over.pk).update(due_at=timezone.now() + timedelta(hours=1), **blocked)
    Outage.objects.create(job_type="toy", reason="Toy: the source may be down.", since=timezone.now(), probe_at=timezone.now())
    said = words(client.get("/pipeline/"))
    for part in (
        "4 things need you.",
        "There is no such toy × failed 2 times",
        "Acme: toy owl",
        "Retry all 2",
        "2 runs held 1 test run 1 follows",
        "may be incomplete: Acme, toy bee 1 toy. Half of it is missing.",
        "its Apify run may still cost money",
        "1 run would exceed today's spend limit",
        "≈ $1.50",
        "Toy: the source may be down.",
        "Workers alive",
    ):
        assert part in said, part
    Pause.objects.create(job_type="toy")
    start = words(client.get("/"))
    for part in (
        "4 things need you.",
        "Paused by the system since",
        "See the pause",
        f"Queued Run {over.pk} toy cat for Acme",
        "Needs refreshing All in Freshness",
        "Toys, Acme",
    ):
        assert part in start, part
    checked = Run.objects.get(subject="bee")
    api.accept(checked, None)
    assert "may be incomplete" not in words(client.get("/pipeline/"))


def test_retry_all_lets_one_through_and_a_person_resolves_and_puts_off(client, brand):
    sign_in(client, "ann", "manager")
    register_worker()
    toys(brand, ["owl", "fox", "bee"], "permanent")
    one = Incident.objects.get()
    address = f"/pipeline/incidents/{one.pk}/"
    assert "Run" in words(client.get(address))
    for _ in range(2):
        said = words(client.post(f"{address}retry/", follow=True))
    assert "A test run is under way already" in said
    assert Run.objects.live().count() == 1
    assert "2 runs held" in said
    work_off()
    assert "did not work" in words(client.get("/pipeline/"))
    said = words(client.post(f"{address}snooze/", {"snooze-hours": "24", "snooze-note": "The shop moves."}, follow=True))
    assert "Put off 1" in said
    assert "The shop moves." in said
    assert "Select a valid choice" in words(client.post(f"{address}snooze/", {"snooze-hours": "9"}, follow=True))
    said = words(client.post(f"{address}resolve/", {"resolve-note": "Wrong names."}, follow=True))
    assert "Resolved by ann" in said
    assert "Wrong names." in said
    assert FailedRun.objects.filter(over_at=None).count() == 0


def test_while_an_outage_lasts_its_empty_results_need_nobody_and_a_manager_lets_the_schedules_go_on(client, brand):
    sign_in(client, "ann", "manager")
    register_worker()
    toys(brand, ["bee", "cat"], "partial")
    Run.objects.filter(subject="bee").update(verdict="suspicious")
    reason = "Toy: 3 brands that had rows got none."
    outage = Outage.objects.create(job_type="toy", reason=reason, since=timezone.now(), probe_at=timezone.now())
    api.ensure_recurring_job(brand.pk, "toy", "0 6 * * *", {"name": "owl"})
    Job.objects.filter(schedule_type="recurring").update(status="paused", outage=outage)
    said = words(client.get("/pipeline/"))
    assert "1 thing needs you." in said, "what is half there is no sign of an outage"
    assert "1 empty result changed nothing and needs nobody now." in said
    assert "bee" not in said
    sign_in(client, "ben", "operator")
    assert "Resume schedules" not in words(client.get("/pipeline/"))
    client.force_login(get_user_model().objects.get(username="ann"))
    assert "Resume schedules" in words(client.get("/pipeline/"))
    end = f"/pipeline/outages/{outage.pk}/end/"
    said = words(client.post(end, follow=True))
    assert "The schedules go on, each at its next time." in said
    assert "2 things need you." in said
    assert Job.objects.get(schedule_type="recurring").status == "active"
    assert "over already" in words(client.post(end, follow=True))


def test_a_person_sees_and_retries_only_what_is_of_open_brands(client, brand):
    foreign = make_brand("Zebra")
    register_worker()
    toys(foreign, ["owl", "fox"], "permanent")
    toys(brand, ["bee", "cat"], "permanent")
    make_upstream(Run.objects.filter(brand=foreign).first())
    UpstreamRun.objects.update(cost_estimate=Decimal(7))
    count_days(timezone.now())
    sign_in(client, "ben", "operator", brand)
    said = words(client.get("/pipeline/"))
    assert "failed 2 times" in said
    assert "Zebra" not in said
    assert "$7.00" not in said
    one = Incident.objects.get()
    said = words(client.get(f"/pipeline/incidents/{one.pk}/"))
    assert "It is also of brands that you do not see." in said
    assert client.post(f"/pipeline/incidents/{one.pk}/resolve/").status_code == 403
    client.post(f"/pipeline/incidents/{one.pk}/retry/")
    assert set(FailedRun.objects.filter(held=True).values_list("brand", flat=True)) == {brand.pk}
    assert Run.objects.live().get().brand == brand
    Run.objects.filter(brand=brand).update(parameters={"name": "bee", "ends": "ok"})
    work_off()
    canaries.advance()
    assert Run.objects.live().filter(brand=foreign).count() == 0, "what others own waits for who may retry it"
    sign_in(client, "carl", "manager", brand)
    said = words(client.post(f"/pipeline/incidents/{one.pk}/resolve/", follow=True))
    assert Incident.objects.get().state == "open"


def test_the_page_takes_as_many_queries_for_many_rows_and_a_poll_that_has_nothing_new_is_a_304(client, brand):
    sign_in(client, "ann", "viewer")
    register_worker()

    def queries_of(path):
        with CaptureQueriesContext(connection) as seen:
            client.get(path)
        return len(seen)

    toys(brand, ["owl"], "permanent")
    toys(brand, ["ox"], "partial")
    few = queries_of("/pipeline/")
    for number in range(3):
        other = make_brand(f"Brand {number}")
        toys(other, [f"owl {number}", f"fox {number}"], "permanent")
        toys(other, [f"ox {number}"], "partial")
    Incident.objects.bulk_create(
        Incident(job_type="toy", kind=f"E{n}", message="Broken.", first_seen=timezone.now(), last_seen=timezone.now())
        for n in range(4)
    )
    for one in Incident.objects.filter(failed_runs=None):
        run = Run.objects.filter(status="failed").first()
        FailedRun.objects.create(incident=one, run=run, job_type="toy", brand=run.brand, failed_at=timezone.now())
    assert queries_of("/pipeline/") == few
    body = client.get("/pipeline/live/?seen=").content.decode()
    seen = re.search(r"seen=(\w+)&", body)[1]
    assert client.get(f"/pipeline/live/?seen={seen}").status_code == 304


def test_a_days_tally_is_counted_anew_and_says_how_each_type_did(client, brand):
    register_worker()
    at = timezone.now()
    toys(brand, ["owl", "fox"], "ok")
    toys(brand, ["bee"], "permanent")
    toys(brand, ["cat"], "partial")
    upstream = make_upstream(Run.objects.first())
    toys(make_brand("Bolt"), ["owl"], "ok")
    UpstreamRun.objects.filter(pk=upstream.pk).update(cost_estimate=Decimal("2.5"), intent_at=at)
    old = Run.objects.get(subject="fox")
    Run.objects.filter(pk=old.pk).update(completed_at=at - timedelta(days=20))
    for _ in range(2):
        count_days(at)
    today = DayTally.objects.get(day=timezone.localdate(at), brand=brand)
    total = DayTotal.objects.get(day=timezone.localdate(at))
    assert (today.good, today.doubted, today.failed, today.usd) == (1, 1, 1, Decimal("2.5"))
    assert (total.good, total.doubted, total.failed, total.usd) == (2, 1, 1, Decimal("2.5")), "of both brands"
    assert DayTally.objects.exclude(day=today.day).get().good == 1, "the first count goes back a month"
    sign_in(client, "ann", "viewer")
    said = words(client.get("/pipeline/"))
    assert "75 % 1 of 4 failed" in said
    assert "$2.50 of" in said
    claim(register_worker())
    assert DatasetStatus.objects.exists()


def test_the_tabs_tell_what_health_told_those_last_who_see_the_same(client, brand):
    sign_in(client, "ann", "manager")
    register_worker()
    assert "Health Schedules Active History Freshness" in words(client.get("/pipeline/runs/"))
    toys(brand, ["owl"], "permanent")
    api.queue_one_time_job(brand.pk, "toy", {"name": "bee"})
    client.get("/")
    said = words(client.get("/pipeline/runs/"))
    told = "Health 1 need you Schedules Active 1 live History Freshness 1 need refreshing"
    assert told in said
    sign_in(client, "mia", "manager")
    assert client.get("/pipeline/live/?seen=").status_code == 200
    assert told in words(client.get("/pipeline/runs/")), "what she polls may have been rendered for another"
    sign_in(client, "ben", "viewer", make_brand("Other"))
    assert "Health Schedules Active History Freshness" in words(client.get("/pipeline/runs/"))
