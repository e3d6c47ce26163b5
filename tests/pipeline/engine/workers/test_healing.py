"""States that should be impossible are repaired and reported."""

from datetime import timedelta

import pytest
from django.utils import timezone

from pipeline import api
from pipeline.engine.upstreams.orphans import settle_orphans
from pipeline.engine.workers.housekeeping.healing import heal_if_due, heal_schedules
from pipeline.models import Event, Run, ScheduleRule
from tests.factories import make_brand, make_orphan
from tests.toy.job import Toy

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_active_schedule_without_its_next_run_gets_one_and_an_event():
    job = api.ensure_recurring_job(make_brand().pk, "toy", "0 3 * * *")
    Run.objects.all().delete()
    heal_schedules(timezone.now())
    assert job.runs.live().get().scheduled_for
    assert Event.objects.get(kind="healed").job == job
    heal_schedules(timezone.now())
    assert (Run.objects.count(), Event.objects.filter(kind="healed").count()) == (1, 1)


def test_paused_and_archived_schedules_are_left_alone():
    job = api.ensure_recurring_job(make_brand().pk, "toy", "0 3 * * *")
    api.archive(job, None)
    Run.objects.all().delete()
    heal_schedules(timezone.now())
    assert not Run.objects.exists()


def test_only_one_worker_a_minute_heals():
    job = api.ensure_recurring_job(make_brand().pk, "toy", "0 3 * * *")
    at = timezone.now()
    heal_if_due(at)
    Run.objects.all().delete()
    heal_if_due(at)
    assert not job.runs.exists()


def test_a_duty_that_fails_keeps_none_of_the_later_ones_from_its_turn(monkeypatch, caplog):
    def broken(self, brands):
        raise RuntimeError("a bug in the type")

    brand = make_brand()
    job = api.ensure_recurring_job(brand.pk, "toy", "ready 0 9 * * *")
    at = job.runs.get().due_at + timedelta(minutes=1)
    ScheduleRule.objects.create(brand=brand, job_type="toy", cadence="0 3 * * *")
    monkeypatch.setattr(Toy, "subjects_of", broken)
    heal_if_due(at)
    assert "follow_rules failed. It is called again later." in caplog.text
    assert Event.objects.get(kind="late_start").job == job


def test_an_orphan_is_reported_once_with_what_to_do():
    run = make_orphan()
    settle_orphans()
    settle_orphans()
    event = Event.objects.get(kind="orphan")
    assert event.run == run
    assert f"On the page of run {run.pk}, retry to continue with it, or end it at Apify" in event.message
