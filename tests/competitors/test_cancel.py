"""A cancel at any moment: nothing more is paid, the upstream run stops, and paid-for items are saved."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from competitors.models import CompetitorAmazonUrl
from pipeline import api
from pipeline.contract.source import get_source
from pipeline.engine.execution import executor
from pipeline.engine.queue.claim import claim
from pipeline.engine.upstreams.orphans import settle_orphans
from pipeline.engine.workers.processes import register_worker
from pipeline.models import DatasetStatus, Run, SourceState, UpstreamRun
from pipeline.states import RunStatus
from tests.competitors.scraping import finish, upstream_runs, words, work
from tests.processes import until

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_cancel_stops_the_upstream_run_and_saves_what_was_paid_for(sandbox, listing, run):
    sandbox.account.faults.arm("never_ends")
    work(run)
    api.cancel(run, None)
    finish(run)
    assert run.status == RunStatus.CANCELLED
    assert sandbox.state["runs"][0]["status"] == "ABORTED"
    assert upstream_runs(sandbox) == 1
    assert run.upstream_runs.get().read_complete


def test_a_cancel_whose_abort_fails_is_tried_again_and_costs_no_try(sandbox, run):
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


def test_an_upstream_that_stops_slowly_is_asked_again_and_the_log_says_it_once(sandbox, run):
    sandbox.account.faults.arm("never_ends")
    sandbox.account.faults.arm("slow_abort", value=60)
    work(run)
    api.cancel(run, None)
    for _ in range(3):
        work(run)
    run.refresh_from_db()
    assert run.is_live
    assert words(run).count("asked Apify to stop its run") == 1


def test_a_cancel_between_the_claim_and_the_start_pays_nothing(sandbox, run):
    claimed, lease = claim(register_worker())
    api.cancel(Run.objects.get(pk=run.pk), None)
    executor.execute(claimed, lease, stopping=lambda: False)
    run.refresh_from_db()
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.CANCELLED, 0)


def test_a_cancel_while_the_upstream_is_read_makes_the_run_due_at_once(sandbox, run, monkeypatch):
    sandbox.account.faults.arm("never_ends")
    work(run)
    apify = get_source("apify")
    read_run = apify.read_run

    def clicked_meanwhile(upstream_id):
        api.cancel(Run.objects.get(pk=run.pk), None)
        return read_run(upstream_id)

    monkeypatch.setattr(apify, "read_run", clicked_meanwhile)
    work(run)
    run.refresh_from_db()
    assert run.due_at <= timezone.now()


@pytest.mark.parametrize("path", ["/abort", "/items"])
def test_a_cancel_that_gets_no_readable_answer_is_tried_again(sandbox, run, listing, path):
    sandbox.account.faults.arm("never_ends")
    work(run)
    time.sleep(0.5)  # it has stored some items by then
    api.cancel(run, None)
    sandbox.account.faults.arm("broken_json", path=path, count=3)
    finish(run)
    upstream = run.upstream_runs.get()
    assert (run.status, run.attempt, upstream.status, upstream.read_complete) == (RunStatus.CANCELLED, 0, "aborted", True)


def test_a_cancel_of_a_run_that_vanished_upstream_closes_its_ledger_row(sandbox, run):
    sandbox.account.faults.arm("never_ends")
    work(run)
    UpstreamRun.objects.update(started_at=timezone.now() - timedelta(minutes=5))
    sandbox.account.faults.arm("vanish_run")
    get_source("apify").read_run(run.upstream_runs.get().upstream_id)
    api.cancel(run, None)
    finish(run)
    assert (run.status, run.upstream_runs.get().status) == (RunStatus.CANCELLED, UpstreamRun.Status.GONE)


def test_a_cancel_between_two_tries_saves_what_was_paid_for(sandbox, listing, run):
    sandbox.account.faults.arm("server_error", path="/items")

    def tried():
        work(run)
        run.refresh_from_db()
        return run.attempt == 1

    until(tried, "the reading to fail")
    sandbox.account.faults.clear()
    api.cancel(run, None)
    finish(run)
    assert run.status == RunStatus.CANCELLED
    assert run.upstream_runs.get().read_complete
    assert listing.reviews().count() > 0


@pytest.mark.parametrize("fault", ["server_error", "broken_json", "bad_token"])
def test_a_cancel_while_reading_fails_saves_what_was_paid_for(sandbox, listing, run, monkeypatch, fault):
    sandbox.account.faults.arm("never_ends", count=1)
    work(run)
    sandbox.account.finish()
    apify = get_source("apify")
    pages = apify.pages

    def clicked_meanwhile(seen, offset):
        monkeypatch.undo()
        api.cancel(Run.objects.get(pk=run.pk), None)
        sandbox.account.faults.arm(fault, path="/items", count=2)
        return pages(seen, offset)

    monkeypatch.setattr(apify, "pages", clicked_meanwhile)
    finish(run)
    assert run.status == RunStatus.CANCELLED
    assert run.upstream_runs.get().read_complete
    assert listing.reviews().count() > 0


def test_a_listing_that_is_removed_under_its_run_ends_the_run_and_stops_what_it_pays_for(sandbox, listing, run):
    """By whatever way it is removed. What was paid for is said to be lost."""
    sandbox.account.faults.arm("never_ends")
    work(run)
    CompetitorAmazonUrl.objects.filter(pk=listing.pk).delete()
    sandbox.account.faults.arm("server_error", path="/abort")
    work(run)
    run.refresh_from_db()
    assert run.is_live, "the abort failed and is tried again"
    sandbox.account.faults.clear()
    finish(run)
    assert (run.status, run.attempt, sandbox.state["runs"][0]["status"]) == (RunStatus.CANCELLED, 0, "ABORTED")
    assert "could not be saved" in run.summary
    assert "What it scrapes was removed" in words(run)
    assert not DatasetStatus.objects.exists()
    settle_orphans()
    assert run.upstream_runs.get().ended


def test_the_queued_run_of_a_removed_competitor_ends_at_once(sandbox, listing, run):
    listing.competitor.delete()
    run.refresh_from_db()
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.CANCELLED, 0)
    assert not DatasetStatus.objects.exists()


def test_items_that_are_being_saved_when_the_listing_is_removed_are_saved(sandbox, listing, run, monkeypatch):
    apify = get_source("apify")
    pages = apify.pages

    def removed_meanwhile(seen, offset):
        monkeypatch.setattr(apify, "pages", pages)
        CompetitorAmazonUrl.objects.filter(pk=listing.pk).delete()
        return pages(seen, offset)

    monkeypatch.setattr(apify, "pages", removed_meanwhile)
    finish(run)
    assert not run.is_live
    assert run.upstream_runs.get().read_complete
    assert listing.reviews().count() > 0
    assert "could not be saved" not in run.summary


def test_a_slow_down_during_such_a_cancel_slows_the_whole_account(sandbox, run, listing):
    sandbox.account.faults.arm("never_ends")
    work(run)
    listing.delete()
    sandbox.account.faults.arm("rate_limit", value=100)
    work(run)
    assert SourceState.objects.get(source="apify").slow_until > timezone.now() + timedelta(seconds=60)
    sandbox.account.faults.clear()
    finish(run)
    assert (run.status, run.attempt, sandbox.state["runs"][0]["status"]) == (RunStatus.CANCELLED, 0, "ABORTED")
