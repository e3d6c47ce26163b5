"""Never pay twice: each way a start can go wrong, over real HTTP. Checks the number of upstream runs and what operators read."""

import json
import uuid
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
import requests
from django.utils import timezone

from competitors.jobs.amazon_review_scrape.order import review_order, usual_price
from competitors.jobs.amazon_review_scrape.sweeps import SweepOptions
from pipeline import api
from pipeline.contract import NotAllowed, get_source, get_type
from pipeline.engine.execution import executor
from pipeline.engine.execution.context import WorkerContext
from pipeline.engine.queue.claim import claim
from pipeline.engine.upstreams import paid_starts
from pipeline.engine.upstreams.paid_starts import _intend
from pipeline.engine.workers.inline import work_one
from pipeline.engine.workers.processes import register_worker
from pipeline.models import DatasetStatus, Run, SourceState, UpstreamRun
from pipeline.queries import run_detail
from pipeline.states import RunStatus
from tests.competitors.scraping import finish, upstream_runs, words, work
from tests.processes import until

pytestmark = pytest.mark.django_db(transaction=True)


def test_without_faults_one_run_is_started_and_its_rows_are_saved(sandbox, listing, run):
    finish(run)
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "ok")
    assert upstream_runs(sandbox) == 1
    assert listing.reviews().count() == run.counts["new"] > 0
    ledger = run.upstream_runs.get()
    assert (ledger.status, ledger.cost_settled, ledger.read_complete) == ("succeeded", True, True)
    assert run.cost_actual == ledger.cost_actual > 0


@pytest.mark.parametrize("fault", ["drop_start", "error_start"])
def test_a_run_whose_start_got_no_answer_is_adopted(sandbox, run, fault):
    """F4: one intent, at most one upstream run."""
    sandbox.account.faults.arm(fault, count=1)
    work(run)
    assert "no clear answer" in words(run)
    finish(run)
    assert (run.status, run.attempt, upstream_runs(sandbox)) == (RunStatus.COMPLETED, 0, 1)


def test_a_lagging_list_is_waited_for(sandbox, run):
    sandbox.account.faults.arm("drop_start", count=1)
    sandbox.account.faults.arm("lag_list", value=1.5)
    work(run)
    run.refresh_from_db()
    assert run.status == RunStatus.WAITING
    assert "whether the run started" in words(run)
    finish(run)
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.COMPLETED, 1)


def test_without_our_user_agent_the_input_tells_which_run_is_ours(sandbox, run):
    sandbox.account.faults.arm("strip_user_agent")
    sandbox.account.faults.arm("drop_start", count=1)
    work(run)
    assert run.upstream_runs.get().status == "intent"  # the list may lag: ours could still turn up with its tag
    work(run, age_intent=timedelta(seconds=60))
    finish(run)
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.COMPLETED, 1)


def test_two_runs_with_equal_input_are_unknown_and_nothing_is_started(sandbox, listing, run):
    sandbox.account.faults.arm("strip_user_agent")
    get_source("apify").start(order_of(run, listing), "")  # somebody else's, by hand, with the same input
    sandbox.account.faults.arm("drop_start", count=1)
    work(run)
    work(run, age_intent=timedelta(seconds=60))
    work(run)
    run.refresh_from_db()
    ours = run.upstream_runs.get()
    assert (run.status, ours.status, upstream_runs(sandbox)) == (RunStatus.WAITING, "unknown", 2)
    assert "2 runs that could be this one" in words(run)


def test_after_a_day_of_not_knowing_a_person_decides(sandbox, listing, run):
    test_two_runs_with_equal_input_are_unknown_and_nothing_is_started(sandbox, listing, run)
    ours = sandbox.state["runs"][0]["id"]
    UpstreamRun.objects.filter(run=run).update(intent_at=timezone.now() - timedelta(hours=25))
    work(run)
    run.refresh_from_db()
    assert run.status == RunStatus.FAILED
    assert "Enter the ID of the right run, or start again" in run.error_message
    api.adopt(run, ours, None)
    finish(run)
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.COMPLETED, 2)


def test_new_code_never_repeats_a_paid_start_of_old_code(sandbox, run, monkeypatch):
    work(run)
    assert run.upstream_runs.count() == 1
    monkeypatch.setattr(get_type(run.job_type), "version", 2)
    finish(run)
    assert (run.status, upstream_runs(sandbox), run.code_version) == (RunStatus.COMPLETED, 1, 2)


def test_an_intent_of_newer_code_is_left_to_newer_code(sandbox, listing, run, monkeypatch):
    """Old code would look for it by its own order, find nothing, and pay again."""
    monkeypatch.setattr(get_type(run.job_type), "version", 2)
    claimed, lease = claim(register_worker())
    _intend(WorkerContext(claimed, lease, stopping=lambda: False), order_of(claimed, listing), "start", None)
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    monkeypatch.setattr(get_type(run.job_type), "version", 1)
    assert claim(register_worker()) is None
    monkeypatch.setattr(get_type(run.job_type), "version", 2)
    assert claim(register_worker())[0] == run


def test_a_start_of_old_code_whose_trace_is_lost_is_not_repeated_by_new_code_that_asks_for_something_else(
    sandbox, listing, run, settings
):
    """Our user agent is stripped, and the input that new code would send is not what old code sent: a person decides."""
    settings.PIPELINE_NONE_SECONDS = 0
    sandbox.account.faults.arm("strip_user_agent")
    claimed, lease = claim(register_worker())
    order = order_of(claimed, listing)
    old = replace(order, input={"input": order.input["input"][:1]})
    ctx = WorkerContext(claimed, lease, stopping=lambda: False)
    intent = _intend(ctx, old, "start", None)
    get_source("apify").start(old, intent.tag)
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    work(run)
    assert (run.upstream_runs.get().status, upstream_runs(sandbox)) == ("unknown", 1)


def test_a_worker_that_died_before_its_checkpoint_adopts_what_it_started(sandbox, listing, run):
    claimed, lease = claim(register_worker())
    order = order_of(claimed, listing)
    ctx = WorkerContext(claimed, lease, stopping=lambda: False)
    intent = _intend(ctx, order, "start", None)
    get_source("apify").start(order, intent.tag)  # the answer came, and the process died before storing it
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    finish(run)
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.COMPLETED, 1)


def test_a_worker_that_died_before_sending_starts_it_once(sandbox, listing, run):
    claimed, lease = claim(register_worker())
    ctx = WorkerContext(claimed, lease, stopping=lambda: False)
    _intend(ctx, order_of(claimed, listing), "start", None)
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    work(run)
    assert upstream_runs(sandbox) == 0
    work(run, age_intent=timedelta(seconds=60))
    finish(run)
    assert (run.status, run.attempt, upstream_runs(sandbox)) == (RunStatus.COMPLETED, 0, 1)


def test_a_request_that_would_leave_too_late_is_not_sent(sandbox, run, monkeypatch, settings):
    """As where its process was suspended after the intent. Another worker may have asked meanwhile, and found nothing."""

    def suspended(*start):
        monkeypatch.undo()
        upstream = _intend(*start)
        upstream.intent_at -= timedelta(seconds=settings.PIPELINE_START_SECONDS)
        upstream.save()
        return upstream

    monkeypatch.setattr(paid_starts, "_intend", suspended)
    work(run)
    late, sent = run.upstream_runs.all()
    assert (late.status, late.upstream_id) == ("void", None)
    assert (sent.status, upstream_runs(sandbox)) == ("running", 1)


def test_a_worker_that_lost_its_lease_pays_and_records_nothing(sandbox, run):
    claimed, lease = claim(register_worker())
    Run.objects.filter(pk=run.pk).update(lease_token=uuid.uuid4())  # another worker has it now
    executor.execute(claimed, lease, stopping=lambda: False)
    assert (upstream_runs(sandbox), UpstreamRun.objects.count()) == (0, 0)
    assert lease.lost.is_set()


def test_a_start_that_failed_costs_a_try_and_no_money(sandbox, run):
    sandbox.account.faults.arm("refuse_start", count=1)
    work(run)
    work(run, age_intent=timedelta(seconds=60))
    run.refresh_from_db()
    assert (run.status, run.attempt, upstream_runs(sandbox)) == (RunStatus.PENDING, 1, 0)
    assert "did not start the run" in words(run)
    finish(run)
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.COMPLETED, 1)


@pytest.mark.parametrize(("fault", "said"), [("no_memory", "memory"), ("no_slots", "concurrent")])
def test_a_full_upstream_is_waited_for_without_a_try(sandbox, run, fault, said):
    sandbox.account.faults.arm(fault, count=2)
    work(run)
    run.refresh_from_db()
    assert (run.status, run.attempt, upstream_runs(sandbox)) == (RunStatus.PENDING, 0, 0)
    assert said in words(run).lower()
    finish(run)
    assert (run.status, run.attempt, upstream_runs(sandbox)) == (RunStatus.COMPLETED, 0, 1)


@pytest.mark.parametrize("fault", ["no_money", "usage_limit"])
def test_an_account_without_money_starts_nothing_and_says_so(sandbox, run, fault):
    sandbox.account.faults.arm(fault)
    work(run)
    run.refresh_from_db()
    assert run.attempt == 0
    assert upstream_runs(sandbox) == 0
    assert "apify" in words(run).lower()
    assert "usage" in words(run).lower() or "money" in words(run).lower()


def test_a_rejected_token_fails_at_once_and_does_not_show_it(sandbox, run, settings):
    settings.APIFY_TOKEN = "bad-token"
    work(run)
    run.refresh_from_db()
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.FAILED, 0)
    assert "APIFY_TOKEN" in run.error_message
    assert "bad-token" not in words(run)


def test_above_the_daily_limit_runs_wait_and_say_so(sandbox, run, settings):
    settings.PIPELINE_DAILY_SPEND_LIMIT_USD = Decimal("0.01")
    work(run)
    run.refresh_from_db()
    assert (run.status, run.attempt, upstream_runs(sandbox)) == (RunStatus.PENDING, 0, 0)
    assert "Today's spend limit is reached" in words(run)
    assert not UpstreamRun.objects.exists()
    settings.PIPELINE_DAILY_SPEND_LIMIT_USD = Decimal(50)
    finish(run)
    assert run.status == RunStatus.COMPLETED


def test_failed_starts_that_cost_much_are_not_repeated_until_a_person_asks(sandbox, run, settings):
    settings.PIPELINE_RETRY_SPEND_USD = Decimal("0.001")
    sandbox.account.faults.arm("end_as", value="FAILED", count=1)
    finish(run)
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.FAILED, 1)
    assert "Start again costs about $" in run.error_message
    api.retry(run, None)  # asks for another try, not for another start
    finish(run)
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.FAILED, 1)
    api.start_again(run, None)
    finish(run)
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.COMPLETED, 2)


def test_no_next_try_is_promised_that_would_be_refused(sandbox, run, settings):
    """The run fails at once, and says what Start again costs."""
    settings.PIPELINE_RETRY_SPEND_USD = Decimal("0.001")
    sandbox.account.faults.arm("end_as", value="FAILED", count=1)
    until(lambda: (tried := work(run)) and tried.attempt, "the first failed try")
    run.refresh_from_db()
    assert (run.status, run.attempt) == (RunStatus.FAILED, 1)
    for told in (run.error_message, run.job.last_error, DatasetStatus.objects.get().error_message):
        assert "Automatic retries stopped: this run already cost $" in told
    assert "Next try" not in words(run)
    assert run_detail(run).can_start_again


def test_a_run_without_a_reported_cost_costs_its_price_per_item(sandbox, run):
    sandbox.account.faults.arm("no_costs")
    finish(run)
    assert run.cost_actual == round(Decimal(run.counts["raw"]) * Decimal("0.75") / 1000, 4)


@pytest.mark.only_on("postgresql")
def test_a_host_whose_clock_is_fast_still_starts_once(sandbox, run, monkeypatch):
    """The time until the request is measured by the database's clock: a host a minute ahead would else never send one."""
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(minutes=1))
    work_one()
    assert upstream_runs(sandbox) == 1
    assert run.upstream_runs.get().status == "running"


def order_of(run, listing):
    """The order that the job will make of this run."""

    return review_order(listing, SweepOptions.of(run.parameters), [], usual_price())


def fail_as_unknown(sandbox, listing, run):
    """Failed after a day of not knowing which of two upstream runs is ours."""
    test_two_runs_with_equal_input_are_unknown_and_nothing_is_started(sandbox, listing, run)
    UpstreamRun.objects.filter(run=run).update(intent_at=timezone.now() - timedelta(hours=25))
    work(run)
    run.refresh_from_db()
    assert run.status == RunStatus.FAILED
    return run


def test_a_mistyped_id_adopts_nothing_and_pays_nothing(sandbox, listing, run):
    """The upstream does not know the id, which says nothing about the run that was really started."""
    fail_as_unknown(sandbox, listing, run)
    before = upstream_runs(sandbox)
    api.adopt(run, "Typo1234567890abc", None)
    finish(run)
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.FAILED, before)
    assert "has no run Typo1234567890abc" in run.error_message
    assert run.upstream_runs.get().status == UpstreamRun.Status.UNKNOWN, "it can be adopted again"


def test_adopting_nothing_is_refused(sandbox, listing, run):
    fail_as_unknown(sandbox, listing, run)
    with pytest.raises(NotAllowed, match="Enter the run's ID"):
        api.adopt(run, "", None)


def test_start_again_still_holds_after_the_upstream_was_full(sandbox, run, settings):
    settings.PIPELINE_RETRY_SPEND_USD = Decimal("0.001")
    sandbox.account.faults.arm("end_as", value="FAILED", count=1)
    finish(run)
    assert run.status == RunStatus.FAILED
    sandbox.account.faults.arm("no_memory", count=1)
    api.start_again(run, None)
    finish(run)
    assert run.status == RunStatus.COMPLETED, run.error_message


def test_a_run_list_too_long_to_read_does_not_prove_that_a_start_failed(sandbox, listing, run, monkeypatch):
    """Ours is the oldest in the list, on no page that was read."""
    monkeypatch.setattr("competitors.upstream.apify.LIST_PAGE", 2)
    monkeypatch.setattr("competitors.upstream.apify.LIST_PAGES", 1)
    claimed, lease = claim(register_worker())
    ctx = WorkerContext(claimed, lease, stopping=lambda: False)
    intent = _intend(ctx, order_of(run, listing), "start", None)
    for tag in (intent.tag, "cp-another", "cp-another"):  # ours, whose worker then dies, and two of another installation
        get_source("apify").start(order_of(run, listing), tag)
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    work(run, age_intent=timedelta(seconds=60))
    work(run)
    assert upstream_runs(sandbox) == 3
    assert run.upstream_runs.get().status == UpstreamRun.Status.UNKNOWN
    monkeypatch.undo()
    finish(run)
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.COMPLETED, 3)


@pytest.mark.parametrize("kind", ["application/octet-stream", "application/json"])
def test_a_run_with_a_foreign_input_is_ignored(sandbox, listing, run, kind):
    sandbox.account.faults.arm("strip_user_agent")
    sandbox.account.faults.arm("drop_start", count=1)
    work(run)
    address = f"{sandbox.url}/v2/acts/axesso_data~amazon-reviews-scraper/runs"
    given = json.dumps({"input": [{"asin": "B09XK4T2LM", "domainCode": "com"}], "note": "\ud83d"})
    sent = requests.post(address, given, headers={"Authorization": "Bearer a-token", "Content-Type": kind}, timeout=5)
    assert sent.status_code == 201
    work(run, age_intent=timedelta(seconds=60))
    finish(run)
    assert (run.status, run.attempt, upstream_runs(sandbox)) == (RunStatus.COMPLETED, 0, 2), run.error_message


def test_a_slow_down_while_asking_about_a_lost_start_slows_the_whole_account(sandbox, run):
    sandbox.account.faults.arm("drop_start", count=1)
    sandbox.account.faults.arm("lag_list", value=60)
    work(run)
    sandbox.account.faults.arm("rate_limit", value=100)
    work(run)
    assert SourceState.objects.get(source="apify").slow_until > timezone.now() + timedelta(seconds=60)
    run.refresh_from_db()
    assert (run.is_live, run.attempt, upstream_runs(sandbox)) == (True, 0, 1)
