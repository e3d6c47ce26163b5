"""Each active schedule has one future run, whatever people and clocks do."""

import contextlib
import threading
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from pipeline import api
from pipeline.contract.errors import InvalidRequest, NotAllowed
from pipeline.contract.registry import get_type
from pipeline.engine.execution import executor
from pipeline.engine.queue.claim import claim
from pipeline.engine.scheduling.ticks import insert_next_tick
from pipeline.engine.workers.housekeeping import healing
from pipeline.engine.workers.housekeeping.healing import heal_schedules
from pipeline.engine.workers.inline import work_off, work_one
from pipeline.engine.workers.processes import register_worker
from pipeline.models import Brand, DatasetStatus, Job, Run
from pipeline.states import JobStatus, RunStatus
from tests.factories import make_brand, make_person

pytestmark = pytest.mark.django_db(transaction=True)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def brand():
    return Brand.objects.create(name="Acme", slug="acme")


def make_due(run, days=0):
    """Make the run due so many days ago."""
    then = timezone.now() - timedelta(days=days, minutes=1)
    Run.objects.filter(pk=run.pk).update(due_at=then, scheduled_for=then)


def test_a_recurring_job_has_one_future_run(brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", time_zone="Europe/Berlin")
    again = api.ensure_recurring_job(brand.pk, "toy", "0 4 * * *", time_zone="Europe/Berlin")
    assert job == again
    run = job.runs.get()
    assert run.scheduled_for.astimezone(BERLIN).hour == 4


def test_a_click_today_is_not_blocked_by_tomorrows_tick(brand):
    api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *")
    assert api.queue_one_time_job(brand.pk, "toy").created
    assert len(work_off()) == 1


def test_a_tick_that_ends_inserts_its_successor(brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *")
    tick = job.runs.get()
    api.run_now(tick, None)
    assert work_one().status == RunStatus.COMPLETED
    successor = job.runs.live().get()
    assert successor.scheduled_for > tick.scheduled_for


def test_a_tick_is_skipped_if_another_run_has_its_key(brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *")
    tick = job.runs.get()
    manual = api.queue_one_time_job(brand.pk, "toy", {"ends": "transient"}).run
    work_one()  # waits for its retry, still live
    api.run_now(tick, None)
    assert work_one() is None
    tick.refresh_from_db()
    assert (tick.status, tick.summary) == (RunStatus.CANCELLED, f"Skipped: run {manual.pk} is already doing this.")
    assert job.runs.live().count() == 1


def test_a_tick_that_was_run_early_and_skipped_comes_again_at_its_time(brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *")
    tick = job.runs.get()
    api.queue_one_time_job(brand.pk, "toy")
    claim(register_worker())  # now running
    api.run_now(tick, None)
    assert work_one() is None
    assert job.runs.live().get().scheduled_for == tick.scheduled_for


def test_a_paused_schedule_does_not_run_and_resumes_from_now(brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *")
    api.run_now(job.runs.get(), None)
    api.pause(job, None)
    assert work_off() == []
    api.resume(job, None)
    assert work_off() == []
    assert job.runs.live().get().due_at > job.created_at


@pytest.mark.parametrize("ends", ["ok", "permanent"])
def test_a_tick_that_is_cancelled_before_it_began_does_not_change_freshness(brand, ends):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *")
    api.queue_one_time_job(brand.pk, "toy", {"ends": ends})
    if ends == "ok":
        claim(register_worker())  # now running
    else:
        work_one()
    before = DatasetStatus.objects.values().get()
    api.archive(job, None)
    assert DatasetStatus.objects.values().get() == before


def test_a_brand_whose_ticks_were_never_late_does_not_wait_behind_a_new_brand(brand):
    for name in ("owl", "fox"):
        api.ensure_recurring_job(brand.pk, "toy", "0 * * * *", {"name": name})
    for _ in range(48):
        for job in Job.objects.all():
            tick = job.runs.live().get()
            Run.objects.filter(pk=tick.pk).update(status="completed", verdict="ok", completed_at=tick.due_at)
            insert_next_tick(job, tick.due_at, tick.due_at)
    new = make_brand("New")
    for number in range(50):
        api.ensure_recurring_job(new.pk, "toy", "0 * * * *", {"name": str(number)})
    passed = job.runs.live().get().due_at - new.runs.first().due_at
    brand.runs.live().update(due_at=F("due_at") - passed, order_at=F("order_at") - passed)
    first = Run.objects.live().in_queue_order()[:4]
    assert [run.brand for run in first].count(brand) == 2


def test_an_update_keeps_a_persons_pause(brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *")
    api.pause(job, None)
    assert api.ensure_recurring_job(brand.pk, "toy", "0 5 * * *").status == JobStatus.PAUSED


def test_max_runs_completes_the_job(brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", max_runs=1)
    api.run_now(job.runs.get(), None)
    work_one()
    job.refresh_from_db()
    assert job.status == JobStatus.COMPLETED
    assert not job.runs.live().exists()


def test_an_invalid_schedule_is_refused(brand):
    with pytest.raises(InvalidRequest, match="Use five fields"):
        api.ensure_recurring_job(brand.pk, "toy", "every morning")


def test_a_program_can_switch_on_again_what_it_switched_off(brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *")
    assert api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", enabled=False).status == JobStatus.PAUSED
    assert api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", enabled=None).status == JobStatus.PAUSED
    assert api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *").status == JobStatus.ACTIVE
    assert job.runs.live().count() == 1


def test_a_program_ends_a_persons_pause_only_if_told_to(brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *")
    api.pause(job, make_person("anna", "manager"))
    api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", enabled=False)
    assert api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *").status == JobStatus.PAUSED
    assert api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", keep_pause=False).status == JobStatus.ACTIVE


def test_a_completed_job_with_a_higher_max_runs_is_active_again(brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", max_runs=1)
    api.run_now(job.runs.get(), None)
    work_one()
    assert api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", max_runs=1).status == JobStatus.COMPLETED
    assert api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", max_runs=2).status == JobStatus.ACTIVE
    assert job.runs.live().count() == 1


@pytest.mark.parametrize("max_runs", [0, 1])
def test_a_job_that_has_reached_max_runs_gets_no_more(brand, max_runs):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *")
    api.run_now(job.runs.get(), None)
    work_one()
    assert api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", max_runs=max_runs).status == JobStatus.COMPLETED
    assert not job.runs.live().exists()


def test_a_time_zone_that_does_not_exist_is_refused_and_changes_nothing(brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", time_zone="Europe/Berlin")
    with pytest.raises(InvalidRequest, match="no time zone 'Mars'"):
        api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", time_zone="Mars")
    job.refresh_from_db()
    assert job.time_zone == "Europe/Berlin"


def test_one_time_jobs_are_left_alone(brand):
    run = api.queue_one_time_job(brand.pk, "toy").run
    before = Job.objects.values().get(pk=run.job_id)
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *")
    assert job.pk != run.job_id
    assert Job.objects.values().get(pk=run.job_id) == before
    assert work_off() == [run]


@pytest.mark.parametrize(("days", "words"), [(1, "came due once more"), (3, "came due 3 more times")])
def test_ticks_that_came_due_before_the_last_run_ended_are_skipped_and_reported(brand, days, words):
    """F10: after a downtime a job runs once, and the number of skipped runs is reported."""
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", name="Nightly toys")
    make_due(job.runs.get(), days)
    (run,) = work_off()
    assert run.status == RunStatus.COMPLETED
    assert words in job.events.get(kind="skipped").message
    assert run.logs.filter(message__contains=words).exists()
    assert job.runs.live().get().due_at > timezone.now()


def test_a_tick_in_time_skips_nothing(brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 1 1 *")
    make_due(job.runs.get())
    work_off()
    assert not job.events.filter(kind="skipped").exists()


def test_skipped_ticks_are_counted_by_the_schedule_that_was_valid_then(brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", name="Nightly toys")
    make_due(job.runs.get(), days=3)
    run, lease = claim(register_worker())
    api.ensure_recurring_job(brand.pk, "toy", "* * * * *")
    executor.execute(run, lease, stopping=lambda: False)
    (message,) = [event.message for event in job.events.filter(kind="skipped") if "once more" not in event.message]
    assert "Nightly toys came due 3 more times" in message


def test_a_tick_that_was_run_early_does_not_run_again_at_its_time(brand):
    """It does not hinder a later change of the schedule either."""
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *")
    early = job.runs.get()
    api.run_now(early, None)
    work_one()
    api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *")
    assert job.runs.live().get().scheduled_for - early.scheduled_for in (
        timedelta(hours=23),
        timedelta(hours=24),
        timedelta(hours=25),
    )


def test_a_failed_tick_can_be_retried_and_the_schedule_goes_on_after_it(brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", {"ends": "permanent"})
    make_due(job.runs.get(), 2)
    (failed,) = work_off()
    successor = job.runs.live().get()
    api.retry(failed, None)
    assert job.runs.live().get() == failed
    work_off()
    assert job.runs.live().get().scheduled_for == successor.scheduled_for
    assert job.events.filter(kind="skipped").count() == 1, "the skipped days are reported once"


def test_a_cancelled_tick_is_not_retried_if_another_run_had_its_time(brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *")
    cancelled = job.runs.get()
    api.cancel(cancelled, None)
    api.pause(job, None)
    api.resume(job, None)
    api.run_now(job.runs.live().get(), None)
    other = work_one()
    assert other.scheduled_for == cancelled.scheduled_for
    cancelled.refresh_from_db()
    with pytest.raises(NotAllowed, match=f"run {other.pk} was already made for the same scheduled time"):
        api.retry(cancelled, None)


def test_a_failed_tick_is_not_retried_while_another_is_under_way(brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", {"ends": "permanent"})
    make_due(job.runs.get())
    (failed,) = work_off()
    job.parameters = {**job.parameters, "ends": "transient"}
    job.save()
    Run.objects.filter(pk=job.runs.live().get().pk).update(parameters=job.parameters)
    api.run_now(job.runs.live().get(), None)
    under_way = work_one()
    with pytest.raises(NotAllowed, match=f"run {under_way.pk} is doing the same"):
        api.retry(failed, None)
    assert job.runs.live().get() == under_way


def test_a_brand_that_moves_takes_its_schedules_along(brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *")
    own = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", {"name": "own"}, time_zone="Asia/Tokyo")
    brand.time_zone = "Europe/Berlin"
    brand.save()
    api.reschedule_brand(brand)
    assert job.runs.get().scheduled_for.astimezone(BERLIN).hour == 3
    assert own.runs.get().scheduled_for.astimezone(ZoneInfo("Asia/Tokyo")).hour == 3


def test_an_update_that_changes_nothing_leaves_the_tick_alone(brand):
    """After a downtime a program ensures its schedules again. The run that is due must not be lost."""
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *")
    make_due(job.runs.get(), 3)
    api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", {"works": 0.01})
    (run,) = work_off()
    assert (run.status, run.parameters["works"]) == (RunStatus.COMPLETED, 0.01)


@pytest.mark.parametrize("ends", ["ok", "permanent"])
def test_a_schedule_whose_subject_is_gone_is_paused_and_others_continue(brand, monkeypatch, ends):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", {"ends": ends})
    make_due(job.runs.get())
    other = api.queue_one_time_job(brand.pk, "toy", {"name": "other"}).run
    subject = type(get_type("toy")).subject

    def gone(self, of, params):
        if params["name"] == "bear":
            raise LookupError("no such bear")
        return subject(self, of, params)

    monkeypatch.setattr(type(get_type("toy")), "subject", gone)
    assert other in work_off()
    assert job.runs.get().status == (RunStatus.COMPLETED if ends == "ok" else RunStatus.FAILED)  # its own end is written
    job.refresh_from_db()
    assert (job.status, job.runs.live().exists()) == (JobStatus.PAUSED, False)
    assert "no such bear" in job.last_error
    assert job.events.filter(kind="switch_off").exists()


def test_a_schedule_that_cannot_be_healed_does_not_stop_the_others(brand, monkeypatch):
    api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *")
    good = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", {"name": "owl"})
    Run.objects.all().delete()
    insert = insert_next_tick

    def broken(job, after, at):
        if job != good:
            raise RuntimeError("a bug")
        return insert(job, after, at)

    monkeypatch.setattr(healing, "insert_next_tick", broken)
    heal_schedules(timezone.now())
    assert good.runs.live().exists()


@pytest.mark.only_on("postgresql")
def test_cancelling_a_tick_and_changing_its_schedule_never_deadlock(brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *")
    errors = []

    def change():
        for number in range(40):
            api.ensure_recurring_job(brand.pk, "toy", f"{number} 3 * * *")

    def cancel():
        for _ in range(40):
            if run := job.runs.live().first():
                with contextlib.suppress(NotAllowed):
                    api.cancel(run, None)

    def work(do):
        try:
            do()
        except Exception as error:  # noqa: BLE001  shown below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(do,)) for do in (change, cancel)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors
    assert job.runs.live().count() == 1


def test_the_last_run_of_an_archived_schedule_ends_though_a_new_schedule_replaced_it(brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "0 3 * * *", max_runs=1)
    make_due(job.runs.get())
    run, lease = claim(register_worker())
    api.archive(job, None)
    api.ensure_recurring_job(brand.pk, "toy", "0 4 * * *")
    executor.execute(run, lease, stopping=lambda: False)
    job.refresh_from_db()
    run.refresh_from_db()
    assert (run.status, job.status, job.runs_completed) == (RunStatus.COMPLETED, JobStatus.ARCHIVED, 1)
