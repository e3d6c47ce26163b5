"""Paid starts of a run: those that it made, and those of others that it uses."""

from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from pipeline import api
from pipeline.models import Reuse, UpstreamRun
from tests.factories import make_brand, make_upstream

pytestmark = pytest.mark.django_db


def test_a_run_has_the_starts_that_it_made_and_those_that_it_uses():
    brand = make_brand("Acme")
    owl, bear, fox = (api.queue_one_time_job(brand.pk, "toy", {"name": name}).run for name in ("owl", "bear", "fox"))
    own, used, other = (make_upstream(run, uuid4().hex[:12]) for run in (owl, bear, fox))
    Reuse.objects.create(run=owl, step="start", upstream_run=used, joined_at=timezone.now())
    Reuse.objects.create(run=owl, step="again", upstream_run=used, joined_at=timezone.now())
    Reuse.objects.create(run=owl, step="gone", upstream_run=None, joined_at=timezone.now())
    assert sorted(one.pk for one in UpstreamRun.objects.of_runs([owl])) == [own.pk, used.pk]
    assert list(UpstreamRun.objects.of_runs([owl, fox]).filter(pk=other.pk)) == [other]


def test_a_runs_starts_are_found_by_index_and_not_in_the_whole_ledger():
    run = api.queue_one_time_job(make_brand("Acme").pk, "toy", {"name": "owl"}).run
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")  # else it reads a small table as a whole
    plan = UpstreamRun.objects.of_runs([run]).explain()
    assert "SCAN pipeline_upstreamrun" not in plan, plan
    assert "Seq Scan on pipeline_upstreamrun" not in plan, plan
