"""Counts, costs and sentences are of the brands that are open to the reader."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.utils import timezone

from pipeline import api, queries
from pipeline.models import ConcurrencyLimit, Run, UpstreamRun
from tests.factories import make_brand, make_person, make_upstream

pytestmark = pytest.mark.django_db


def toy(brand, name="bear"):
    return api.queue_one_time_job(brand.pk, "toy", {"name": name}).run


def running(run):
    lease = {"lease_token": uuid4(), "lease_expires_at": timezone.now() + timedelta(hours=1)}
    Run.objects.filter(pk=run.pk).update(status="running", started_at=timezone.now(), **lease)
    return run


@pytest.fixture
def own():
    return make_brand("Own")


@pytest.fixture
def foreign():
    return make_brand("Foreign")


def test_the_overview_counts_and_sums_open_brands_only(own, foreign):
    make_upstream(toy(own))
    for number in range(3):
        run = toy(foreign, f"owl {number}")
        make_upstream(run, f"upstream{number}")
    Run.objects.filter(brand=foreign).update(status="failed", completed_at=timezone.now())
    UpstreamRun.objects.update(cost_estimate=Decimal("1.5"))
    limited, free = (queries.health(make_person(name, "viewer", *brands)) for name, brands in (("l", [own]), ("f", [])))
    starts = [sum("may still cost money" in need.title for need in one.needs) for one in (limited, free)]
    assert (starts, limited.money.today, free.money.today) == ([0, 3], Decimal("1.5"), Decimal("6.0"))
    assert {row.brand for row in limited.stale} <= {own}


def test_a_limit_that_other_brands_use_up_names_none_of_their_runs(own, foreign):
    ConcurrencyLimit.objects.create(max_running=1)
    theirs, ours = running(toy(foreign)), toy(own)
    assert f"(run {theirs.pk})" in queries.run_row(ours, make_person("free", "viewer")).explanation
    assert (
        queries.run_row(ours, make_person("bound", "viewer", own)).explanation
        == "The limit for all runs except exports and notifications is reached."
    )


def test_a_place_in_the_queue_counts_no_run_of_another_brand(own, foreign):
    toy(foreign)
    ours = toy(own)
    user = make_person("bound", "operator", own)
    for words in (queries.run_row(ours, user).explanation, queries.already_queued(ours, {}, user)):
        assert "umber" not in words
        assert "2nd" not in words


def test_open_brands_cost_a_list_of_runs_no_query_per_row(own, django_assert_max_num_queries):
    user = make_person("bound", "viewer", own)
    for number in range(20):
        toy(own, f"owl {number}")
    with django_assert_max_num_queries(12):
        queries.run_rows(Run.objects.for_rows(), user)
