"""Reads over many subjects count what belongs to the subject, its type and its brand, and nothing else."""

import pytest
from django.utils import timezone

from pipeline import api, queries
from pipeline.models import Run, RunLog
from tests.factories import make_brand, make_upstream

pytestmark = pytest.mark.django_db


@pytest.fixture
def brand():
    return make_brand()


def queue(brand, name="bear"):
    return api.queue_one_time_job(brand.pk, "toy", {"name": name}).run


def ended(brand, name="bear", status="completed", verdict="ok"):
    run = queue(brand, name)
    verdict = verdict if status == "completed" else ""
    Run.objects.filter(pk=run.pk).update(status=status, verdict=verdict, started_at=run.due_at, completed_at=timezone.now())
    return run


def test_good_runs_are_the_last_ten_that_completed_ok(brand):
    good = [ended(brand) for _ in range(11)]
    ended(brand, verdict="suspicious")
    ended(brand, status="failed")
    ended(make_brand("Southpaw"))
    hare = ended(brand, "hare")
    found = queries.good_runs("toy", brand.pk, ["bear", "hare", "fox"])
    assert [run.pk for run in found["bear"]] == [run.pk for run in good[:0:-1]]
    assert ([run.pk for run in found["hare"]], found["fox"]) == ([hare.pk], [])
    assert queries.good_runs_of("toy", brand.pk, "bear", "") == found["bear"]
    assert queries.good_runs("another type", brand.pk, ["bear"]) == {"bear": []}


def test_the_live_line_is_that_of_the_brand(brand):
    other = make_brand("Southpaw")
    runs = {one.pk: queue(one) for one in (brand, other)}
    ended(brand, "hare")
    for one in (brand, other):
        found = queries.live_rows("toy", one.pk, ["bear", "hare"], user=None, known={})
        assert {subject: line.run for subject, line in found.items()} == {"bear": runs[one.pk]}


def test_a_line_that_is_known_is_not_read_again(brand, django_assert_num_queries):
    run = queue(brand)
    known = {"bear": [queries.run_row(run)]}
    with django_assert_num_queries(1):
        found = queries.live_rows("toy", brand.pk, ["bear"], user=None, known=known)
    assert found["bear"] is known["bear"][0]


def test_a_schedules_future_run_is_not_live(brand):
    api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", {"name": "bear"})
    assert queries.live_runs("toy", ["bear"]) == {}
    run = queue(brand)
    assert queries.live_runs("toy", ["bear"]) == {"bear": run}
    assert queries.live_runs("another type", ["bear"]) == {}


def test_spend_is_an_estimate_until_every_cost_is_known(brand):
    paid = make_upstream(ended(brand), "one")
    make_upstream(ended(make_brand("Southpaw")), "two")
    found = queries.spends("toy", brand.pk, ["bear", "hare"])
    assert found == {"bear": queries.Spend(paid.cost_estimate, 1, is_estimate=True)}
    for so_far, expected in ((paid.cost_estimate / 2, paid.cost_estimate), (3 * paid.cost_estimate, 3 * paid.cost_estimate)):
        type(paid).objects.filter(pk=paid.pk).update(cost_actual=so_far)
        assert queries.spends("toy", brand.pk, ["bear"])["bear"].usd == expected
        row = queries.run_row(Run.objects.for_rows().get(pk=paid.run_id))
        assert (row.cost, row.cost_is_estimate) == (expected, True), "its row says the same"
    type(paid).objects.filter(pk=paid.pk).update(step="second")
    failed = make_upstream(paid.run, "its first start")
    type(paid).objects.filter(pk=failed.pk).update(cost_actual=failed.cost_estimate / 4, cost_settled=True, status="failed")
    row = queries.run_row(Run.objects.for_rows().get(pk=paid.run_id))
    assert row.cost == queries.spends("toy", brand.pk, ["bear"])["bear"].usd, "a final cost counts instead of its estimate"
    failed.delete()
    type(paid).objects.filter(pk=paid.pk).update(cost_actual=3, cost_settled=True)
    refused = make_upstream(ended(brand), "three")
    type(refused).objects.filter(pk=refused.pk).update(status="refused")
    assert queries.spends("toy", brand.pk, ["bear"]) == {"bear": queries.Spend(3, 1, is_estimate=False)}


def test_a_logs_tail_is_its_last_lines_oldest_first(brand):
    run, other = queue(brand), queue(brand, "hare")
    for one in (run, other):
        RunLog.objects.filter(run=one).delete()
        for seq in range(1, 10):
            RunLog.objects.create(run=one, seq=seq, at=timezone.now(), message=f"line {seq}")
    tails = queries.log_tails([run.pk, other.pk], lines=2)
    assert {pk: [line.seq for line in lines] for pk, lines in tails.items()} == {run.pk: [8, 9], other.pk: [8, 9]}
    assert queries.log_tails([]) == {}
