"""One recurring job for each subject of a rule, whatever comes, goes, crashes or happens twice."""

import threading

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from pipeline import api
from pipeline.contract.errors import InvalidRequest, NotAllowed
from pipeline.engine.scheduling import rules
from pipeline.engine.scheduling.rules import follow_rules
from pipeline.models import Job, Run, ScheduleRule
from tests.factories import make_brand, make_person
from tests.toy.kennel import NAME, open_kennel

pytestmark = pytest.mark.django_db(transaction=True)
DAILY = "0 6 * * *"


@pytest.fixture
def brand():
    return make_brand()


@pytest.fixture
def walk(brand):
    yield from open_kennel({brand.pk: ["Rex", "Bella"]})


def schedules(**fields):
    """Subject, status, expression and miles of every schedule that is not archived."""
    jobs = Job.objects.filter(schedule_type="recurring", **fields).exclude(status="archived").order_by("subject")
    return [(job.subject, job.status, job.cron_expression, job.parameters["miles"]) for job in jobs]


def ticks():
    return sorted(Run.objects.filter(status="pending", scheduled_for__isnull=False).values_list("subject", flat=True))


def test_a_rule_schedules_every_subject_and_those_that_come_and_go(brand, walk):
    anna = make_person("anna", "manager")
    rule = api.save_rule(brand.pk, NAME, cadence=DAILY, parameters={"miles": "2"}, enabled=True, created_by=anna)
    assert schedules(rule=rule) == [("Bella", "active", DAILY, 2), ("Rex", "active", DAILY, 2)]
    assert ticks() == ["Bella", "Rex"]
    assert (rule.parameters, rule.changed_by) == ({"miles": 2, "leash": True}, anna)
    before = list(Job.objects.values()), list(Run.objects.values())
    follow_rules(timezone.now())
    assert before == (list(Job.objects.values()), list(Run.objects.values())), "nothing to do"
    walk.dogs[brand.pk] = ["Bella", "Fido", "Ghost"]
    follow_rules(timezone.now())
    assert schedules() == [("Bella", "active", DAILY, 2), ("Fido", "active", DAILY, 2)]
    assert ticks() == ["Bella", "Fido"]
    assert Job.objects.get(status="archived").last_error == rules.GONE


def test_a_change_reaches_every_schedule_and_undo_brings_the_old_values_back(brand, walk):
    anna = make_person("anna", "manager")
    rule = api.save_rule(brand.pk, NAME, cadence=DAILY, enabled=True, created_by=anna)
    changed = api.save_rule(
        brand.pk, NAME, cadence="fresh 72h", parameters={"miles": 5}, every_subject=False, subjects=["Rex"], max_runs=3
    )
    assert changed == rule
    assert schedules() == [("Rex", "active", "fresh 72h", 5)]
    assert Job.objects.get(subject="Rex").max_runs == 3
    with pytest.raises(NotAllowed, match="Somebody else just changed"):
        api.undo_rule(rule, anna)
    undone = api.undo_rule(changed, anna)
    assert schedules() == [("Bella", "active", DAILY, 1), ("Rex", "active", DAILY, 1)]
    assert [event.message.split(":")[0] for event in undone.events.all()] == [
        "Change undone by anna",
        "Schedule changed by another program",
        "Scheduled by anna",
    ]
    api.save_rule(brand.pk, NAME, enabled=False)
    assert [status for _, status, _, _ in schedules()] == ["paused", "paused"]
    walk.dogs[brand.pk].append("Fido")
    follow_rules(timezone.now())
    assert len(schedules()) == 2, "a rule that is off schedules nothing new"
    api.save_rule(brand.pk, NAME, enabled=True)
    assert schedules(status="active") == [(dog, "active", DAILY, 1) for dog in ("Bella", "Fido", "Rex")]


def test_a_subjects_own_schedule_wins_until_it_is_archived(brand, walk):
    own = api.ensure_recurring_job(brand.pk, NAME, "0 9 * * *", {"dog": "Rex"}, enabled=False)
    api.save_rule(brand.pk, NAME, cadence=DAILY, enabled=True)
    expected = [("Bella", "active", DAILY, 1), ("Rex", "paused", "0 9 * * *", 1)]
    assert schedules() == expected
    bella = api.ensure_recurring_job(brand.pk, NAME, "0 7 * * *", {"dog": "Bella", "miles": 3})
    assert bella.rule is None
    api.save_rule(brand.pk, NAME, cadence="0 8 * * *")
    assert schedules() == [("Bella", "active", "0 7 * * *", 3), expected[1]]
    api.archive(own, None)
    follow_rules(timezone.now())
    assert schedules(subject="Rex") == [("Rex", "active", "0 8 * * *", 1)]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"cadence": "0 25 * * *"}, "cron_expression"),
        ({"cadence": DAILY, "time_zone": "Mars"}, "time_zone"),
        ({"cadence": ""}, "cadence"),
        ({"cadence": DAILY, "parameters": {"miles": 10}}, "miles"),
        ({"cadence": DAILY, "parameters": {"mils": 1}}, "mils"),
        ({"cadence": DAILY, "every_subject": False}, "subjects"),
        ({"cadence": DAILY, "every_subject": False, "subjects": ["Fido"]}, "subjects"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused_and_changes_nothing(brand, walk, values, field):
    with pytest.raises(InvalidRequest) as refused:
        api.save_rule(brand.pk, NAME, **{"enabled": True, **values})
    assert field in refused.value.errors
    assert not ScheduleRule.objects.exists()
    assert not schedules()


def test_the_database_keeps_rules_apart_and_complete(brand):
    for fields in ({"brand": brand}, {"brand": None}):
        ScheduleRule.objects.create(job_type=NAME, cadence=DAILY, **fields)
        for wrong in ({**fields, "cadence": DAILY}, {"brand": make_brand(f"B {fields['brand']}"), "cadence": ""}):
            with pytest.raises(IntegrityError), transaction.atomic():
                ScheduleRule.objects.create(job_type=NAME, **wrong)


def test_many_subjects_follow_step_by_step_and_a_crash_between_two_steps_loses_none(brand, walk, monkeypatch):
    monkeypatch.setattr(rules, "STEP", 3)
    monkeypatch.setattr(rules, "STEPS_A_ROUND", 2)
    walk.dogs[brand.pk] = [f"Dog {number:02}" for number in range(12)]
    api.save_rule(brand.pk, NAME, cadence=DAILY, enabled=True)
    assert len(schedules()) == 3
    with monkeypatch.context() as crash:
        follow = rules._follow
        crash.setattr(rules, "_follow", lambda *args: follow(*args) if args[2].key != "Dog 04" else 1 / 0)
        follow_rules(timezone.now())
    assert len(schedules()) == 3, "a step is whole or nothing"
    for expected in (9, 12, 12):
        follow_rules(timezone.now())
        assert len(schedules()) == len(ticks()) == expected


def test_an_archived_brand_has_no_rule_that_is_on(brand, walk):
    api.save_rule(brand.pk, NAME, cadence=DAILY, enabled=True)
    api.archive_brand(brand.pk, None)
    follow_rules(timezone.now())
    api.restore_brand(brand.pk, None)
    follow_rules(timezone.now())
    assert not schedules(), "its schedules stay archived"


def test_two_workers_that_follow_a_rule_at_the_same_time_make_each_schedule_once(brand, walk):
    rule = ScheduleRule.objects.create(brand=brand, job_type=NAME, cadence=DAILY)
    walk.dogs[brand.pk] = [f"Dog {number}" for number in range(20)]
    errors, begin = [], threading.Barrier(2)

    def work():
        try:
            begin.wait()
            rules.follow_rule(rule.pk)
        except Exception as error:  # noqa: BLE001  shown below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors
    assert len(schedules()) == 20
    assert not Job.objects.filter(Q(runs=None)).exists()
