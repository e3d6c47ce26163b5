"""States that should be impossible are repaired and reported."""

import pytest
from django.utils import timezone

from pipeline import api
from pipeline.engine.upstreams.orphans import settle_orphans
from pipeline.engine.workers.healing import heal_if_due, heal_schedules
from pipeline.models import Event, Run
from tests.factories import make_brand, make_orphan

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


def test_an_orphan_is_reported_once_with_what_to_do():
    run = make_orphan()
    settle_orphans()
    settle_orphans()
    event = Event.objects.get(kind="orphan")
    assert event.run == run
    assert f"On the page of run {run.pk}, retry to continue with it, or end it at Apify" in event.message
