"""Datasets with a clock of their own: each is as fresh as the part of a run that refreshed it, whatever the run's end is."""

import contextlib
from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from pipeline import api, queries
from pipeline.contract.errors import LeaseLost, TransientError
from pipeline.contract.job_type import JobType
from pipeline.contract.registry import get_type, job_type
from pipeline.engine.execution.context import WorkerContext
from pipeline.engine.execution.replay import ReplayContext
from pipeline.engine.lifecycle import by_death
from pipeline.engine.queue.claim import claim
from pipeline.engine.workers.inline import work_one
from pipeline.engine.workers.processes import register_worker
from pipeline.models import DatasetStatus, Run, RunLog, SourceState
from pipeline.states import RunStatus
from tests.factories import make_brand

pytestmark = pytest.mark.django_db(transaction=True)
CLOSED, DOWN, FELL = "The shop was closed.", "The shop does not answer.", "The shelf fell down."


@pytest.fixture
def brand():
    return make_brand()


@pytest.fixture
def queue(brand):
    """queue(["dolls", "owl", "ok"], …, ends="ok"): the parts, "!" behind a fatal one."""

    def parts(*given, **options):
        parts = [[key, subject, ends.rstrip("!"), ends.endswith("!")] for key, subject, ends in given]
        return api.queue_one_time_job(brand.pk, "shelf", {"parts": parts, **options}).run

    return parts


def clock(key="dolls", subject="owl"):
    return DatasetStatus.objects.get(dataset_key=key, subject=subject)


def says(key="dolls", subject="owl"):
    row = clock(key, subject)
    return row.last_status, row.error_message


def ends(key="dolls", subject="owl"):
    return clock(key, subject).recent_ends[10::11]


def row_of(key, subject, brand):
    return queries.freshness(key, brand.pk, [subject], max_age=timedelta(days=1))[subject]


def due(run):
    Run.objects.filter(pk=run.pk).update(due_at=timezone.now() - timedelta(seconds=1))


def days_old(days, **row):
    DatasetStatus.objects.filter(**row).update(last_success_at=timezone.now() - timedelta(days=days))


def test_each_part_has_its_own_result_and_the_runs_end_leaves_it(queue, brand):
    """One run for several subjects; one part fails, another is doubted, one was not asked for."""
    queue(["dolls", "", "ok"], ["trains", "owl", "ok"])
    work_one()
    days_old(9, dataset_key="trains", subject="owl")
    before = clock("trains", "owl")
    asked = [["dolls", "owl", "ok"], ["dolls", "fox", "transient"], ["trains", "fox", "partial"], ["dolls", "", "down"]]
    queue(*asked)
    run = work_one()
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "partial")
    assert says("dolls", "owl") == ("completed", "")
    assert (clock("dolls", "owl").records_affected, clock("dolls", "owl").last_run) == (3, run)
    assert clock("dolls", "owl").last_success_at < run.completed_at
    assert says("dolls", "fox") == ("failed", CLOSED)
    assert clock("dolls", "fox").last_success_at is None
    assert says("dolls", "") == ("failed", DOWN)
    assert clock("dolls", "").last_success_at is not None, "a failure takes no freshness away"
    assert says("trains", "fox") == ("unknown", "Half of it is missing.")
    untouched = clock("trains", "owl")
    assert (untouched.last_success_at, untouched.last_run) == (before.last_success_at, before.last_run)
    assert says("shelves", "")[0] == "unknown", "the run's own dataset follows its verdict"
    ended = {"dolls owl": "c", "dolls fox": "f", "dolls ": "cf", "trains fox": "d", "trains owl": "c", "shelves ": "cd"}
    assert {name: ends(*name.split(" ")) for name in ended} == ended
    assert f"Dolls not refreshed: {CLOSED} The run goes on." in RunLog.objects.values_list("message", flat=True)
    assert SourceState.objects.get(source="toys").failures == 1

    fresh, failed, doubted = row_of("dolls", "owl", brand), row_of("dolls", "fox", brand), row_of("trains", "fox", brand)
    assert [(one.failed, one.doubted) for one in (fresh, failed, doubted)] == [(False, False), (True, False), (False, True)]
    assert failed.sentence == f"Never refreshed. The last run did not refresh it: {CLOSED}"
    assert not fresh.sentence.endswith("Half of it is missing.")
    banner = queries.banner("Dolls", [queries.SubjectState("fox", "FOX", failed)], noun="toy", verb="Fetch")
    assert (banner.text, banner.action) == (f"Run {run.pk} did not refresh them: {CLOSED}", "scrape")

    api.accept(run, None)
    assert says("trains", "fox") == ("completed", "")
    assert clock("trains", "fox").last_success_at < run.completed_at
    assert clock("trains", "fox").records_affected == 3
    assert says("dolls", "fox") == ("failed", CLOSED), "nobody accepts what never came"
    assert (ends("trains", "fox"), ends("shelves", ""), ends("dolls", "fox")) == ("c", "cc", "f")


@pytest.mark.parametrize("what", ["fatal", "rejected", "bug", "end"])
def test_a_failure_afterwards_unfreshens_nothing(queue, brand, what):
    later = {"fatal": "transient!", "rejected": "rejected", "bug": "bug", "end": "ok"}[what]
    queue(["dolls", "owl", "ok"], ["trains", "owl", later], ends="ok" if what != "end" else "falls")
    run = work_one()
    assert run.status == (RunStatus.PENDING if what in ("fatal", "bug") else RunStatus.FAILED)
    assert says("dolls", "owl") == ("completed", "")
    assert not row_of("dolls", "owl", brand).failed
    success = clock("dolls", "owl").last_success_at
    expected = {"fatal": ("failed", CLOSED), "rejected": ("failed", "The shop does not know us."), "end": ("completed", "")}
    if what == "bug":
        assert says("trains", "owl")[0] == "waiting"
        assert "An error in our code" in says("trains", "owl")[1]
        assert row_of("trains", "owl", brand).failed
    else:
        assert says("trains", "owl") == expected[what]
    if run.status == RunStatus.FAILED:
        api.retry(run, None)
        assert says("trains", "owl")[0] == ("completed" if what == "end" else "waiting")
    due(run)
    work_one()
    assert clock("dolls", "owl").last_success_at == success, "it was not refreshed again, so it is as old as it was"
    assert RunLog.objects.filter(message="Part: ok").count() == (2 if what == "end" else 1)


def test_a_part_that_waits_is_under_way_and_goes_on(queue, brand):
    """Parked, blocked, cancelled: no result of the part, and what came before it stays as it is."""
    run = queue(["dolls", "owl", "ok"], ["trains", "owl", "waits"])
    work_one()
    assert says("trains", "owl") == ("waiting", "Waiting before its next step.")
    assert says("dolls", "owl") == ("completed", "")
    assert row_of("dolls", "owl", brand).sentence.endswith("expected every 1 day.")
    api.cancel(run, None)
    due(run)
    assert work_one().status == RunStatus.CANCELLED
    assert says("trains", "owl")[0] == "unknown"
    assert says("dolls", "owl") == ("completed", "")

    run = queue(["trains", "fox", "blocked"])
    work_one()
    assert says("trains", "fox") == ("waiting", "The shop is full.")
    Run.objects.filter(pk=run.pk).update(parameters={"parts": [], "ends": "ok"})
    due(run)
    assert work_one().status == RunStatus.COMPLETED
    assert says("trains", "fox") == ("unknown", f"Run {run.pk} ended without a result for it.")
    assert (ends("trains", "owl"), ends("trains", "fox")) == ("x", "d")


def enter(ctx, key="dolls", subject="owl"):
    stack = contextlib.ExitStack()
    return stack, stack.enter_context(ctx.dataset(key, subject))


def taken():
    run, lease = claim(register_worker())
    return run, WorkerContext(run, lease, stopping=lambda: False)


def test_a_worker_that_dies_inside_a_part_leaves_it_to_the_next_and_can_write_nothing_more(queue):
    queue()
    run, ctx = taken()
    assert not DatasetStatus.objects.filter(dataset_key="dolls").exists(), "only the part that is under way is running"
    first, dolls = enter(ctx)
    assert says() == ("running", "")
    by_death.lose_worker(run.worker, 9)
    assert says()[0] == "waiting"
    assert "was killed (signal 9)" in says()[1]
    run, again = taken()
    assert says()[0] == "waiting", "nobody is at it yet"
    second, clock_now = enter(again)
    assert says() == ("running", "")
    dolls.records = 99
    with pytest.raises(LeaseLost):
        first.close()
    assert says() == ("running", "")
    assert clock().last_success_at is None
    with pytest.raises(LeaseLost), ctx.dataset("trains"):
        pytest.fail("a lost lease begins nothing")
    clock_now.records = 5
    second.close()
    assert (says(), clock().records_affected) == (("completed", ""), 5)


def test_after_a_cancel_an_error_of_a_part_is_the_runs(queue):
    """The executor then asks again until its upstream runs have ended."""
    queue()
    _, ctx = taken()
    ctx.lease.cancel.set()
    with pytest.raises(TransientError), ctx.dataset("dolls", "owl"):
        raise TransientError(CLOSED)
    assert says() == ("failed", CLOSED)


def test_of_two_runs_the_one_that_began_last_says_what_is_true_and_no_clock_goes_back(queue, brand):
    queue()
    _, one = taken()
    queue_other = api.queue_one_time_job(make_brand("Other").pk, "shelf", {"parts": []}).run
    Run.objects.filter(pk=queue_other.pk).update(brand=brand)  # as another subject's run for the same rows
    other_run, two = taken()
    first, _ = enter(one)
    second, clock_two = enter(two)
    assert clock().last_run == other_run
    first.close()
    assert says() == ("running", "")
    assert clock().last_success_at is not None, "what it brought counts"
    assert ends() == "c"
    newer = timezone.now() + timedelta(minutes=5)
    DatasetStatus.objects.update(last_success_at=newer)
    clock_two.records = 5
    second.close()
    assert (clock().last_success_at, says()) == (newer, ("completed", ""))

    again, _ = enter(one, subject="gone")
    DatasetStatus.objects.filter(subject="gone").delete()
    again.close()
    assert not DatasetStatus.objects.filter(subject="gone").exists(), "its subject was removed meanwhile"


def test_a_replay_moves_no_clock_and_goes_on_as_the_run_did(queue):
    run = queue(["dolls", "owl", "ok"], ["dolls", "fox", "transient"])
    done = get_type("shelf").run(ReplayContext(run), run.parameters)
    assert done.summary == "1 shelf."
    assert not DatasetStatus.objects.exists()


def test_only_a_declared_dataset_has_a_clock_of_its_own(queue):
    queue()
    _, ctx = taken()
    with pytest.raises(ValueError, match="'shelves' is not one of the own_clocks of job type 'shelf'"), ctx.dataset("shelves"):
        pass
    with pytest.raises(ImproperlyConfigured, match="has no dataset cars to give a clock to"):
        job_type("cars", label="Cars", emoji="🚗", datasets={"autos": "Autos"}, own_clocks=["cars"])(
            type("Cars", (JobType,), {"Params": object, "run": lambda *_: None})
        )
