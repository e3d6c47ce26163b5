"""The admin of who is limited to some brands: what they set holds for these brands only, and names no other."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from pipeline import api
from pipeline.models import Brand, ConcurrencyLimit, Job, Pause
from tests.factories import make_brand, make_person

pytestmark = pytest.mark.django_db
TOY = {"parameter_name": "bear", "parameter_ends": "ok", "parameter_sleeps": "0", "parameter_works": "0"}
JOB = {"name": "", "schedule_type": "one_time", "cron_expression": "", "time_zone": "", "max_runs": "", "max_retries": "3"} | TOY


@pytest.fixture
def own():
    return make_brand("Own")


@pytest.fixture
def other():
    return make_brand("Zebrafish")


@pytest.fixture
def manager(client, own, other):
    client.force_login(make_person("mia", "manager", own))
    return client


@pytest.mark.parametrize(("brand", "count"), [("own", 1), ("other", 0), ("", 0)])
def test_pauses_and_limits_are_set_for_an_open_brand_only(manager, request, brand, count):
    chosen = str(request.getfixturevalue(brand).pk) if brand else ""
    manager.post(reverse("admin:pipeline_pause_add"), {"job_type": "", "brand": chosen})
    limit = {"job_type": "", "brand": chosen, "source": "", "max_running": "2", "max_memory_mb": ""}
    manager.post(reverse("admin:pipeline_concurrencylimit_add"), limit)
    assert (Pause.objects.count(), ConcurrencyLimit.objects.count()) == (count, count)


@pytest.mark.parametrize(("brand", "count"), [("own", 1), ("other", 0), ("", 1)])
def test_a_job_is_added_for_an_open_brand_or_by_a_manager_for_none(manager, request, brand, count):
    chosen = str(request.getfixturevalue(brand).pk) if brand else ""
    manager.post(reverse("admin:pipeline_job_add") + "?job_type=toy", JOB | {"brand": chosen})
    assert Job.objects.count() == count


def test_the_right_to_add_jobs_alone_queues_nothing(client, own):
    user = make_person("vera", "viewer")
    user.user_permissions.add(*_permissions("add_job", "change_job"))
    user.is_staff = True
    user.save()
    client.force_login(user)
    answer = client.post(reverse("admin:pipeline_job_add") + "?job_type=toy", JOB | {"brand": str(own.pk)})
    assert answer.status_code == 403
    assert not Job.objects.exists()
    schedule = api.ensure_recurring_job(own.pk, "toy", "0 3 * * *", {"name": "bear"})
    change = JOB | {"cron_expression": "* * * * *"}
    body = client.post(reverse("admin:pipeline_job_change", args=[schedule.pk]), change, follow=True).content.decode()
    assert "Only operators can start scrapes, retry and run again." in body
    schedule.refresh_from_db()
    assert schedule.cron_expression == "0 3 * * *"


def _permissions(*codenames):
    return Permission.objects.filter(codename__in=codenames)


def test_a_brands_address_stays_and_none_is_added(manager, own, other):
    assert manager.get(reverse("admin:pipeline_brand_add")).status_code == 403
    manager.post(reverse("admin:pipeline_brand_change", args=[own.pk]), {"name": "New", "slug": other.slug, "time_zone": ""})
    own.refresh_from_db()
    assert (own.name, own.slug) == ("New", "own")
    assert Brand.objects.count() == 2


@pytest.mark.parametrize("model", ["job", "run", "datasetstatus", "pause", "concurrencylimit"])
def test_a_filter_by_brand_names_open_brands_only(manager, own, other, model):
    for brand in (own, other):
        api.queue_one_time_job(brand.pk, "toy", {"name": brand.slug})
    body = manager.get(reverse(f"admin:pipeline_{model}_changelist")).content.decode()
    assert "Zebrafish" not in body
    assert "zebrafish" not in body
