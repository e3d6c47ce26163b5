"""A scrape that other runs wait for fails, is cancelled or vanishes: they go on with a start of their own."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from pipeline import api
from pipeline.engine.execution import used_pages
from pipeline.engine.workers.inline import work_one
from pipeline.models import Pause, RawPage, Reuse, Run, UpstreamRun
from pipeline.states import RunStatus
from tests.competitors.reuse import click, first_start_fails, joined, let_end, work_off
from tests.competitors.scraping import finish, upstream_runs, words, work
from tests.processes import until

pytestmark = pytest.mark.django_db(transaction=True)
FREE = Decimal(0)


def test_a_joiner_whose_scrape_fails_starts_its_own(held, listing, sibling):
    first_start_fails(held)
    payer, joiner = joined(listing, sibling)
    let_end(held)
    work(payer)
    joiner.refresh_from_db()
    assert joiner.due_at <= timezone.now(), "it was woken"
    finish(joiner)
    assert (joiner.status, joiner.verdict, joiner.attempt) == ("completed", "ok", 0)
    assert f"Run {payer.pk}'s scrape failed. This run now needs a scrape of its own." in words(joiner)
    assert joiner.cost_actual == joiner.upstream_runs.get().cost_actual > 0
    assert not joiner.reuses.exists()


def test_when_the_payer_fails_one_of_its_joiners_pays_for_all(held, listing, sibling, foreign, settings):
    settings.PIPELINE_RETRY_SPEND_USD = Decimal(0)
    first_start_fails(held)
    payer, joiner = joined(listing, sibling)
    third = click(foreign)
    work_one()
    let_end(held)
    work_off(payer, joiner, third)
    assert (payer.status, joiner.status, third.status) == ("failed", "completed", "completed")
    assert upstream_runs(held) == 2
    assert sorted([joiner.cost_actual > 0, third.cost_actual > 0]) == [False, True]
    assert payer.cost_actual == payer.upstream_runs.get().cost_actual


def test_a_failed_payer_joins_the_start_of_its_joiner_when_it_tries_again(held, listing, sibling):
    first_start_fails(held)
    payer, joiner = joined(listing, sibling)
    held.account.finish()
    work(payer)
    work(joiner)
    work(joiner)
    assert upstream_runs(held) == 2
    work(payer)
    payer.refresh_from_db()
    assert (payer.status, upstream_runs(held)) == (RunStatus.WAITING, 2)
    let_end(held)
    work_off(payer, joiner)
    assert (payer.status, joiner.status, upstream_runs(held)) == ("completed", "completed", 2)


def test_a_cancelled_payer_is_aborted_and_its_joiner_starts_its_own(held, listing, sibling):
    payer, joiner = joined(listing, sibling)
    api.cancel(payer, None)
    finish(payer)
    assert (payer.status, held.state["runs"][0]["status"]) == ("cancelled", "ABORTED")
    held.account.faults.clear()
    finish(joiner)
    assert (joiner.status, upstream_runs(held)) == ("completed", 2)
    assert f"Run {payer.pk}'s scrape was cancelled." in words(joiner)


def test_a_joiner_that_may_not_pay_fails_with_its_scrape_and_says_why(held, listing, sibling):
    payer = click(listing)
    work_one()
    joiner = click(sibling, reuse=True, pay=False)
    work_one()
    api.cancel(payer, None)
    finish(payer)
    held.account.faults.clear()
    finish(joiner)
    assert (joiner.status, upstream_runs(held)) == ("failed", 1)
    assert f"Run {payer.pk}'s scrape was cancelled. The data is no longer there to be used for free." in joiner.error_message


def test_a_run_whose_scrape_is_being_cancelled_is_not_joined(held, listing, sibling):
    payer = click(listing)
    work_one()
    api.cancel(payer, None)
    held.account.faults.arm("server_error", path="/abort")
    click(sibling)
    work_one()
    work_one()
    assert upstream_runs(held) == 2


@pytest.mark.parametrize("spoiled", [{"verdict": "suspicious"}, {"verdict": "partial"}])
def test_a_scrape_that_somebody_must_check_is_not_used(sandbox, listing, sibling, spoiled):
    payer, joiner = click(listing), click(sibling)
    sandbox.account.faults.arm("never_ends")
    work_one()
    work_one()
    let_end(sandbox)
    finish(payer)
    Run.objects.filter(pk=payer.pk).update(**spoiled)
    finish(joiner)
    assert (joiner.status, upstream_runs(sandbox)) == ("completed", 2)
    assert f"Run {payer.pk}'s scrape may be incomplete." in words(joiner)


def test_a_payer_that_is_deleted_is_not_waited_for(held, listing, sibling):
    payer, joiner = joined(listing, sibling)
    Run.objects.filter(pk=payer.pk).update(status="failed", completed_at=timezone.now(), lease_token=None, lease_expires_at=None)
    payer.delete()
    held.account.faults.clear()
    finish(joiner)
    assert (joiner.status, upstream_runs(held)) == ("completed", 2)
    assert "The scrape that this run waited for was deleted." in words(joiner)


def test_pages_that_are_gone_are_fetched_anew(held, listing, sibling):
    payer, joiner = joined(listing, sibling)
    let_end(held)
    finish(payer)
    RawPage.objects.all().delete()
    finish(joiner)
    assert (joiner.status, upstream_runs(held)) == ("completed", 2)


def test_pages_that_vanish_while_they_are_read_cost_a_try_and_are_fetched_anew(held, listing, sibling, settings, monkeypatch):
    settings.PIPELINE_PAGE_ITEMS = 100
    payer, joiner = joined(listing, sibling)
    let_end(held)
    finish(payer)
    assert RawPage.objects.count() > 1
    unpacked = used_pages.unpacked

    def read_once(payload):
        items = unpacked(payload)
        RawPage.objects.all().delete()
        return items

    monkeypatch.setattr(used_pages, "unpacked", read_once)
    work(joiner)
    monkeypatch.undo()
    finish(joiner)
    assert (joiner.status, joiner.attempt, upstream_runs(held)) == ("completed", 1, 2)


def test_a_scrape_that_never_ends_is_not_waited_for_forever(held, listing, sibling):
    payer, joiner = joined(listing, sibling)
    UpstreamRun.objects.filter(run=payer).update(deadline=timezone.now() - timedelta(hours=1, seconds=1))
    work(joiner)
    joiner.refresh_from_db()
    assert f"Run {payer.pk}'s scrape takes too long." in words(joiner)
    work(joiner)
    assert upstream_runs(held) == 2


def test_a_pause_holds_a_joiner_that_would_now_have_to_pay(held, listing, sibling):
    payer, joiner = joined(listing, sibling)
    Pause.objects.create()
    api.cancel(payer, None)
    held.account.faults.clear()
    finish(payer)
    work(joiner)
    assert work(joiner) is None
    joiner.refresh_from_db()
    assert (joiner.status, upstream_runs(held)) == (RunStatus.PENDING, 1)
    assert "Paused" in words(joiner)


def test_work_in_this_process_goes_on_in_place_when_the_other_scrape_fails(held, listing, sibling, settings):
    settings.PIPELINE_POLL_SECONDS = 0.1
    first_start_fails(held)
    payer = click(listing)
    work_one()
    parameters = {"competitor_amazon_url_id": str(sibling.pk), "include_keywords": False, "include_helpful": False}
    joiner = api.start_here(sibling.competitor.brand_id, "amazon_review_scrape", parameters, mode=Run.Mode.DIRECT).run
    until(lambda: Reuse.objects.filter(run=joiner).exists(), "the join")
    let_end(held)
    work(payer)

    def over():
        joiner.refresh_from_db()
        return not joiner.is_live

    until(over, "the joiner's end")
    assert (joiner.status, joiner.mode, joiner.attempts.count(), upstream_runs(held)) == ("completed", "direct", 1, 2)
