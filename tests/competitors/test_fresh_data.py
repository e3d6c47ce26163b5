"""Data that was fetched for another run is used only where somebody asked for that, or a schedule's tick comes due."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.utils import timezone

from competitors.jobs.amazon_review_scrape.order import estimate
from competitors.jobs.amazon_review_scrape.sweeps import SweepOptions
from pipeline import api, queries
from pipeline.contract import get_type
from pipeline.engine.workers.inline import work_one
from pipeline.models import Run, UpstreamRun
from pipeline.states import RunStatus
from tests.competitors.reuse import asked, click, made_older, work_off
from tests.competitors.scraping import finish, upstream_runs, words

pytestmark = pytest.mark.django_db(transaction=True)
FREE = Decimal(0)
TWELVE_MINUTES = timedelta(minutes=12, seconds=5)


@pytest.fixture
def done(sandbox, listing):
    """A good scrape of the listing, 12 minutes old."""
    run = finish(click(listing))
    made_older(run, TWELVE_MINUTES)
    run.refresh_from_db()
    return run


def tick(listing, cron="0 3 * * *"):
    """A schedule's run that is due now."""
    job = api.ensure_recurring_job(listing.competitor.brand_id, "amazon_review_scrape", cron, asked(listing))
    run = job.runs.live().get()
    api.run_now(run, None)
    return run


def test_a_click_never_takes_what_was_fetched_before_it(sandbox, done, sibling):
    run = finish(click(sibling))
    assert (run.status, upstream_runs(sandbox)) == (RunStatus.COMPLETED, 2)
    assert run.cost_actual > 0


def test_a_call_that_says_so_takes_it_at_once_and_for_free(sandbox, done, sibling):
    run = click(sibling, reuse=True)
    work_one()
    run.refresh_from_db()
    assert (run.status, run.verdict, run.cost_actual, upstream_runs(sandbox)) == ("completed", "ok", FREE, 1)
    assert f"Uses run {done.pk}'s scrape, 12 minutes old, $0." in run.summary
    assert f"Uses run {done.pk}'s scrape, 12 minutes old, $0." in words(run)
    sibling.refresh_from_db()
    assert sibling.last_scraped_at == done.upstream_runs.get().finished_at
    assert timezone.now() - sibling.last_scraped_at > timedelta(minutes=12)


def test_the_command_line_takes_it_with_reuse_only(sandbox, done, sibling):
    options = ["--brand", sibling.competitor.brand.slug, "--params", f'{{"competitor_amazon_url_id": "{sibling.pk}"}}']
    options += ["--param", "include_keywords=false", "--param", "include_helpful=false"]
    call_command("run_job", "amazon_review_scrape", *options, "--reuse")
    free = Run.objects.latest("pk")
    finish(free)
    assert (free.cost_actual, upstream_runs(sandbox)) == (FREE, 1)
    call_command("run_job", "amazon_review_scrape", *options)
    finish(Run.objects.latest("pk"))
    assert upstream_runs(sandbox) == 2


def test_many_at_once_take_it_too(sandbox, done, sibling):
    (queued,) = api.queue_many(sibling.competitor.brand_id, "amazon_review_scrape", [asked(sibling)], reuse=True)
    assert finish(queued.run).cost_actual == 0


def test_its_own_data_will_do_as_well(sandbox, done, listing):
    run = finish(click(listing, reuse=True))
    assert (run.status, run.cost_actual, upstream_runs(sandbox)) == ("completed", 0, 1)


def test_data_older_than_the_type_allows_is_fetched_anew(sandbox, done, sibling):
    made_older(done, timedelta(days=1))
    finish(click(sibling, reuse=True))
    assert upstream_runs(sandbox) == 2


@pytest.mark.parametrize("fields", [{"verdict": "suspicious"}, {"verdict": "partial"}])
def test_data_that_somebody_must_check_is_fetched_anew(sandbox, done, sibling, fields):
    Run.objects.filter(pk=done.pk).update(**fields)
    finish(click(sibling, reuse=True))
    assert upstream_runs(sandbox) == 2


def test_data_that_somebody_accepted_is_used(sandbox, done, sibling):
    Run.objects.filter(pk=done.pk).update(verdict="suspicious")
    api.accept(Run.objects.get(pk=done.pk), None)
    finish(click(sibling, reuse=True))
    assert upstream_runs(sandbox) == 1


def test_a_capped_scrape_is_not_used(sandbox, done, sibling):
    UpstreamRun.objects.update(capped=True)
    finish(click(sibling, reuse=True))
    assert upstream_runs(sandbox) == 2


def test_data_with_fewer_options_than_asked_is_not_used(sandbox, done, sibling):
    finish(click(sibling, reuse=True, include_helpful=True))
    assert upstream_runs(sandbox) == 2


def test_a_run_that_may_not_pay_fails_where_nothing_is_free(sandbox, done, sibling):
    done.upstream_runs.get().pages.all().delete()
    run = finish(click(sibling, reuse=True, pay=False))
    assert (run.status, upstream_runs(sandbox)) == ("failed", 1)
    assert "Nothing was paid" in run.error_message
    api.retry(run, None)
    assert finish(run).status == "failed"
    assert upstream_runs(sandbox) == 1


def test_a_run_that_may_not_pay_uses_what_is_there(sandbox, done, sibling):
    run = finish(click(sibling, reuse=True, pay=False))
    assert (run.status, run.cost_actual, upstream_runs(sandbox)) == ("completed", 0, 1)


def test_what_was_fetched_while_a_click_waited_for_a_worker_is_used(sandbox, listing, sibling):
    first = click(listing)
    second = click(sibling)
    finish(first)
    run = finish(second)
    assert (run.cost_actual, upstream_runs(sandbox)) == (0, 1)


def test_a_person_who_retries_gets_newer_data(sandbox, listing, sibling):
    second = click(sibling)
    api.cancel(second, None)
    finish(click(listing))
    api.retry(Run.objects.get(pk=second.pk), None)
    assert finish(second).cost_actual > 0
    assert upstream_runs(sandbox) == 2


def test_a_schedules_tick_takes_it_by_itself(sandbox, done, sibling):
    run = finish(tick(sibling))
    assert (run.status, run.cost_actual, upstream_runs(sandbox)) == ("completed", 0, 1)


def test_a_tick_soon_after_a_click_takes_what_that_fetched(sandbox, done, listing):
    assert finish(tick(listing)).cost_actual == 0


def test_a_schedule_brings_newer_data_each_time_however_often_it_runs(sandbox, listing):
    first = finish(tick(listing, "0 * * * *"))
    second = first.job.runs.live().get()
    api.run_now(second, None)
    finish(second)
    third = first.job.runs.live().get()
    api.run_now(third, None)
    finish(third)
    assert [run.cost_actual > 0 for run in (first, second, third)] == [True, True, True]


def test_two_schedules_of_one_product_pay_once_each_time(sandbox, listing, foreign):
    ours, theirs = tick(listing, "0 * * * *"), tick(foreign, "5 * * * *")
    for time in range(1, 4):
        work_off(ours, theirs)
        assert upstream_runs(sandbox) == time
        ours, theirs = ours.job.runs.live().get(), theirs.job.runs.live().get()
        api.run_now(ours, None)
        api.run_now(theirs, None)


def test_data_that_was_used_is_never_used_as_if_it_were_new(sandbox, done, sibling, foreign):
    """A third subject uses the scrape that was paid for, not the run that only used it."""
    made_older(done, timedelta(hours=23, minutes=30))
    second = finish(click(sibling, reuse=True))
    assert second.cost_actual == 0
    made_older(done, timedelta(hours=1))
    finish(click(foreign, reuse=True))
    assert upstream_runs(sandbox) == 2


def test_free_data_teaches_no_price_time_or_count(sandbox, done, sibling):
    finish(click(sibling, reuse=True))
    good = queries.good_runs_of("amazon_review_scrape", sibling.competitor.brand_id, str(sibling.pk), sibling.about)
    known = queries.history(get_type("amazon_review_scrape"), {}, good)
    assert (known.runs, known.usual, known.had_rows) == (0, None, True), "but an empty result would be odd from now on"
    assert estimate(sibling, SweepOptions(), good, Decimal("0.00075")) == estimate(
        sibling, SweepOptions(), [], Decimal("0.00075")
    )
