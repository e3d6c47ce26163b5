"""What pages and monitors say of data and runs: running and being fetched only while somebody is at it; one banner."""

import random
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.utils import timezone

from pipeline import api, queries
from pipeline.engine.scheduling import cron
from pipeline.models import DatasetStatus, Job, Run
from pipeline.queries import Activity, SubjectState
from pipeline.queries.freshness import freshness_row
from pipeline.queries.freshness.under_way import SKIPPED_TICKS, Skips
from pipeline.queries.manager.health import health
from pipeline.states import RunStatus
from tests.factories import make_brand, make_upstream

pytestmark = pytest.mark.django_db(transaction=True)
WEEK = timedelta(days=7)


@pytest.fixture
def brand():
    return make_brand()


def hour(number):
    return timezone.now() + timedelta(hours=number)


def a_run(brand, name, last_status="", *, words="", days=None, upstream=False, lapsed=False, **fields):
    """A run put into a state, and what its data says."""
    run = api.queue_one_time_job(brand.pk, "toy", {"name": name}).run
    if upstream:
        make_upstream(run, f"run-of-{name}")
    if fields.get("status") == RunStatus.RUNNING:
        fields |= {"lease_token": uuid4(), "lease_expires_at": hour(-1 if lapsed else 1)}
    if fields.get("status") in (RunStatus.COMPLETED, RunStatus.FAILED):
        fields |= {"completed_at": timezone.now()}
    Run.objects.filter(pk=run.pk).update(**fields)
    run.refresh_from_db()
    if last_status:
        success = timezone.now() - timedelta(days=days) if days is not None else None
        about = {"brand": brand, "dataset_key": "toys", "subject": name}
        DatasetStatus.objects.create(**about, last_status=last_status, last_run=run, error_message=words, last_success_at=success)
    return run


def state(brand, name, price=None):
    fresh = queries.freshness("toys", brand.pk, [name], max_age=WEEK)[name]
    live = queries.live_run("toy", brand.pk, name)
    return SubjectState(name, name.upper(), fresh, queries.run_row(live) if live else None, price)


def banner_of(brand, *names, price=None):
    return queries.banner("Toys", [state(brand, name, price) for name in names], noun="toy", verb="Fetch")


STATES = {  # who is at it: the run's fields and what its data says
    "a worker": (Activity.WORKER, {"status": RunStatus.RUNNING, "last_status": "running"}),
    "a dead worker": (Activity.NOBODY, {"status": RunStatus.RUNNING, "lapsed": True, "last_status": "running"}),
    "the upstream": (
        Activity.UPSTREAM,
        {"status": RunStatus.WAITING, "due_at": hour(1), "upstream": True, "last_status": "running"},
    ),
    "a sleep": (Activity.NOBODY, {"status": RunStatus.WAITING, "due_at": hour(1), "last_status": "waiting", "words": "Sleeps."}),
    "an upstream that is done": (
        Activity.NOBODY,
        {"status": RunStatus.WAITING, "due_at": hour(-1), "upstream": True, "last_status": "running"},
    ),
    "a spend limit": (
        Activity.NOBODY,
        {"status": RunStatus.PENDING, "due_at": hour(1), "blocked_reason": "Spent.", "last_status": "waiting", "words": "Spent."},
    ),
    "a retry": (
        Activity.NOBODY,
        {
            "status": RunStatus.PENDING,
            "due_at": hour(1),
            "attempt": 1,
            "error_message": "Broke.",
            "last_status": "waiting",
            "words": "Broke.",
        },
    ),
}
BUSY = ("is refreshing", "is fetching", "being fetched,", "1 running", "1 being fetched")


@pytest.mark.parametrize("who", STATES)
def test_only_a_run_that_somebody_is_at_is_called_running_or_being_fetched(brand, who, capsys):
    at_work, fields = STATES[who]
    run = a_run(brand, "bear", **fields)
    assert queries.activity(run, timezone.now()) == at_work
    seen = health().at_work
    assert (seen.counts["running"], seen.counts["fetching"], seen.queued) == (
        at_work == Activity.WORKER,
        at_work == Activity.UPSTREAM,
        at_work == Activity.NOBODY,
    )
    said = f"{seen.words} {state(brand, 'bear').freshness.sentence} {banner_of(brand, 'bear').text}"
    assert any(words in said for words in BUSY) == bool(at_work)
    with pytest.raises(SystemExit):  # no worker
        call_command("pipeline_status")
    assert f"{int(at_work == 'worker')} running, {int(at_work == 'upstream')} being fetched" in capsys.readouterr().out


def test_a_run_whose_worker_is_dead_says_so(brand):
    run = a_run(brand, "bear", status=RunStatus.RUNNING, lapsed=True)
    assert queries.explain(run, timezone.now()).startswith("Its worker stopped responding. No worker has ever reported.")


def test_a_wait_is_told_with_its_reason(brand):
    run = a_run(brand, "bear", "waiting", words="Spent.", due_at=hour(1), blocked_reason="Spent.")
    assert state(brand, "bear").freshness.sentence == f"Never refreshed. Run {run.pk} waits: Spent."
    assert banner_of(brand, "bear").text == f"Run {run.pk} waits. Spent. Checked again in 59 min."


def test_the_banner_speaks_of_one_subject_and_names_the_run_of_that_one(brand):
    """Another subject's failed run is not named beside it."""
    a_run(brand, "fox", "failed", words="HTTP 502", days=1, status=RunStatus.FAILED)
    a_run(brand, "bear", "completed", days=9, status=RunStatus.COMPLETED, verdict="ok")
    worst = a_run(brand, "owl", "failed", words="No such toy.", days=30, status=RunStatus.FAILED)
    banner = banner_of(brand, "fox", "bear", "owl", price=Decimal("1.53"))
    assert banner.title == "Toys: 2 of 3 toys out of date, oldest 30 days."
    assert banner.text == f"OWL: Run {worst.pk} failed: No such toy."
    assert (banner.subject, banner.run, banner.action, banner.label) == ("owl", worst, "scrape", "Fetch: OWL")
    assert banner.price == Decimal("1.53")


def test_the_banner_speaks_of_a_subject_that_no_run_is_busy_with(brand):
    a_run(brand, "owl", "running", days=30, status=RunStatus.RUNNING)
    a_run(brand, "bear", "completed", days=20, status=RunStatus.COMPLETED, verdict="ok")
    banner = banner_of(brand, "owl", "bear")
    assert (banner.subject, banner.action) == ("bear", "scrape")
    assert banner.text == "BEAR: Numbers on this page may be wrong. 1 other toy has a run already."


def test_the_banner_offers_what_fixes_it(brand):
    retry = a_run(brand, "owl", "waiting", words="Broke.", due_at=hour(1), attempt=1, error_message="Broke.")
    doubted = a_run(brand, "fox", "unknown", words="Half.", status=RunStatus.COMPLETED, verdict="partial")
    paid = a_run(brand, "bear", "failed", words="A bug.", status=RunStatus.FAILED, upstream=True)
    paid.upstream_runs.update(status="succeeded")
    offers = {name: banner_of(brand, name) for name in ("owl", "fox", "bear")}
    assert [(one.action, one.run) for one in offers.values()] == [("run_now", retry), ("accept", doubted), ("retry", paid)]
    assert offers["fox"].text == f"Run {doubted.pk} needs a check: Half."


@pytest.mark.parametrize(("days", "tone"), [(1, None), (8, "tone-amber"), (15, "tone-red")])
def test_no_banner_while_all_is_fresh_and_well(brand, days, tone):
    a_run(brand, "bear", "completed", days=days, status=RunStatus.COMPLETED, verdict="ok")
    banner = banner_of(brand, "bear")
    assert (banner and banner.tone) == tone


def test_data_without_a_run_says_only_its_age():
    assert freshness_row(DatasetStatus(last_success_at=hour(-2)), WEEK, timezone.now()).sentence == (
        "2 hours old; expected every 7 days."
    )


@pytest.mark.parametrize("order", [1, 2, 3])
def test_whether_a_schedule_was_skipped_is_the_same_whichever_of_its_runs_is_looked_at_first(order):
    now = timezone.now()
    job = Job(cron_expression="0 4 * * *", time_zone="UTC")
    late = [Run(job=job, scheduled_for=now + timedelta(hours=hours)) for hours in range(-120, 20, 7)] * 2
    random.Random(order).shuffle(late)
    skips = Skips(now)
    for run in late:
        ticks = cron.count_between(job.cron_expression, "UTC", run.scheduled_for, now, SKIPPED_TICKS)
        assert skips.skipped(run) == (ticks == SKIPPED_TICKS), run.scheduled_for
