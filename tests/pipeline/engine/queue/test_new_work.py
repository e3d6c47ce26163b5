"""New one-time work is saved without the ORM: the rows are the same, and a taken key leaves nothing."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection

from pipeline import api
from pipeline.contract.job_type import Subject
from pipeline.engine.queue import new_work
from pipeline.engine.scheduling.place import PLACE_GAP, new_run
from pipeline.models import Brand, Job, Run

pytestmark = pytest.mark.django_db(transaction=True)
AT = datetime(2026, 5, 4, 9, 30, 0, 250_000, tzinfo=UTC)


@pytest.fixture
def brand():
    return Brand.objects.create(name="Acme", slug="acme")


@pytest.fixture
def person():
    return get_user_model().objects.create_user("ann")


def pair(brand, person, name, **fields):
    job = Job(
        brand=brand,
        job_type="toy",
        subject=name,
        name=f"Toy “{name}” 🧸",
        parameters={"name": name, "n": [1, None]},
        created_by=person,
    )
    subject = Subject(name, f"toy {name}", f"https://toys.example/{name}", f"about {name}")
    fields = {"dedupe_key": f"toy::{name}", "cost_estimate": Decimal("0.1250"), "created_by": person, **fields}
    return job, new_run(job, subject, **fields)


def saved(model, *leave_out):
    columns = [field.attname for field in model._meta.concrete_fields if field.attname not in ("id", "created_at", *leave_out)]
    return [repr(row) for row in model.objects.order_by("pk").values_list(*columns)]


@pytest.mark.parametrize("platform", [False, True])
def test_the_rows_are_those_that_django_would_save(brand, person, platform):
    job, run = pair(None if platform else brand, person, "a")
    assert new_work.insert(job, run)
    again, its = pair(None if platform else brand, person, "a", dedupe_key="another")
    again.save()
    its.job, its.due_at, its.order_at, its.created_at, its.asked_at = (
        again,
        run.due_at,
        run.order_at,
        run.created_at,
        run.asked_at,
    )
    its.save()
    assert len(set(saved(Job))) == 1
    assert len(set(saved(Run, "job_id", "dedupe_key"))) == 1
    assert Run.objects.get(pk=run.pk) == run
    assert (run.job.pk, run.job_id, Job.objects.earliest("pk").pk) == (job.pk, job.pk, job.pk)
    assert run.due_at == run.order_at == run.created_at == run.asked_at == Run.objects.get(pk=run.pk).due_at
    run.save()  # it knows that it is saved
    assert Run.objects.count() == 2


@pytest.mark.parametrize("count", [1, 3])
def test_many_rows_are_those_that_django_would_save(brand, person, count):
    quick, slow = [], []
    for number in range(count):
        times: dict[str, Any] = {"due_at": AT, "created_at": AT, "asked_at": AT, "order_at": AT + timedelta(hours=number)}
        times |= {"cost_estimate": [None, Decimal("0.1250"), Decimal(3)][number]}
        quick.append(pair(brand, person, f"{number}", **times))
        slow.append(pair(brand, person, f"{number}", dedupe_key=f"{number}", **times))
    new_work.insert_many(*zip(*quick, strict=True))
    for job, run in slow:
        job.save()
        run.job = job
        run.save()
    assert len(set(saved(Job))) == len(set(saved(Run, "job_id", "dedupe_key"))) == count
    for job, run in quick:
        stored = Run.objects.select_related("job").get(pk=run.pk)
        assert (stored.job, stored.subject, stored.job.subject) == (job, run.subject, job.subject)


def test_a_second_run_of_the_brand_and_type_stands_behind_the_first(brand, person):
    (_, first), (_, second), (_, other) = pairs = [pair(brand, person, "a"), pair(brand, person, "b"), pair(None, person, "c")]
    assert all(new_work.insert(*one) for one in pairs)
    assert (second.order_at, other.order_at) == (first.order_at + PLACE_GAP, other.due_at)


def test_a_key_that_a_live_run_has_leaves_neither_job_nor_run(brand, person):
    assert new_work.insert(*pair(brand, person, "a"))
    assert not new_work.insert(*pair(brand, person, "a"))
    times = {"due_at": AT, "created_at": AT, "asked_at": AT, "order_at": AT}
    with pytest.raises(IntegrityError):
        new_work.insert_many(*zip(pair(brand, person, "b", **times), pair(brand, person, "a", **times), strict=True))
    assert (Job.objects.count(), Run.objects.count()) == (1, 1)


@pytest.mark.parametrize("many", [False, True])
def test_what_is_queued_is_what_another_process_reads(brand, many):
    boss = get_user_model().objects.create_superuser("boss")
    asked = {"created_by": boss, "trigger_source": Job.Trigger.API, "max_retries": 1, "reuse": True}
    if many:
        _, queued = api.queue_many(brand.pk, "toy", [{"name": "owl"}, {"name": "fox"}], **asked)
    else:
        queued = api.queue_one_time_job(brand.pk, "toy", {"name": "fox"}, name="A fox", **asked)
    for row in (queued.job, queued.run):
        stored = type(row).objects.get(pk=row.pk)
        for field in row._meta.concrete_fields:
            assert getattr(row, field.attname) == getattr(stored, field.attname), field.name
    assert (queued.job.max_retries, queued.run.trigger_source, queued.run.reuse) == (1, "api", "done")


def test_of_many_each_run_has_its_own_counts(brand):
    a, b = api.queue_many(brand.pk, "toy", [{"name": "a"}, {"name": "b"}])
    a.run.counts["new"] = a.run.progress["done"] = 1
    assert not b.run.counts
    assert not b.run.progress


@pytest.mark.only_on("postgresql")
def test_a_click_is_prepared_on_the_web_server_too(brand):
    queued = [api.queue_one_time_job(of, "toy", {"name": name}) for of in (brand.pk, None) for name in "ab"]
    assert all(one.created for one in queued)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'WITH moment%'")
        assert cursor.fetchone() == (2,), "one for brands, one for the platform"
