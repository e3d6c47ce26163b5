"""The same data is not paid for twice at once: a run whose data is being fetched for another run waits for that, free."""

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from competitors.models import Competitor
from pipeline import api
from pipeline.engine.queue.claim import claim
from pipeline.engine.upstreams import reuse
from pipeline.engine.upstreams.budget import spent_today
from pipeline.engine.workers.inline import work_one
from pipeline.engine.workers.processes import register_worker
from pipeline.models import DatasetStatus, Reuse, Run, UpstreamRun
from pipeline.queries import spends
from pipeline.states import RunStatus
from tests.competitors.reuse import click, joined, let_end, work_off
from tests.competitors.scraping import finish, upstream_runs, words, work
from tests.factories import make_listing
from tests.processes import until

pytestmark = pytest.mark.django_db(transaction=True)
FREE = Decimal(0)


def test_the_same_product_of_two_competitors_is_paid_for_once(sandbox, listing, sibling):
    first, second = click(listing), click(sibling)
    work_off(first, second)
    payer, joiner = sorted([first, second], key=lambda run: bool(run.cost_actual), reverse=True)
    assert (payer.status, payer.verdict, joiner.status, joiner.verdict) == ("completed", "ok", "completed", "ok")
    assert upstream_runs(sandbox) == 1
    assert UpstreamRun.objects.count() == 1
    assert (joiner.cost_actual, payer.cost_actual > 0) == (FREE, True)
    assert joiner.counts["raw"] == payer.counts["raw"]
    assert joiner.counts["unchanged"] == payer.counts["new"] == listing.reviews().count() == sibling.reviews().count()
    assert f"Uses run {payer.pk}'s scrape, less than a minute old, $0." in joiner.summary
    assert round(spent_today(), 4) == payer.cost_actual


def test_what_follows_from_a_scrape_follows_for_the_joiner_as_of_the_fetch(sandbox, listing, sibling):
    first, second = click(listing), click(sibling)
    work_off(first, second)
    fetched = UpstreamRun.objects.get().finished_at
    joiner = Run.objects.get(cost_actual=0)
    subject = sibling if joiner.subject == str(sibling.pk) else listing
    subject.refresh_from_db()
    status = DatasetStatus.objects.get(subject=joiner.subject)
    assert subject.last_scraped_at == status.last_success_at == fetched
    assert (status.last_status, status.last_run, status.records_affected) == ("completed", joiner, subject.total_reviews_scraped)
    assert subject.total_reviews_scraped == subject.reviews().count()
    assert subject.scrape_cost_estimate is None, "it paid nothing"
    assert joiner.subject not in spends(joiner.job_type, joiner.brand_id, [joiner.subject])


def test_a_joiner_holds_no_worker_and_says_what_it_waits_for(held, listing, sibling):
    payer, joiner = joined(listing, sibling)
    assert (joiner.status, joiner.lease_token, joiner.cost_actual) == (RunStatus.WAITING, None, FREE)
    assert f"Waiting for run {payer.pk}'s scrape of the same data." in joiner.blocked_reason
    assert f"Waiting for run {payer.pk}'s scrape of the same data. It costs $0." in words(joiner)


def test_who_may_not_see_the_other_brand_is_not_told_whose_scrape_it_was(held, listing, foreign):
    payer, joiner = joined(listing, foreign)
    assert "another run's scrape" in words(joiner)
    let_end(held)
    work_off(payer, joiner)
    told = f"{words(joiner)} {joiner.summary}"
    assert "Uses another run's scrape, less than a minute old, $0." in joiner.summary
    assert f"run {payer.pk}" not in told.lower()
    assert payer.brand.name not in told
    assert payer.upstream_runs.get().upstream_id not in told
    assert upstream_runs(held) == 1


def test_a_joiner_is_woken_when_the_data_is_there(held, listing, sibling):
    payer, joiner = joined(listing, sibling)
    assert joiner.due_at > timezone.now()
    let_end(held)
    finish(payer)
    joiner.refresh_from_db()
    assert joiner.due_at <= timezone.now()


def test_a_lost_wake_up_costs_half_a_minute(held, listing, sibling):
    _, joiner = joined(listing, sibling)
    assert timedelta(0) < joiner.due_at - timezone.now() <= timedelta(seconds=30)


def test_a_free_run_needs_no_money_of_the_day(held, listing, sibling, settings):
    payer = click(listing)
    work_one()
    settings.PIPELINE_DAILY_SPEND_LIMIT_USD = Decimal("0.01")
    joiner = click(sibling)
    work_one()
    joiner.refresh_from_db()
    assert joiner.status == RunStatus.WAITING
    let_end(held)
    work_off(payer, joiner)
    assert (joiner.status, joiner.cost_actual) == ("completed", FREE)


@pytest.mark.parametrize(("theirs", "mine", "starts"), [(True, False, 1), (False, True, 2)])
def test_a_scrape_with_all_the_asked_options_will_do(held, listing, sibling, theirs, mine, starts):
    payer = click(listing, include_helpful=theirs)
    work_one()
    joiner = click(sibling, include_helpful=mine)
    work_one()
    assert upstream_runs(held) == starts
    let_end(held)
    work_off(payer, joiner)
    assert {payer.status, joiner.status} == {"completed"}
    assert upstream_runs(held) == starts


@pytest.mark.parametrize("other", [{"asin": "B000000001"}, {"domain_code": "ca"}])
def test_another_product_or_marketplace_is_another_scrape(held, listing, brand, other):
    click(listing)
    click(make_listing(Competitor.objects.create(brand=brand, name="Pawsome"), **other))
    work_one()
    work_one()
    assert upstream_runs(held) == 2


def test_a_cancelled_joiner_ends_at_once_and_leaves_the_payer_alone(held, listing, sibling):
    payer, joiner = joined(listing, sibling)
    api.cancel(joiner, None)
    joiner.refresh_from_db()
    assert joiner.status == RunStatus.CANCELLED
    payer.refresh_from_db()
    assert (payer.status, held.state["runs"][0]["status"]) == (RunStatus.WAITING, "RUNNING")
    let_end(held)
    finish(payer)
    assert payer.status == "completed"


def test_a_joiner_that_is_cancelled_while_it_is_worked_on_leaves_the_payer_alone(held, listing, sibling, monkeypatch):
    payer, joiner = joined(listing, sibling)
    under_way = reuse._under_way

    def cancelled_meanwhile(upstream, at):
        api.cancel(Run.objects.get(pk=joiner.pk), None)
        return under_way(upstream, at)

    monkeypatch.setattr(reuse, "_under_way", cancelled_meanwhile)
    work(joiner)
    monkeypatch.undo()
    finish(joiner)
    payer.refresh_from_db()
    assert (joiner.status, payer.status, held.state["runs"][0]["status"]) == ("cancelled", RunStatus.WAITING, "RUNNING")


def test_a_joiner_whose_worker_died_goes_on_and_pays_nothing(held, listing, sibling):
    payer, joiner = joined(listing, sibling)
    let_end(held)
    finish(payer)
    Run.objects.filter(pk=joiner.pk).update(due_at=timezone.now())
    claimed, _ = claim(register_worker())
    assert claimed == joiner
    Run.objects.filter(pk=joiner.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    finish(joiner)
    assert (joiner.status, joiner.cost_actual, upstream_runs(held)) == ("completed", FREE, 1)


def test_a_joiner_is_replayed_from_the_pages_that_it_used(held, listing, foreign):
    payer, joiner = joined(listing, foreign)
    let_end(held)
    work_off(payer, joiner)
    replayed = api.replay(joiner)
    assert (replayed.pages, replayed.done.counts["raw"]) == (payer.upstream_runs.get().pages.count(), joiner.counts["raw"])
    api.replay(payer)


def test_a_retried_joiner_does_not_take_up_what_it_once_waited_for(held, listing, sibling):
    payer, joiner = joined(listing, sibling)
    api.cancel(joiner, None)
    let_end(held)
    finish(payer)
    api.retry(Run.objects.get(pk=joiner.pk), None)
    finish(joiner)
    assert (joiner.status, upstream_runs(held)) == ("completed", 2)


@pytest.mark.parametrize("mode", [Run.Mode.LEGACY, Run.Mode.DIRECT])
def test_work_in_this_process_waits_in_place_for_the_scrape_of_another_run(held, listing, sibling, settings, mode):
    settings.PIPELINE_POLL_SECONDS = 0.1
    payer = click(listing)
    work_one()
    joiner = api.start_here(
        sibling.competitor.brand_id,
        "amazon_review_scrape",
        {"competitor_amazon_url_id": str(sibling.pk), "include_keywords": False, "include_helpful": False},
        mode=mode,
    ).run
    until(lambda: Reuse.objects.filter(run=joiner).exists(), "the join")
    joiner.refresh_from_db()
    assert joiner.status == RunStatus.RUNNING
    let_end(held)
    finish(payer)

    def over():
        joiner.refresh_from_db()
        return not joiner.is_live

    until(over, "the joiner's end")
    assert (joiner.status, joiner.cost_actual, upstream_runs(held)) == ("completed", FREE, 1)


@pytest.mark.only_on("postgresql")
def test_runs_that_arrive_together_cannot_both_pay(held, brand):
    """Eight workers claim eight runs of one product at the same moment."""
    listings = [
        make_listing(Competitor.objects.create(brand=brand, name=f"Competitor {number}"), asin="B09XK4T2LM")
        for number in range(8)
    ]
    for listing in listings:
        click(listing)
    together = threading.Barrier(8)

    def one():
        together.wait()
        try:
            work_one()
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert upstream_runs(held) == 1
    assert UpstreamRun.objects.count() == 1
    assert Reuse.objects.count() == 7
