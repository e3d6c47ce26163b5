"""An upstream that is slow, down or full: its runs wait, say why, and spend no tries."""

import json
from datetime import timedelta

import pytest
import requests
from django.utils import timezone

from competitors.sandbox.server import serve
from pipeline import api
from pipeline.engine.upstreams import health
from pipeline.engine.upstreams.orphans import settle_orphans
from pipeline.engine.upstreams.watch import watch_upstreams
from pipeline.engine.workers.housekeeping.healing import heal_schedules
from pipeline.engine.workers.inline import work_off, work_one
from pipeline.models import Attempt, ConcurrencyLimit, Event, Pause, Run, SourceState, UpstreamRun
from pipeline.queries.explain import explain
from pipeline.states import RunStatus
from tests.factories import make_competitor, make_listing
from tests.processes import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sandbox(settings):
    with serve(run_seconds=0.2, seed=7, concurrent_runs_limit=40, memory_limit_mbytes=2**20) as sandbox:
        settings.APIFY_API_URL, settings.PIPELINE_SETTLE_SECONDS = sandbox.url, 0
        yield sandbox


@pytest.fixture
def queue(db):
    competitor = make_competitor()

    def queue(number=0):
        listing = make_listing(competitor, asin=f"B{number:09}")
        parameters = {"competitor_amazon_url_id": str(listing.pk), "include_keywords": False, "include_helpful": False}
        return api.queue_one_time_job(competitor.brand_id, "amazon_review_scrape", parameters).run

    return queue


def due(*runs):
    Run.objects.filter(pk__in=[run.pk for run in runs], status__in=["pending", "waiting"]).update(due_at=timezone.now())


def test_a_429_slows_down_every_run_of_the_account_which_then_continue(sandbox, queue):
    first, second = queue(1), queue(2)
    sandbox.account.faults.arm("rate_limit", count=1)
    work_one()
    first.refresh_from_db()
    assert (first.status, first.attempt) == (RunStatus.PENDING, 0)
    due(first, second)
    assert work_one() is None, "the other run of the account rests too"
    assert "Apify asked us to slow down. Runs continue at" in explain(second, timezone.now())
    SourceState.objects.update(slow_until=timezone.now() - timedelta(seconds=1))
    until(lambda: (due(first, second), work_one(), not Run.objects.live().exists())[-1], "both to end")
    assert set(Run.objects.values_list("status", "attempt")) == {("completed", 0)}
    assert SourceState.objects.get().slow_count == 0


def test_a_429_with_retry_after_is_obeyed(sandbox, queue):
    queue(1)
    sandbox.account.faults.arm("rate_limit", value=120, count=2)
    work_one()
    rest = SourceState.objects.get().slow_until - timezone.now()
    assert timedelta(seconds=110) < rest < timedelta(seconds=130)


def test_the_account_rests_longer_at_each_slow_down(db):
    first = health.slow_down("apify", None) - timezone.now()
    third = [health.slow_down("apify", None) - timezone.now() for _ in range(2)][-1]
    assert third > 3 * first
    assert health.slow_down("apify", 7) - timezone.now() < timedelta(seconds=8)


def test_a_successful_call_does_not_end_the_rest_that_the_account_asked_for(db):
    """A cancel, or a run that is being worked on, still calls it meanwhile."""
    until_then = health.slow_down("apify", 600)
    health.note_success("apify")
    assert SourceState.objects.get().slow_until == until_then
    SourceState.objects.update(slow_until=timezone.now())
    health.note_success("apify")
    assert (SourceState.objects.get().slow_until, SourceState.objects.get().slow_count) == (None, 0)


def test_an_upstream_that_is_down_costs_no_more_tries_until_a_probe_succeeds(sandbox, queue):
    """F13: an upstream that does not answer may still be running it."""
    runs = [queue(number) for number in range(4)]
    work_one()  # started, waits
    sandbox.account.faults.arm("server_error", path="/actor")
    for _ in range(2):
        health.note_failure("apify", "HTTP 500 from Apify.")
    sandbox.account.faults.clear()
    assert health.note_failure("apify", "HTTP 500 from Apify.") is True
    due(*runs)
    assert work_one() is None
    assert "Apify is down: HTTP 500 from Apify. Next check at" in explain(runs[-1], timezone.now())
    sandbox.account.faults.arm("server_error")
    SourceState.objects.update(blocked_until=timezone.now())
    watch_upstreams()
    assert SourceState.objects.get().blocked_until > timezone.now(), "the probe failed, so it stays down"
    sandbox.account.faults.clear()
    SourceState.objects.update(blocked_until=timezone.now())
    watch_upstreams()
    assert SourceState.objects.get().blocked_until is None
    assert list(Event.objects.order_by("pk").values_list("kind", flat=True)) == ["source_closed", "source_opened"]
    until(lambda: (due(*runs), work_one(), not Run.objects.live().exists())[-1], "all to end")
    assert set(Run.objects.values_list("status", "attempt")) == {("completed", 0)}


def test_a_rest_requested_by_an_upstream_is_at_most_an_hour(sandbox, queue):
    sandbox.account.faults.arm("rate_limit", 10**12, count=1)
    run = queue(1)
    work_one()
    run.refresh_from_db()
    assert (run.status, run.attempt) == (RunStatus.PENDING, 0)
    assert SourceState.objects.get(source="apify").slow_until <= timezone.now() + timedelta(hours=1)


def test_the_pause_after_a_failed_probe_does_not_grow_with_idle_time_before_the_outage(sandbox, db):
    yesterday = timezone.now() - timedelta(days=1)
    SourceState.objects.create(source="apify", next_poll_at=yesterday, polled_at=yesterday)
    for _ in range(3):
        health.note_failure("apify", "HTTP 500 from Apify.")
    sandbox.account.faults.arm("server_error")
    first = SourceState.objects.get().blocked_until
    health.probe(first)
    assert SourceState.objects.get().blocked_until - first <= timedelta(minutes=1)


def test_a_rejected_token_fails_one_run_and_the_others_continue_once_it_is_right(sandbox, queue, settings):
    """F20: one cause, one incident. Nothing is paid or asked while a token is known to be bad."""
    sandbox.account.faults.arm("never_ends")
    runs = [queue(number) for number in range(30)]
    settings.APIFY_TOKEN, right = "", settings.APIFY_TOKEN or "a-token"
    while work_one():
        pass
    assert list(Run.objects.order_by("pk").values_list("status", flat=True)) == ["failed"] + ["pending"] * 29
    assert Event.objects.get().kind == "source_closed"
    assert "Set it for web and worker" in explain(runs[-1], timezone.now())
    SourceState.objects.update(blocked_until=timezone.now())
    watch_upstreams()
    due(*runs)
    assert work_one() is None
    assert sandbox.state["runs_started"] == 0
    settings.APIFY_TOKEN = right
    SourceState.objects.update(blocked_until=timezone.now())
    watch_upstreams()
    started = [work_one() for _ in range(29)]
    assert {(one.status, one.attempt) for one in started} == {(RunStatus.WAITING, 0)}
    assert sandbox.state["runs_started"] == 29


def test_a_run_at_its_upstream_tells_its_time_so_far_and_the_usual_time(sandbox, queue):
    first = queue(1)
    until(lambda: (due(first), work_one(), not Run.objects.live().exists())[-1], "the first to end")
    now = timezone.now()
    UpstreamRun.objects.update(started_at=now - timedelta(minutes=10), finished_at=now)
    sandbox.account.faults.arm("never_ends")
    second = queue(2)
    work_one()
    UpstreamRun.objects.filter(run=second).update(started_at=now - timedelta(seconds=258))
    second.refresh_from_db()
    assert "(4 min, usually 10 min)" in explain(second, now)


@pytest.mark.parametrize("reason", ["slow_until", "blocked_until"])
def test_a_cancel_does_not_wait_for_a_resting_upstream(sandbox, queue, reason):
    sandbox.account.faults.arm("never_ends")
    run = queue(1)
    work_one()
    health.slow_down("apify", 600)
    SourceState.objects.update(**{reason: timezone.now() + timedelta(minutes=10)})
    api.cancel(run, None)
    until(lambda: (due(run), work_one(), not Run.objects.live().exists())[-1], "the cancel to end")
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED
    assert not run.upstream_runs.filter(status="running").exists()


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({"max_running": 1}, "Apify is full: its limit of 1 run at once is reached"),
        ({"max_running": 9, "max_memory_mb": 3000}, "Apify is full: too little of its 3,000 MB is free"),
    ],
)
def test_an_accounts_own_limit_is_never_exceeded_and_is_shown(sandbox, queue, limit, words):
    ConcurrencyLimit.objects.create(source="apify", **limit)
    sandbox.account.faults.arm("never_ends")
    first, second = queue(1), queue(2)
    work_one()
    work_one()
    second.refresh_from_db()
    assert sandbox.state["runs_started"] == 1
    assert (second.status, second.attempt) == (RunStatus.PENDING, 0)
    assert words in explain(second, timezone.now())
    assert first.pk != second.pk


def test_an_account_whose_limit_is_0_starts_nothing_and_says_so(sandbox, queue):
    ConcurrencyLimit.objects.create(source="apify", max_running=0)
    run = queue(1)
    assert work_one() is None
    assert explain(run, timezone.now()).startswith("The limit for Apify is 0")


def test_a_full_account_is_not_tried_by_every_run_again_and_again(sandbox, queue):
    ConcurrencyLimit.objects.create(source="apify", max_running=1)
    sandbox.account.faults.arm("never_ends")
    runs = [queue(number) for number in range(10)]
    for _ in range(4):
        due(*runs)
        work_off(30)
    assert Attempt.objects.exclude(run=runs[0]).count() == 0
    runs[-1].refresh_from_db()
    assert explain(runs[-1], timezone.now()).startswith("Apify is full: its limit of 1 run at once is reached")
    assert Attempt.objects.filter(run=runs[0]).count() == 4, "the run that uses the slot is still worked on"


def test_the_upstream_run_of_a_failed_run_frees_its_slot_once_it_has_ended(sandbox, queue):
    ConcurrencyLimit.objects.create(source="apify", max_running=1)
    dead, other = queue(1), queue(2)
    work_one()
    over = {"status": "failed", "completed_at": timezone.now(), "lease_token": None, "lease_expires_at": None, "worker": None}
    Run.objects.filter(pk=dead.pk).update(**over)
    assert work_one() is None

    def ended():
        settle_orphans()
        return dead.upstream_runs.get().ended

    until(ended, "the housekeeping to see its end")
    assert work_one().pk == other.pk


def test_an_upstream_that_does_not_answer_waiting_runs_counts_as_down_for_all(sandbox, queue):
    sandbox.account.faults.arm("never_ends")
    run = queue(1)
    work_one()
    sandbox.account.faults.arm("server_error", path="/actor-runs")
    for _ in range(3):
        due(run)
        assert work_one().status == RunStatus.WAITING
    due(run)
    assert work_one() is None
    assert "Apify is down: HTTP 500" in explain(Run.objects.get(pk=run.pk), timezone.now())


def test_a_run_with_work_upstream_continues_though_its_type_is_paused(sandbox, queue):
    """Its items are saved, also if a 429 put it back into the queue."""
    run, fresh = queue(1), queue(2)
    Run.objects.filter(pk=fresh.pk).update(due_at=timezone.now() + timedelta(hours=1))
    work_one()
    sandbox.account.faults.arm("rate_limit", count=2)
    due(run)
    until(lambda: (due(run), work_one())[-1].status == RunStatus.PENDING, "the 429 to be met")
    SourceState.objects.update(slow_until=None)
    Pause.objects.create(job_type="amazon_review_scrape")
    until(lambda: (due(run), work_one(), not Run.objects.live().filter(pk=run.pk).exists())[-1], "its end")
    due(fresh)
    assert work_one() is None


def test_a_source_whose_code_is_gone_stops_no_watch_no_healing_and_no_page(sandbox, queue, admin_client):
    run = queue(1)
    work_one()
    UpstreamRun.objects.update(source="gone")
    SourceState.objects.update_or_create(source="gone", defaults={"next_poll_at": timezone.now()})
    watch_upstreams()
    assert admin_client.get("/").status_code == 200
    assert admin_client.get(run.get_absolute_url()).status_code == 200
    over = {"status": "failed", "completed_at": timezone.now()}
    Run.objects.filter(pk=run.pk).update(**over)
    heal_schedules(timezone.now())
    assert admin_client.get(run.get_absolute_url()).status_code == 200


def test_no_secret_is_in_any_row_or_log(sandbox, queue, settings, caplog):
    settings.APIFY_TOKEN = "secret-token-of-the-account"
    run = queue(1)
    sandbox.account.faults.arm("drop_percent", value=30)
    until(lambda: (due(run), work_one(), not Run.objects.live().exists())[-1], "the end", 40)
    from django.apps import apps

    rows = json.dumps([list(model.objects.values()) for model in apps.get_app_config("pipeline").get_models()], default=str)
    assert "secret-token" not in rows + caplog.text
    assert requests.get(f"{sandbox.url}/sandbox/state", timeout=5).ok
