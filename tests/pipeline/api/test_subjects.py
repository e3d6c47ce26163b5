"""What goes with a subject, and what stays."""

import pytest

from pipeline import api
from pipeline.api import forget_freshness, forget_subject
from pipeline.models import DatasetStatus, Job, Run
from tests.factories import make_brand

pytestmark = pytest.mark.django_db


def fresh(brand, dataset="toys", subject="bear"):
    return DatasetStatus.objects.create(brand=brand, dataset_key=dataset, subject=subject)


def test_a_removed_subject_takes_its_schedules_and_its_freshness_along():
    brand = make_brand()
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", {"name": "bear"})
    other = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", {"name": "hare"})
    fresh(brand)
    stays = [fresh(brand, subject="hare"), fresh(brand, dataset="another types")]
    forget_subject("toy", "bear")
    assert Job.objects.get(pk=job.pk).status == "archived"
    assert Job.objects.get(pk=other.pk).status == "active"
    assert set(DatasetStatus.objects.all()) == set(stays)


def test_another_brands_subject_with_the_same_key_stays():
    jobs = [api.ensure_recurring_job(make_brand(name).pk, "toy", "0 3 * * *", {"name": "bear"}) for name in ("Own", "Other")]
    run = api.queue_one_time_job(jobs[0].brand_id, "toy", {"name": "bear"}).run
    stays = [fresh(jobs[1].brand), api.queue_one_time_job(jobs[1].brand_id, "toy", {"name": "bear"}).run]
    fresh(jobs[0].brand)
    forget_subject("toy", "bear", brand_id=jobs[0].brand_id)
    assert [Job.objects.get(pk=job.pk).status for job in jobs] == ["archived", "active"]
    assert [Run.objects.get(pk=one.pk).status for one in (run, stays[1])] == ["cancelled", "pending"]
    assert [*DatasetStatus.objects.all()] == stays[:1]


def test_a_changed_subject_keeps_its_schedules_and_other_brands_their_freshness():
    brand, other = make_brand(), make_brand("Southpaw")
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", {"name": "bear"})
    fresh(brand)
    fresh(brand, subject="hare")
    stays = [fresh(brand, subject="fox"), fresh(other), fresh(brand, dataset="another types")]
    forget_freshness("toy", brand.pk, ["bear", "hare"])
    assert Job.objects.get(pk=job.pk).status == "active"
    assert set(DatasetStatus.objects.all()) == set(stays)
