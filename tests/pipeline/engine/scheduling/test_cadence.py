"""When a schedule is next due: pure, on frozen times; and on aged rows, as the engine reads them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db.models import F
from django.utils import timezone

from pipeline import api, queries
from pipeline.contract.errors import InvalidRequest
from pipeline.engine.scheduling import cadence
from pipeline.engine.scheduling.cadence import Due, Past, next_due
from pipeline.engine.scheduling.deadlines import watch_deadlines
from pipeline.engine.scheduling.ticks import insert_next_tick
from pipeline.engine.workers.inline import work_off
from pipeline.models import DatasetStatus, Event, Job, Run
from pipeline.states import JobStatus, RunStatus
from tests.factories import make_brand

LA = "America/Los_Angeles"
WORKDAYS = "ready 0 9 * * 1-5"
MONDAY = datetime(2026, 5, 4, 7, tzinfo=ZoneInfo(LA))  # two hours before the deadline


def minutes(*numbers: float) -> list[timedelta]:
    return [timedelta(minutes=number) for number in numbers]


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def start(past: Past, at: datetime = MONDAY, expression: str = WORKDAYS, zone: str = LA) -> Due:
    due = next_due(expression, zone, at, at, past)
    assert due
    return due


def test_runs_of_40_instead_of_10_minutes_start_30_minutes_earlier_within_five_runs():
    took, starts = minutes(*[10] * 10), []
    for _ in range(5):
        starts.append(start(Past(took)).at)
        took = [timedelta(minutes=40), *took][:10]
    assert starts[0] == MONDAY.replace(hour=8, minute=50)
    assert start(Past(took)).at == MONDAY.replace(hour=8, minute=20)
    assert starts == sorted(starts, reverse=True)


def test_a_deadline_is_met_by_nine_of_ten_runs_and_never_begun_more_than_three_hours_before():
    nine = minutes(*[10] * 9, 170)
    assert start(Past(nine)).at == MONDAY.replace(hour=8, minute=50), "one slow run of ten changes nothing"
    assert start(Past(minutes(500, 500, 500))).at == MONDAY, "three hours before would be past"
    assert start(Past(minutes(*[500] * 3)), MONDAY - hours(5)).at == MONDAY.replace(hour=6)
    assert start(Past(guess=timedelta(minutes=30))).at == MONDAY.replace(hour=8, minute=30), "nothing is known yet"
    assert start(Past(minutes(50), guess=timedelta(minutes=30))).at == MONDAY.replace(hour=8, minute=10)
    late = start(Past(nine), MONDAY.replace(hour=8, minute=55))
    assert late == Due(MONDAY.replace(hour=8, minute=55), MONDAY.replace(hour=9)), "at once, if its start is past"
    friday = MONDAY.replace(day=8, hour=9)
    assert start(Past(nine), friday).deadline == MONDAY.replace(day=11, hour=9), "no deadline at the weekend"


@pytest.mark.parametrize(
    ("day", "offset"),
    [((2026, 3, 7), 8), ((2026, 3, 8), 7), ((2026, 3, 9), 7), ((2026, 10, 31), 7), ((2026, 11, 1), 8), ((2026, 11, 2), 8)],
)
def test_on_nights_when_clocks_change_a_deadline_is_exact_in_its_zone(day, offset):
    """Three hours before 04:00 lie on the other side of the change: the run has its three hours all the same."""
    evening = datetime(*day, 12, tzinfo=UTC) - hours(12)
    due = start(Past(minutes(180, 180, 180)), evening, "ready 0 4 * * *", LA)
    assert due.deadline == datetime(*day, 4 + offset, tzinfo=UTC)
    assert due.deadline - due.at == hours(3)
    once = next_due(f"once {date(*day)}T02:30", LA, evening, evening, Past())
    assert once and once.at - datetime(*day, tzinfo=UTC) in (hours(2.5 + offset), hours(2.5 + 8))


def test_data_is_refreshed_before_it_is_stale_and_subjects_one_after_the_other():
    fetched = datetime(2026, 5, 4, tzinfo=UTC)
    now, took = fetched + hours(10), minutes(20, 20, 20)
    dues = [next_due("fresh 72h", LA, now, now, Past(took, fetched_at=fetched, key=str(number))) for number in range(40)]
    stale = fetched + hours(72)
    assert all(due and due.deadline == stale and stale - hours(2.5) < due.at <= stale - timedelta(minutes=20) for due in dues)
    assert len({due.at for due in dues if due}) == 40
    overdue = [next_due("fresh 72h", LA, stale, stale, Past(took, fetched_at=fetched, key=str(number))) for number in range(9)]
    assert all(due and stale <= due.at <= stale + cadence.SPREAD for due in overdue)
    assert len({due.at for due in overdue if due}) == 9


@pytest.mark.parametrize(
    ("expression", "spread"),
    [
        ("0 6 * * *", ["20 6 * * *", "40 6 * * *"]),
        ("30 6,18 * * 1-5", ["40 6,18 * * 1-5", "50 6,18 * * 1-5"]),
        ("58 6 * * *", ["58 6 * * *", "59 6 * * *"]),
        *(
            (same, None)
            for same in ("59 6 * * *", "*/20 6 * * *", "0,30 6 * * *", "fresh 72h", WORKDAYS, "once 2126-05-04T09:00", "")
        ),
    ],
)
def test_what_starts_at_one_minute_is_spread_over_the_rest_of_its_hour(expression, spread):
    """All after that minute, which another job type may use; never into another hour, which may be of another day."""
    assert cadence.spreads(expression) == (spread is not None)
    if spread:
        assert [cadence.spread(expression, place, 2) for place in range(2)] == spread
        hundred = [int(cadence.spread(expression, place, 100).split(" ")[0]) for place in range(100)]
        assert hundred == sorted(hundred)
        assert int(expression.split(" ")[0]) <= hundred[0] <= hundred[-1] <= 59


def test_a_subject_that_fails_waits_longer_each_time_and_none_runs_all_the_time():
    fetched = datetime(2026, 5, 4, tzinfo=UTC)
    at = fetched + hours(80)
    pauses = []
    for failed in range(1, 9):
        due = next_due("fresh 72h", LA, at, at, Past(fetched_at=fetched, ended_at=at, failed=failed))
        assert due
        pauses.append((due.at - at) / hours(1))
    assert pauses == [1, 2, 4, 8, 16, 32, 36, 36]
    again = next_due("fresh 2h", LA, at, at, Past(fetched_at=fetched, ended_at=at))  # its data was old when it was fetched
    assert again and again.at == at + hours(1)


@pytest.mark.parametrize(
    "expression", ["fresh", "fresh 0h", "fresh 9999h", "fresh 3d", "ready", "ready 9", "ready 0 25 * * *", "once", "once 09:00",
                   "once 2026-05-04T09:00+02:00", "every morning", ""]
)  # fmt: skip
def test_what_is_no_cadence_is_refused(expression):
    with pytest.raises(InvalidRequest, match=r"\.$"):
        cadence.check(expression)


@pytest.mark.parametrize(
    ("expression", "words", "runs"),
    [
        ("0 6,18 * * *", "Every day at 06:00 and 18:00", 61),
        ("fresh 72h", "Kept fresh within 3 days", 10),
        ("fresh 36h", "Kept fresh within 36 hours", 20),
        (WORKDAYS, "Ready by 09:00, Monday to Friday", 22),
        ("ready 30 8 * * *", "Ready by 08:30, every day", 30),
        ("once 2126-05-04T09:00", "Once at 4 May 2126, 09:00", 0),
    ],
)
def test_a_cadence_is_told_in_words_with_its_runs_a_month(expression, words, runs):
    assert queries.cadence_in_words(expression) == words
    assert round(queries.runs_a_month(expression, LA)) == runs


@pytest.fixture
def brand(db):
    return make_brand()


def run_of(job: Job, took: timedelta) -> Run:
    """An accepted run of the job's subject that has just ended."""
    begun = timezone.now() - took
    run = api.queue_one_time_job(job.brand_id, "toy").run
    times = {"asked_at": begun, "created_at": begun, "started_at": begun, "completed_at": begun + took}
    Run.objects.filter(pk=run.pk).update(status="completed", verdict="ok", **times)
    return run


@pytest.mark.parametrize("of_brand", [True, False])
def test_the_tick_that_waits_moves_half_an_hour_within_five_runs_of_40_instead_of_10_minutes(db, of_brand):
    """By any runs of its subject, in line and at work."""
    job = api.ensure_recurring_job(make_brand().pk if of_brand else None, "toy", "ready 0 9 1 1 *", time_zone=LA)
    other = api.ensure_recurring_job(make_brand("Other").pk, "toy", "ready 0 9 1 1 *", time_zone=LA).runs.get()
    leads, ticks = [], set()
    for number in range(15):
        run_of(job, timedelta(minutes=10 if number < 10 else 40))
        watch_deadlines(timezone.now())
        tick = job.runs.live().get(scheduled_for__isnull=False)
        leads.append(round((tick.deadline - tick.due_at) / timedelta(minutes=1)))
        ticks.add(tick.pk)
        assert tick.scheduled_for == tick.due_at
        assert tick.deadline.astimezone(ZoneInfo(LA)).strftime("%m-%d %H:%M") == "01-01 09:00"
    assert (leads[9], leads[14]) == (10, 40)
    assert leads[9:] == sorted(leads[9:])
    assert len(ticks) == 2, "a tick whose start stays the same stays itself"
    assert Run.objects.get(pk=other.pk).due_at == other.due_at
    api.run_now(tick, None)
    due = Run.objects.get(pk=tick.pk).due_at
    run_of(job, timedelta(minutes=170))
    watch_deadlines(timezone.now())
    assert job.runs.live().get(scheduled_for__isnull=False).due_at == due, "what a person brought forward stays there"


def test_a_deadline_has_one_run_and_what_came_too_late_is_told(brand):
    in_12_hours = timezone.now() + hours(12)
    job = api.ensure_recurring_job(brand.pk, "toy", f"ready {in_12_hours:%M %H} * * *", time_zone="UTC")
    tick = job.runs.get()
    assert tick.deadline - tick.due_at == timedelta(minutes=1), "a toy may work a minute"
    api.run_now(tick, None)
    (done,) = work_off()
    second = job.runs.live().get()
    assert second.deadline == done.deadline + hours(24), "a run that was brought forward met its deadline"
    Run.objects.filter(pk=done.pk).delete()
    earlier = {name: F(name) - hours(72) for name in ("due_at", "scheduled_for", "deadline")}
    job.runs.live().update(**earlier)
    assert work_off() == [second]
    assert "came due once more before" in job.events.get(kind="skipped").message
    assert job.runs.live().get().deadline > timezone.now()


def test_a_worker_that_is_down_is_told_at_the_latest_start_and_once(brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "ready 0 9 * * *", time_zone=LA)
    tick = job.runs.get()
    watch_deadlines(tick.due_at - timedelta(minutes=1))
    assert not Event.objects.filter(kind="late_start").exists()
    for _ in range(2):
        watch_deadlines(tick.due_at + timedelta(minutes=1))
    (event,) = Event.objects.filter(kind="late_start")
    start = f"{tick.due_at.astimezone(ZoneInfo(LA)):%H:%M}"
    assert f"has not started at its latest start, {start}: it may miss 09:00" in event.message
    assert (event.run, event.job) == (tick, job)


def test_only_data_that_is_about_to_be_stale_gets_a_run(brand):
    job = api.ensure_recurring_job(brand.pk, "toy", "fresh 72h")
    first = job.runs.get()
    assert first.due_at - timezone.now() < cadence.SPREAD, "never fetched: soon"
    Run.objects.filter(pk=first.pk).update(due_at=timezone.now(), scheduled_for=timezone.now())
    (done,) = work_off()
    tick = job.runs.live().get()
    assert tick.deadline - done.completed_at == hours(72)
    assert hours(60) < tick.due_at - timezone.now() < hours(72)
    Run.objects.filter(pk=tick.pk).update(due_at=timezone.now() + timedelta(minutes=1))
    Run.objects.filter(pk=done.pk).update(completed_at=timezone.now() - hours(71.9))
    DatasetStatus.objects.update(last_success_at=timezone.now() - hours(71.9))
    watch_deadlines(timezone.now())
    assert job.runs.live().get().pk == tick.pk, "still about to be stale"
    DatasetStatus.objects.update(last_success_at=timezone.now())  # by a person's click
    watch_deadlines(timezone.now())
    assert job.runs.live().get().due_at - timezone.now() > hours(60)


def test_a_schedule_of_one_time_runs_once_and_is_done(brand):
    soon = timezone.now().astimezone(ZoneInfo(LA)) + hours(1)
    job = api.ensure_recurring_job(brand.pk, "toy", f"once {soon:%Y-%m-%dT%H:%M}", time_zone=LA)
    tick = job.runs.get()
    Run.objects.filter(pk=tick.pk).update(due_at=F("due_at") - hours(2), scheduled_for=F("scheduled_for") - hours(2))
    Job.objects.update(cron_expression=f"once {soon - hours(2):%Y-%m-%dT%H:%M}")
    assert [run.status for run in work_off()] == [RunStatus.COMPLETED]
    job.refresh_from_db()
    assert (job.status, job.runs.live().count()) == (JobStatus.COMPLETED, 0)
    assert insert_next_tick(job, timezone.now(), timezone.now()) is None
