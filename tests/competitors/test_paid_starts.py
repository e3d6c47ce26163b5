"""Never pay twice: each way a start can go wrong, over real HTTP. How many upstream runs exist, and what the operator reads."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from competitors.models import Competitor, CompetitorAmazonUrl
from competitors.sandbox.server import serve
from pipeline import api, claims, runs
from pipeline.explain import explain
from pipeline.heartbeat import register_worker
from pipeline.models import Brand, Run, UpstreamRun
from pipeline.sources import get_source
from pipeline.states import RunStatus
from pipeline.testing import work_one
from tests.processes import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sandbox(settings):
    with serve(run_seconds=0.3, seed=7) as sandbox:
        settings.APIFY_API_URL, settings.APIFY_TOKEN = sandbox.url, "a-token-for-tests"
        settings.PIPELINE_SETTLE_SECONDS = 0
        yield sandbox


@pytest.fixture
def listing():
    brand = Brand.objects.create(name="Acme", slug="acme")
    competitor = Competitor.objects.create(brand=brand, name="Barkwell")
    return CompetitorAmazonUrl.objects.create(
        competitor=competitor, amazon_url="https://www.amazon.com/dp/B09XK4T2LM", asin="B09XK4T2LM"
    )


@pytest.fixture
def run(listing):
    parameters = {"competitor_amazon_url_id": str(listing.pk), "include_keywords": False, "include_helpful": False}
    return api.queue_one_time_job(listing.competitor.brand_id, "amazon_review_scrape", parameters).run


def upstream_runs(sandbox):
    return sandbox.state["runs_started"]


def work(run, *, age_intent=timedelta(0)):
    """One attempt, whatever it waits for."""
    if age_intent:
        for row in UpstreamRun.objects.filter(run=run):
            UpstreamRun.objects.filter(pk=row.pk).update(intent_at=row.intent_at - age_intent)
    Run.objects.filter(pk=run.pk, status__in=["pending", "waiting"]).update(due_at=timezone.now() - timedelta(seconds=1))
    return work_one()


def finish(run, seconds=20):
    """Attempts until the run is over."""

    def over():
        run.refresh_from_db()
        return not run.is_live or (work(run) and False)

    until(over, f"the end of run {run.pk}: {run.error_message}", seconds)
    run.refresh_from_db()
    return run


def words(run):
    run.refresh_from_db()
    return " ".join(
        [run.error_message, run.blocked_reason, explain(run, timezone.now()), *run.logs.values_list("message", flat=True)]
    )


def test_a_good_day_starts_one_run_and_lands_its_rows(sandbox, listing, run):
    finish(run)
    assert (run.status, run.verdict) == (RunStatus.COMPLETED, "ok")
    assert upstream_runs(sandbox) == 1
    assert listing.reviews().count() == run.counts["new"] > 0
    ledger = run.upstream_runs.get()
    assert (ledger.status, ledger.cost_settled, ledger.read_complete) == ("succeeded", True, True)
    assert run.cost_actual == ledger.cost_actual > 0


@pytest.mark.parametrize("fault", ["drop_start", "error_start"])
def test_an_answer_lost_after_the_run_was_created_is_adopted(sandbox, run, fault):
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
    assert "whether the start took" in words(run)
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
    get_source("apify").start(order_of(run, listing), "")  # somebody else's, by hand, with the very same input
    sandbox.account.faults.arm("drop_start", count=1)
    work(run)
    work(run, age_intent=timedelta(seconds=60))
    work(run)
    run.refresh_from_db()
    ours = run.upstream_runs.get()
    assert (run.status, ours.status, upstream_runs(sandbox)) == (RunStatus.WAITING, "unknown", 2)
    assert "2 runs that could be it" in words(run)


def test_after_a_day_of_not_knowing_a_person_decides(sandbox, listing, run):
    test_two_runs_with_equal_input_are_unknown_and_nothing_is_started(sandbox, listing, run)
    ours = sandbox.state["runs"][0]["id"]
    UpstreamRun.objects.filter(run=run).update(intent_at=timezone.now() - timedelta(hours=25))
    work(run)
    run.refresh_from_db()
    assert run.status == RunStatus.FAILED
    assert "Adopt the right one, or start again" in run.error_message
    api.adopt(run, ours, None)
    finish(run)
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.COMPLETED, 2)


def test_a_worker_that_died_before_its_checkpoint_adopts_what_it_started(sandbox, listing, run):
    claimed, attempt = claims.claim(register_worker())
    order = order_of(claimed, listing)
    from pipeline import money
    from pipeline.context import Context

    ctx = Context(claimed, runs.Lease(claimed.pk, attempt.lease_token, attempt.pk), stopping=lambda: False)
    intent = money._intend(ctx, order, "start", None)
    get_source("apify").start(order, intent.tag)  # the answer came, and the process died before writing it down
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    finish(run)
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.COMPLETED, 1)


def test_a_worker_that_died_before_sending_starts_it_once(sandbox, listing, run):
    claimed, attempt = claims.claim(register_worker())
    from pipeline import money
    from pipeline.context import Context

    ctx = Context(claimed, runs.Lease(claimed.pk, attempt.lease_token, attempt.pk), stopping=lambda: False)
    money._intend(ctx, order_of(claimed, listing), "start", None)
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    work(run)
    assert upstream_runs(sandbox) == 0
    work(run, age_intent=timedelta(seconds=60))
    finish(run)
    assert (run.status, run.attempt, upstream_runs(sandbox)) == (RunStatus.COMPLETED, 0, 1)


def test_a_start_that_did_not_take_costs_a_try_and_no_money(sandbox, run):
    sandbox.account.faults.arm("refuse_start", count=1)
    work(run)
    work(run, age_intent=timedelta(seconds=60))
    run.refresh_from_db()
    assert (run.status, run.attempt, upstream_runs(sandbox)) == (RunStatus.PENDING, 1, 0)
    assert "did not take the start" in words(run)
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
def test_an_account_without_money_is_said_and_nothing_is_started(sandbox, run, fault):
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


@pytest.mark.parametrize("end", ["FAILED", "TIMED-OUT", "ABORTED"])
def test_a_run_that_dies_upstream_lands_what_it_had_and_is_started_anew(sandbox, listing, run, end, settings):
    settings.PIPELINE_RETRY_SPEND_USD = Decimal(5)
    sandbox.account.faults.arm("end_as", value=end, count=1)

    def tried():
        work(run)
        run.refresh_from_db()
        return run.attempt == 1

    until(tried, "the first try to fail")
    landed = listing.reviews().count()
    assert landed > 0
    finish(run)
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.COMPLETED, 2)
    assert listing.reviews().count() >= landed
    assert [row.intent for row in run.upstream_runs.all()] == [1, 2]


def test_dead_starts_that_cost_much_are_not_repeated_until_a_person_asks(sandbox, run, settings):
    settings.PIPELINE_RETRY_SPEND_USD = Decimal("0.001")
    sandbox.account.faults.arm("end_as", value="FAILED", count=1)
    finish(run)
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.FAILED, 1)
    assert "Start again (≈ $" in run.error_message
    api.start_again(run, None)
    finish(run)
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.COMPLETED, 2)


def test_a_cancel_ends_the_upstream_run_and_lands_what_was_paid(sandbox, listing, run):
    sandbox.account.faults.arm("never_ends")
    work(run)
    api.cancel(run, None)
    finish(run)
    assert run.status == RunStatus.CANCELLED
    assert sandbox.state["runs"][0]["status"] == "ABORTED"
    assert upstream_runs(sandbox) == 1
    assert run.upstream_runs.get().read_complete


def test_a_cancel_whose_abort_fails_asks_again_and_costs_no_try(sandbox, run):
    sandbox.account.faults.arm("never_ends")
    work(run)
    api.cancel(run, None)
    sandbox.account.faults.arm("server_error", path="/abort")
    work(run)
    run.refresh_from_db()
    assert (run.is_live, run.attempt) == (True, 0)
    assert sandbox.state["runs"][0]["status"] != "ABORTED"
    sandbox.account.faults.clear()
    finish(run)
    assert run.status == RunStatus.CANCELLED
    assert sandbox.state["runs"][0]["status"] == "ABORTED"


def test_an_upstream_that_names_no_cost_is_booked_at_its_price_per_item(sandbox, run):
    sandbox.account.faults.arm("no_costs")
    finish(run)
    assert run.cost_actual == round(Decimal(run.counts["raw"]) * Decimal("0.75") / 1000, 4)


@pytest.mark.only_on("postgresql")
def test_a_host_whose_clock_is_fast_still_starts_once(sandbox, run, monkeypatch):
    """The start's seconds are the database's: a host a minute ahead would otherwise void every intent it makes."""
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(minutes=1))
    work_one()
    assert upstream_runs(sandbox) == 1
    assert run.upstream_runs.get().status == "running"


@pytest.mark.parametrize("action", [api.retry, api.end_upstream])
def test_what_works_on_upstream_for_a_run_that_failed_is_gone_on_with_or_ended(sandbox, run, action):
    """Either way nothing is started anew, and nothing is at work upstream when the run is over."""
    if action is api.end_upstream:
        sandbox.account.faults.arm("never_ends")
    work(run)
    over = {"status": "failed", "completed_at": timezone.now(), "lease_token": None, "lease_expires_at": None, "worker": None}
    Run.objects.filter(pk=run.pk).update(**over)
    run.refresh_from_db()
    action(run, None)
    finish(run)
    assert run.status == (RunStatus.COMPLETED if action is api.retry else RunStatus.CANCELLED)
    assert upstream_runs(sandbox) == 1
    assert run.upstream_runs.get().ended


def test_a_run_that_works_for_hours_upstream_is_waited_for_and_costs_no_try(sandbox, run):
    """F13: silence of the upstream is not death, and holds no worker."""
    sandbox.account.faults.arm("never_ends")
    work(run)
    now = timezone.now()
    UpstreamRun.objects.update(
        started_at=now - timedelta(hours=5), intent_at=now - timedelta(hours=5), deadline=now + timedelta(hours=1)
    )
    for _ in range(3):
        assert work(run).status == RunStatus.WAITING
    run.refresh_from_db()
    assert (run.attempt, run.worker, upstream_runs(sandbox)) == (0, None, 1)
    assert "At Apify for 5 h" in words(run)


@pytest.mark.parametrize(("over", "end"), [(timedelta(minutes=1), "aborted"), (timedelta(minutes=6), "timed_out")])
def test_a_run_that_outlives_its_time_out_is_ended_and_decided(sandbox, run, over, end):
    """Asked to end at its time-out; given up 5 minutes later even where the upstream cannot be made to end it."""
    sandbox.account.faults.arm("never_ends", count=1)
    work(run)
    first = run.upstream_runs.get()
    if end == "timed_out":
        sandbox.account.faults.arm("server_error", path="/abort")
    UpstreamRun.objects.update(deadline=timezone.now() - over)
    finish(run)
    first.refresh_from_db()
    assert first.status == end
    assert "outlived its time-out" in words(run)
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.COMPLETED, 2)


def test_a_run_that_vanished_is_decided(sandbox, run):
    work(run)
    sandbox.account.faults.arm("vanish_run")
    UpstreamRun.objects.update(started_at=timezone.now() - timedelta(minutes=5))
    work(run)
    until(lambda: UpstreamRun.objects.get().status == "gone" or (work(run) and False), "the verdict")
    run.refresh_from_db()
    assert run.attempt == 1 or run.status == RunStatus.FAILED


def order_of(run, listing):
    """The order that the job will make of this run."""
    from competitors.amazon.service import review_order

    return review_order(
        listing, include_keywords=run.parameters["include_keywords"], include_helpful=run.parameters["include_helpful"]
    )
