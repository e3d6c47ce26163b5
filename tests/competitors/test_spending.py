"""What a start may cost and use at most, and what counts as spent, over real HTTP."""

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction

from competitors.sandbox.server import serve
from pipeline import api
from pipeline.engine.database import MONEY_LOCK, lock
from pipeline.engine.execution import executor
from pipeline.engine.queue.claim import claim
from pipeline.engine.workers.processes import register_worker
from pipeline.models import ConcurrencyLimit, Run, UpstreamRun
from tests.competitors import runs
from tests.competitors.scraping import finish, upstream_runs, words, work
from tests.factories import make_brand, make_competitor, make_listing
from tests.processes import until

pytestmark = pytest.mark.django_db(transaction=True)
MEMORY, SECONDS, ITEMS, USD = 2048, 900, 720, 0.54  # of a scrape of six sweeps


@pytest.fixture
def another(db):
    """A run of another product, of another brand."""
    listing = make_listing(make_competitor(make_brand("Southpaw"), "Other"), asin="B0ANOTHER1")
    parameters = {"competitor_amazon_url_id": str(listing.pk), "include_keywords": False, "include_helpful": False}
    return api.queue_one_time_job(listing.competitor.brand_id, "amazon_review_scrape", parameters).run


def execute(claimed, **how):
    run, lease = claimed
    executor.execute(run, lease, stopping=lambda: False, **how)


def test_a_start_tells_the_upstream_how_much_it_may_cost_and_use(sandbox, run):
    work(run)
    (started,) = sandbox.account.runs.values()
    options = started.options
    assert options.max_total_charge_usd == USD == float(run.upstream_runs.get().cost_cap)
    assert options.max_items == ITEMS == run.upstream_runs.get().max_items
    assert options.memory_mbytes == MEMORY == run.upstream_runs.get().memory_mb
    assert options.timeout_secs == SECONDS


@pytest.mark.parametrize("limit", [{"max_running": 1}, {"max_running": 9, "max_memory_mb": MEMORY + 1}])
def test_a_full_account_starts_nothing_though_the_run_was_claimed_before_it_was_full(sandbox, run, another, limit):
    ConcurrencyLimit.objects.create(source="apify", **limit)
    first, second = claim(register_worker()), claim(register_worker())
    execute(first)
    execute(second)
    assert upstream_runs(sandbox) == 1
    assert "Apify is full" in words(second[0])
    assert second[0].attempt == 0
    finish(first[0])
    finish(second[0])
    assert (second[0].status, upstream_runs(sandbox)) == ("completed", 2)


def test_what_is_reserved_counts_as_spent(sandbox, run, another, settings):
    settings.PIPELINE_DAILY_SPEND_LIMIT_USD = run.cost_estimate + another.cost_estimate - Decimal("0.01")
    first, second = claim(register_worker()), claim(register_worker())
    execute(first)
    execute(second)
    assert upstream_runs(sandbox) == 1
    assert "Today's spend limit is reached" in words(second[0])


@pytest.mark.parametrize(
    ("estimate", "actual", "settled", "starts"),
    [("0.10", "0.90", True, 0), ("0.90", "0.10", True, 1), ("0.10", "0.90", False, 0), ("0.90", "0.10", False, 0)],
)
def test_a_final_cost_counts_instead_of_its_estimate_and_until_then_the_higher_of_both(
    sandbox, run, another, settings, estimate, actual, settled, starts
):
    settings.PIPELINE_DAILY_SPEND_LIMIT_USD = Decimal(1)
    spent = runs.paid(another, estimate, actual)
    UpstreamRun.objects.filter(pk=spent.pk).update(cost_settled=settled)
    work(run)
    assert upstream_runs(sandbox) == starts


@pytest.mark.only_on("postgresql")
def test_two_starts_at_once_do_not_both_fit_into_what_is_left_of_the_day(sandbox, run, another, settings):
    """While one is between its check and its commit, the other waits, and then counts what that one reserved."""
    settings.PIPELINE_DAILY_SPEND_LIMIT_USD = run.cost_estimate + another.cost_estimate - Decimal("0.01")
    claimed = claim(register_worker())
    thread = threading.Thread(target=lambda: (execute(claimed), connection.close()))
    with transaction.atomic():
        lock(MONEY_LOCK)
        runs.paid(another, str(another.cost_estimate), None)
        thread.start()
        until(lambda: waits_for_a_lock() or not thread.is_alive(), "the other start to wait or to end")
    thread.join(60)
    assert upstream_runs(sandbox) == 0
    assert "Today's spend limit is reached" in words(claimed[0])


def waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return cursor.fetchone()[0]


@pytest.mark.parametrize("waits_here", [False, True], ids=["on a worker", "in place"])
def test_the_cost_is_the_final_one_and_late_items_are_saved(listing, run, settings, waits_here):
    """Just after its end a run has preliminary costs, and not all of its items are listed."""
    with serve(run_seconds=0.3, seed=7, settle_seconds=3.0) as sandbox:
        settings.APIFY_API_URL, settings.APIFY_TOKEN, settings.PIPELINE_SETTLE_SECONDS = sandbox.url, "a-token-for-tests", 3.5
        sandbox.account.faults.arm("lag_items", value=3.0)
        execute(claim(register_worker()), waits_here=waits_here)
        finish(run)
        (started,) = sandbox.account.runs.values()
        now = sandbox.account.now()
        assert run.cost_actual == Decimal(str(started.cost(now))).quantize(Decimal("0.0001"))
        assert run.counts["raw"] == started.item_count(now)
        assert run.upstream_runs.get().cost_settled


@pytest.mark.parametrize("price", [10.0, 11.0], ids=["exactly", "less than one item below it"])
def test_a_run_that_reached_its_cost_limit_is_partial(sandbox, listing, run, price):
    sandbox.account.config.price_per_1000_usd = price
    finish(run)
    assert (run.status, run.verdict) == ("completed", "partial")
    assert "cost limit" in run.summary
    listing.refresh_from_db()
    assert listing.last_scraped_at is None


def test_a_run_that_reached_its_limit_of_items_is_partial(sandbox, run, monkeypatch):
    sandbox.account.config.price_per_1000_usd = 0.01
    monkeypatch.setattr("competitors.jobs.amazon_review_scrape.order.PAGE_REVIEWS", 1)
    finish(run)
    assert (run.status, run.verdict) == ("completed", "partial")


def test_a_start_without_an_answer_never_adopts_the_run_of_another(sandbox, run, foreign):
    """Both have the same input, and our user agent is stripped: only the owner tells them apart."""
    sandbox.account.faults.arm("strip_user_agent")
    finish(run)
    parameters = {"competitor_amazon_url_id": str(foreign.pk), "include_keywords": False, "include_helpful": False}
    second = api.queue_one_time_job(foreign.competitor.brand_id, "amazon_review_scrape", parameters).run
    sandbox.account.faults.arm("refuse_start", count=1)
    work(second)
    work(second, age_intent=timedelta(seconds=60))
    finish(second)
    assert upstream_runs(sandbox) == 2
    ids = UpstreamRun.objects.exclude(upstream_id=None).values_list("upstream_id", flat=True)
    assert len(set(ids)) == len(ids) == 2


def test_a_saved_page_forgets_earlier_deaths(sandbox, run):
    work(run)
    Run.objects.filter(pk=run.pk).update(recoveries=4)
    finish(run)
    assert (run.status, run.recoveries) == ("completed", 0)


def test_a_runs_log_does_not_tell_what_other_brands_spent(sandbox, run, another):
    finish(another)
    finish(run)
    spent = UpstreamRun.objects.get(run=another).cost_actual
    log = "\n".join(run.logs.values_list("message", flat=True))
    assert "Estimated cost $0.18, at most $0.54." in log
    assert spent > 0
    assert "today" not in log
