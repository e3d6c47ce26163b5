"""Job types that the product starts for itself: their runs are in Active and History, and nowhere else."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from pipeline import api, queries
from pipeline.contract.errors import InvalidRequest
from pipeline.contract.job_type import Done, JobType
from pipeline.contract.parameters import ParameterForm
from pipeline.contract.registry import get_type, job_type, offered_types
from pipeline.engine.workers.inline import work_off
from pipeline.models import Incident, Run
from pipeline.people.brands import EVERY
from pipeline.queries.manager.days import type_days
from pipeline.queries.manager.health import health
from pipeline.queries.schedules.rows import schedule_types
from tests.factories import make_brand, make_person


@pytest.fixture
def internal(monkeypatch):
    monkeypatch.setattr(get_type("toy"), "internal", True)


def test_an_internal_type_that_has_data_is_refused_at_start():
    broken = type("Broken", (JobType,), {"Params": ParameterForm, "run": lambda *a: Done()})
    with pytest.raises(ImproperlyConfigured, match="is internal: it cannot have datasets"):
        job_type("broken", label="x", emoji="x", datasets={"toys": "Toys"}, internal=True)(broken)


@pytest.mark.django_db
def test_an_internal_type_is_offered_nowhere_and_history_can_be_filtered_by_it(client, internal):
    client.force_login(make_person("ann", "admin"))
    every = (offered_types(), schedule_types(platform=False), [one.handler for one in type_days(EVERY, timezone.now())])
    assert all("toy" not in {one.name for one in types} for types in every)
    page = client.get("/admin/pipeline/job/add/").content.decode()
    assert "job_type=marble" in page
    assert "job_type=toy" not in page
    assert "toy" in dict(queries.type_choices())
    assert list(get_type("toy").subjects_of([make_brand()])) == []


@pytest.mark.django_db
def test_an_internal_type_cannot_be_scheduled(internal):
    brand = make_brand()
    with pytest.raises(InvalidRequest, match="It cannot be scheduled"):
        api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *")
    with pytest.raises(InvalidRequest, match="It cannot be scheduled"):
        api.save_rule(brand.pk, "toy", cadence="0 3 * * *", every_subject=True, enabled=True)


@pytest.mark.django_db(transaction=True)
def test_a_failed_internal_run_is_no_incident_and_health_does_not_count_its_runs(internal):
    brand = make_brand()
    run = api.queue_one_time_job(brand.pk, "toy", {"ends": "permanent"}).run
    work_off()
    assert Run.objects.get(pk=run.pk).status == "failed"
    assert not Incident.objects.exists()
    api.queue_one_time_job(brand.pk, "toy", {"name": "owl"})
    assert health().at_work.now == 0
    assert health().under_way == []
