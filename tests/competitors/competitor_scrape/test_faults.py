"""Whatever goes wrong: what the operator reads, what is saved, what was started and paid, and what freshness says."""

import pytest

from competitors.jobs.competitor_scrape import landing, service
from competitors.models import AdReading, CompetitorAd
from pipeline import api
from pipeline.models import DatasetStatus
from tests.competitors.scraping import finish, words, work

from .conftest import queue

pytestmark = pytest.mark.django_db(transaction=True)
TRIES = 6  # claims: more than any of these needs


def tried(library):
    run = queue(library)
    for _ in range(TRIES):
        if run.is_live and not run.attempt:
            work(run)
            run.refresh_from_db()
    return run


@pytest.mark.parametrize(
    ("fault", "value", "state", "said", "saves", "started", "paid"),
    [
        ("end_as", "FAILED:0.5", "pending", "Apify's run failed.", True, 1, 0.0442),
        ("end_as", "TIMED-OUT:0.5", "pending", "Apify's run timed out.", True, 1, 0.0442),
        ("end_as", "ABORTED:0.5", "pending", "Apify's run was aborted.", True, 1, 0.0442),
        ("no_items", True, "completed ok", "Apify found no ads.", False, 1, 0),
        ("ads_not_found", True, "completed ok", "Apify found no ads.", False, 1, 0.0008),
        ("only_errors", True, "completed suspicious", "could be read as an ad", False, 1, 0.0008),
        ("malformed_items", 10_000, "completed suspicious", "could be read as an ad", False, 1, 0.0892),
        ("malformed_items", 1, "completed ok", "1 rejected", True, 1, 0.0892),
        ("repeat_items", 0.5, "completed ok", "duplicates", True, 1, 0.1335),
        ("plan_limit", 0.5, "completed partial", "Cut by the plan at Apify", True, 1, 0.0442),
        ("endless_items", True, "completed partial", "though at most 600 were ordered", True, 1, 0.0892),
        ("no_money", True, "pending", "has no money left for this run", False, 0, 0),
        ("no_memory", True, "pending", "the account's memory is in use", False, 0, 0),
        ("usage_limit", True, "pending", "has reached its monthly usage limit", False, 0, 0),
        ("dataset_gone", True, "pending", "could not be read", False, 1, 0.0892),
    ],
)
def test_a_fault_of_the_run(sandbox, library, fault, value, state, said, saves, started, paid):
    sandbox.account.faults.arm(fault, value)
    run = tried(library)
    assert " ".join(filter(None, [run.status, run.verdict])) == state, words(run)
    assert said in words(run) + run.summary
    assert CompetitorAd.objects.exists() is saves
    assert sandbox.state["runs_started"] == started
    assert float(run.cost_actual or 0) == pytest.approx(paid, abs=0.0002)
    good = state == "completed ok"
    assert DatasetStatus.objects.filter(last_success_at__isnull=False).exists() is good
    assert AdReading.objects.filter(complete=True).exists() is good


@pytest.mark.parametrize(
    ("fault", "value", "path"),
    [("server_error", 503, "/dataset"), ("drop", True, "/dataset"), ("server_error", 429, "/actor-runs")],
)
def test_a_fault_of_one_request_is_passed_over(sandbox, library, fault, value, path):
    sandbox.account.faults.arm(fault, value, count=1, path=path)
    run = tried(library)
    assert (run.status, run.verdict, sandbox.state["runs_started"]) == ("completed", "ok", 1), words(run)
    assert CompetitorAd.objects.count() == run.counts["new"] == len(AdReading.objects.get(complete=True).ads)


def test_a_server_error_on_page_3_is_waited_out_and_nothing_is_read_or_paid_twice(sandbox, library, settings, monkeypatch):
    settings.PIPELINE_PAGE_ITEMS, pages = 20, []

    def save(*given):
        pages.append(given)
        if len(pages) == 2:
            sandbox.account.faults.arm("server_error", 503, path="/dataset")
        return landing.save_page(*given)

    monkeypatch.setattr(service, "save_page", save)
    run = tried(library)
    assert (run.is_live, len(pages), run.upstream_runs.get().read_offset) == (True, 2, 40), words(run)
    assert not AdReading.objects.filter(complete=True).exists()
    sandbox.account.faults.clear()
    finish(run)
    assert (run.status, run.verdict, sandbox.state["runs_started"]) == ("completed", "ok", 1), words(run)
    assert CompetitorAd.objects.count() == run.counts["new"] == len(AdReading.objects.get(complete=True).ads) > 40


def test_a_refused_token_while_reading_fails_the_run_and_a_retry_reads_on_without_paying_again(sandbox, library):
    sandbox.account.faults.arm("server_error", 401, count=1, path="/dataset")
    run = tried(library)
    assert (run.status, CompetitorAd.objects.exists()) == ("failed", False)
    assert "Apify refused the request" in run.error_message
    api.retry(run, None)
    finish(run)
    assert (run.status, run.verdict, sandbox.state["runs_started"]) == ("completed", "ok", 1)
